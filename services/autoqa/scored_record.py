"""`conversations-scored`: tells the others what was found. Scores and spans, never text."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import orjson

from shared.broker.record import Outgoing
from shared.contracts import topics
from shared.contracts.envelope import Envelope
from shared.contracts.v1.conversation_scored import (
    TYPE,
    ConversationScored,
    EvidenceSpanV1,
    FlagV1,
    RatingV1,
    ResolvedV1,
    ScorecardV1,
    SentimentV1,
)
from shared.domain.evidence import EvidenceSpan
from shared.domain.review import Review

__all__ = ["Publishable", "scored_payload", "scored_record", "spans"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishable:
    """A review as it is stored, to be told; `key` is that of the record it answers."""

    key: bytes
    tenant_id: str
    conversation_id: str
    version: int
    round: int
    review: Review
    scored_at: datetime


def scored_payload(found: Publishable) -> ConversationScored:
    """The contract's shape."""
    review = found.review
    return ConversationScored(
        tenant_id=found.tenant_id,
        conversation_id=found.conversation_id,
        version=found.version,
        round=found.round,
        state=review.state,
        scorecard=ScorecardV1(id=review.scorecard_id, version=review.scorecard_version),
        model_revision=review.model_revision,
        score=review.score,
        ratings=[
            RatingV1(
                category=rating.category,
                outcome=rating.outcome,
                score=rating.score,
                confidence=rating.confidence,
                evidence=spans(rating.evidence),
                reason=rating.reason,
            )
            for rating in review.ratings
        ],
        flags=[
            FlagV1(
                kind=flag.kind,
                severity=flag.severity,
                confidence=flag.confidence,
                evidence=spans(flag.evidence),
            )
            for flag in review.flags
        ],
        sentiment=None
        if review.sentiment is None
        else SentimentV1(
            start=review.sentiment.start,
            end=review.sentiment.end,
            lowest=review.sentiment.lowest,
            trend=review.sentiment.trend,
        ),
        predicted_csat=review.predicted_csat,
        resolved=None
        if review.resolved is None
        else ResolvedV1(label=review.resolved.label, probability=review.resolved.probability),
        scored_at=found.scored_at,
    )


def spans(evidence: Sequence[EvidenceSpan]) -> list[EvidenceSpanV1]:
    """In the contract's shape."""
    return [EvidenceSpanV1(message_id=e.message_id, start=e.start, end=e.end) for e in evidence]


def scored_record(found: Publishable) -> Outgoing:
    """CloudEvents in binary mode. The id stays the same as long as nothing new was found."""
    value, headers = Envelope(
        id=f"{found.conversation_id}:{found.round}:{found.scored_at.isoformat()}",
        source="/autoqa",
        type=TYPE,
        subject=found.conversation_id,
        extensions={"tenantid": found.tenant_id},
        data=orjson.dumps(scored_payload(found).model_dump(mode="json")),
    ).to_kafka()
    return Outgoing(topic=topics.CONVERSATIONS_SCORED, key=found.key, value=value, headers=headers)
