"""One fact a conversation: what lists show, filters ask and KPIs count. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from services.metrics.facts.sources import ConversationRow, MessageTimes, ReviewRow, Sources
from shared.domain.conversation import SurveyKind
from shared.domain.flag import FlagKind
from shared.domain.kpi import (
    FINE_UNIT,
    MEASURES,
    MILLISECONDS,
    SATISFIED_FROM,
    SCORE_UNIT,
    SENTIMENT_EDGE,
    duration_bin,
)
from shared.domain.review import Outcome
from shared.domain.scorecard import CategoryId

_LONGEST_NAME = 400
_SHIPPED = frozenset(category.value for category in CategoryId)
_LONGEST_MS = 2**53
"""Beyond this a duration is a helpdesk's broken clock."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What is stored of a conversation. An empty text stands for none in `channel` to `team`.

    `measures` holds the non-zero ones; a conversation that is merged, deleted or spam has none.
    The bins are of `shared.domain.kpi.duration_bin`.
    """

    conversation_id: str
    source: str
    external_id: str
    channel: str
    language: str
    status: str
    agent: str
    team: str
    tags: tuple[str, ...]
    opened_at: datetime
    solved_at: datetime | None
    message_count: int
    conversation_version: int
    review_id: str | None
    review_version: int | None
    review_state: str | None
    scorecard_id: str | None
    scorecard_version: int | None
    model_revision: str | None
    score: float | None
    scored_at: datetime | None
    flags: tuple[str, ...]
    #: Custom categories by id: passed or failed; the other outcomes are not here.
    categories: Mapping[str, bool]
    first_response_bin: int | None
    resolution_bin: int | None
    measures: Mapping[str, int]

    @property
    def day(self) -> date:
        """KPIs are kept by the UTC day of opening."""
        return self.opened_at.astimezone(UTC).date()


def fact_of(sources: Sources) -> Fact:
    """The fact that follows from what ingest and autoqa know."""
    conversation, review = sources.conversation, sources.review
    measures: dict[str, int] = {}
    first_response = resolution = None
    if conversation.status.is_eligible:
        first_response = _milliseconds(sources.times.asked_at, sources.times.answered_at)
        if conversation.status.is_finished:
            resolution = _milliseconds(conversation.opened_at, conversation.solved_at)
        measures = _measures(sources, first_response, resolution)
    return Fact(
        conversation_id=conversation.id,
        source=conversation.source,
        external_id=conversation.external_id,
        channel=conversation.channel,
        language=_clipped(conversation.language),
        status=conversation.status.value,
        agent=_clipped(conversation.agent),
        team=_clipped(conversation.team),
        tags=tuple(_clipped(tag) for tag in conversation.tags),
        opened_at=conversation.opened_at,
        solved_at=conversation.solved_at,
        message_count=conversation.message_count,
        conversation_version=conversation.version,
        review_id=review.id if review else None,
        review_version=review.version if review else None,
        review_state=review.state if review else None,
        scorecard_id=review.scorecard_id if review else None,
        scorecard_version=review.scorecard_version if review else None,
        model_revision=review.model_revision if review else None,
        score=review.score if review else None,
        scored_at=review.scored_at if review else None,
        flags=found_flags(sources),
        categories=_custom_categories(sources),
        first_response_bin=_bin(first_response),
        resolution_bin=_bin(resolution),
        measures={name: measures[name] for name in MEASURES if measures.get(name)},
    )


def _clipped(name: str) -> str:
    """At most `_LONGEST_NAME` bytes of UTF-8: index rows of the database have an end."""
    return name.encode()[:_LONGEST_NAME].decode(errors="ignore")


def found_flags(sources: Sources) -> tuple[str, ...]:
    """Kinds that the current review found, sorted; none for what is not worth rating."""
    if sources.review is None or not sources.conversation.status.is_eligible:
        return ()
    return tuple(sorted({flag.kind.value for flag in sources.review.flags}))


def _custom_categories(sources: Sources) -> dict[str, bool]:
    if sources.review is None or not sources.conversation.status.is_eligible:
        return {}
    return {
        category: outcome is Outcome.PASSED
        for category, outcome in sorted(sources.review.outcomes.items())
        if category not in _SHIPPED and outcome in (Outcome.PASSED, Outcome.FAILED)
    }


def _measures(sources: Sources, first_response: int | None, resolution: int | None) -> dict[str, int]:
    conversation, review = sources.conversation, sources.review
    measures = {"conversations": 1}
    repeated = FlagKind.REPEAT_CONTACT in found_flags(sources)
    if conversation.status.is_finished:
        measures |= _finished(conversation, sources.times, repeated=repeated)
    measures |= _surveys(sources.surveys, finished=conversation.status.is_finished)
    for name, duration in (("first_response", first_response), ("resolution", resolution)):
        if duration is not None:
            measures |= {f"{name}_n": 1, f"{name}_sum": duration}
    measures["eligible"] = int(sources.times.agent_messages > 0)
    if review is not None:
        measures |= _review(review)
        # A score without a human agent's words (a bot's) must not lift coverage over 100 %.
        measures["eligible"] = max(measures["eligible"], measures.get("scored", 0))
    return measures


def _finished(conversation: ConversationRow, times: MessageTimes, *, repeated: bool) -> dict[str, int]:
    reopened = conversation.reopen_count > 0
    return {
        "finished": 1,
        "finished_no_reopen": int(not reopened),
        "finished_no_repeat": int(not repeated),
        "finished_no_return": int(not reopened and not repeated),
        "finished_one_reply": int(times.agent_messages == 1),
    }


def _surveys(answers: Mapping[SurveyKind, float], *, finished: bool) -> dict[str, int]:
    measures: dict[str, int] = {}
    csat = answers.get(SurveyKind.CSAT)
    if csat is not None:
        measures |= {
            "csat_n": 1,
            "csat_satisfied": int(csat >= SATISFIED_FROM),
            "csat_finished": int(finished),
            "csat_sum": round(csat * SCORE_UNIT),
        }
    nps = answers.get(SurveyKind.NPS)
    if nps is not None:
        measures |= {"nps_n": 1, "nps_promoters": int(nps >= 9), "nps_detractors": int(nps <= 6)}
    ces = answers.get(SurveyKind.CES)
    if ces is not None:
        measures |= {"ces_n": 1, "ces_sum": round(ces * SCORE_UNIT)}
    return measures


def _review(review: ReviewRow) -> dict[str, int]:
    measures = {"reviewed": 1}
    if review.score is not None:
        measures |= {"scored": 1, "score_sum": round(review.score * SCORE_UNIT)}
    for category in CategoryId:
        outcome = review.outcomes.get(category)
        if outcome in (Outcome.PASSED, Outcome.FAILED):
            measures[f"rated_{category}"] = 1
            measures[f"passed_{category}"] = int(outcome is Outcome.PASSED)
    for flag in review.flags:
        measures[f"flag_{flag.kind}"] = 1
    if review.sentiment_start is not None and review.sentiment_end is not None:
        measures |= {
            "sentiment_n": 1,
            "sentiment_negative": int(review.sentiment_end < -SENTIMENT_EDGE),
            "sentiment_positive": int(review.sentiment_end > SENTIMENT_EDGE),
            "sentiment_shift_sum": round((review.sentiment_end - review.sentiment_start) * FINE_UNIT),
        }
    if review.predicted_csat is not None:
        measures |= {"predicted_csat_n": 1, "predicted_csat_sum": round(review.predicted_csat * FINE_UNIT)}
    return measures


def _milliseconds(start: datetime | None, end: datetime | None) -> int | None:
    if start is None or end is None or end < start:
        return None
    return min(round((end - start).total_seconds() * MILLISECONDS), _LONGEST_MS)


def _bin(milliseconds: int | None) -> int | None:
    return None if milliseconds is None else duration_bin(milliseconds / MILLISECONDS)
