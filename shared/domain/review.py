"""A review: one scorecard filled for one conversation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.evidence import EvidenceSpan
from shared.domain.flag import Flag
from shared.domain.labels import Resolved
from shared.domain.scorecard import Scorecard


class Outcome(StrEnum):
    """A category's answer; "no" is never "could not tell"."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not_applicable"
    UNSURE = "unsure"


class ReviewState(StrEnum):
    """Provisional while the conversation goes on; final once it is solved, closed or idle."""

    PROVISIONAL = "provisional"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rating:
    """One category's answer.

    `score` is 0..1 where the outcome is passed or failed, else None. `confidence` is the calibrated
    probability 0..1 of the outcome. `reason` is a word in snake case that explains the outcome, always
    given for `not_applicable` and `unsure`.
    """

    category: str
    outcome: Outcome
    score: float | None
    confidence: float
    evidence: tuple[EvidenceSpan, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentimentPath:
    """Customer sentiment along the conversation, each in -1..1: p(positive) - p(negative).

    `trend` is `end - start`, -2..2.
    """

    start: float
    end: float
    lowest: float
    trend: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedGuess:
    """The likeliest label and its calibrated probability 0..1."""

    label: Resolved
    probability: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """Everything derived from one version of a conversation.

    `score` is percent 0..100, None where no category could be rated; `predicted_csat` is 1..5.
    """

    scorecard_id: str
    scorecard_version: int
    model_revision: str
    state: ReviewState
    ratings: tuple[Rating, ...]
    flags: tuple[Flag, ...]
    sentiment: SentimentPath | None
    predicted_csat: float | None
    resolved: ResolvedGuess | None
    score: float | None


def review_score(scorecard: Scorecard, ratings: Iterable[Rating]) -> float | None:
    """Percent: 100 * sum(w*r) / sum(w) over rated categories.

    `not_applicable` and `unsure` leave both sums; a failed critical category gives 0; no rated category
    gives None. Source: DESIGN, "ReviewScore".
    """
    by_category: Mapping[str, Rating] = {rating.category: rating for rating in ratings}
    weights = total = 0.0
    for category in scorecard.categories:
        rating = by_category.get(category.id)
        if rating is None or rating.score is None:
            continue
        if category.critical and rating.outcome is Outcome.FAILED:
            return 0.0
        weights += category.weight
        total += category.weight * rating.score
    return round(100 * total / weights, 2) if weights else None
