"""Grammar and spelling of the agents' texts: the share of words that are wrong."""

import math
from typing import Final

from services.autoqa.categories.verdict import not_applicable, unsure, verdict
from services.autoqa.policy import Policy
from services.autoqa.proofreading import Proofreader, WrittenIn
from services.autoqa.transcript import Transcript, span_of, whole
from shared.domain.review import Rating
from shared.domain.scorecard import CategoryId

_PRIOR_WORDS: Final = 50
"""Clean words granted before the first one is read, so that one slip in a short chat condemns nobody."""


def rate_grammar(transcript: Transcript, policy: Policy, proofread: Proofreader) -> Rating:
    """Passes while the true share of errors is likely below `policy.misspelt_ratio`.

    The score falls from 1 without an error to 0 at twice that share. Unsure where the language is not
    German or English, or there are too few words.
    """
    agents = transcript.agents
    if not agents:
        return not_applicable(CategoryId.GRAMMAR, "no_agent_message")
    searched = whole(turn.message for turn in agents)
    words, found = 0, []
    is_known = False
    for turn in agents:
        language = written_in(turn.message.language) or written_in(transcript.language)
        if language is None:
            continue
        is_known = True
        read = proofread(turn.message.text, language)
        words += read.words
        found += [span_of(turn.message, span) for span in read.errors]
    if not is_known:
        return unsure(CategoryId.GRAMMAR, 0.5, "language_unknown", searched)
    if words < policy.min_words:
        return unsure(CategoryId.GRAMMAR, 0.5, "too_short", searched)
    share = len(found) / words
    probability = probability_below(policy.misspelt_ratio, errors=len(found), words=words)
    return verdict(
        CategoryId.GRAMMAR,
        probability,
        policy=policy,
        found=tuple(found[:20]) or searched,
        searched=tuple(found[:20]) or searched,
        score=max(0.0, 1 - share / (2 * policy.misspelt_ratio)),
        reason="misspelt" if probability < 0.5 else None,
    )


def written_in(language: str | None) -> WrittenIn | None:
    """German or English, whatever the region; None for every other language."""
    match (language or "")[:2].lower():
        case "de":
            return "de"
        case "en":
            return "en"
    return None


def probability_below(ratio: float, *, errors: int, words: int) -> float:
    """Probability that the true share of errors lies below `ratio`, for a Beta(1, 50) prior.

    The Beta distribution's function with whole parameters is a binomial tail: I_t(a, b) =
    P(Bin(a + b - 1, t) >= a) (Abramowitz & Stegun 26.5.24).
    """
    a, b = errors + 1, words - errors + _PRIOR_WORDS
    n = a + b - 1
    below = sum(
        math.exp(
            math.lgamma(n + 1)
            - math.lgamma(k + 1)
            - math.lgamma(n - k + 1)
            + k * math.log(ratio)
            + (n - k) * math.log1p(-ratio)
        )
        for k in range(a)
    )
    return min(1.0, max(0.0, 1 - below))
