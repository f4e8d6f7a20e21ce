"""The one way from a probability to an outcome, shared by all categories."""

from services.autoqa.policy import Policy
from shared.domain.evidence import EvidenceSpan
from shared.domain.review import Outcome, Rating

__all__ = ["not_applicable", "unsure", "verdict"]


def verdict(
    category: str,
    probability: float,
    *,
    policy: Policy,
    found: tuple[EvidenceSpan, ...],
    searched: tuple[EvidenceSpan, ...],
    score: float | None = None,
    reason: str | None = None,
) -> Rating:
    """Passed from `probability` 0.5 on, proved by `found`; else failed, proved by what was `searched`.

    `score` 0..1 grades it; else passed is 1 and failed is 0. Below the floor it is unsure.
    """
    passed = probability >= 0.5
    confidence = round(probability if passed else 1 - probability, 4)
    evidence = (found or searched) if passed else searched
    if confidence < policy.floor(category):
        return unsure(category, confidence, "low_confidence", evidence)
    return Rating(
        category=category,
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        score=round(score, 4) if score is not None else float(passed),
        confidence=confidence,
        evidence=evidence,
        reason=reason,
    )


def unsure(category: str, confidence: float, reason: str, evidence: tuple[EvidenceSpan, ...]) -> Rating:
    """Could not tell; `confidence` is that of the likelier answer."""
    return Rating(
        category=category,
        outcome=Outcome.UNSURE,
        score=None,
        confidence=round(confidence, 4),
        evidence=evidence,
        reason=reason,
    )


def not_applicable(
    category: str,
    reason: str,
    *,
    confidence: float = 1.0,
    evidence: tuple[EvidenceSpan, ...] = (),
) -> Rating:
    """There was no opportunity; `reason` says why, `confidence` how sure that is."""
    return Rating(
        category=category,
        outcome=Outcome.NOT_APPLICABLE,
        score=None,
        confidence=round(confidence, 4),
        evidence=evidence,
        reason=reason,
    )
