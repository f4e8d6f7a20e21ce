"""Payload of `conversations-scored`: what was found in one version of a conversation. Spans, never text."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

from shared.domain.flag import FlagKind, Severity
from shared.domain.labels import Resolved
from shared.domain.review import Outcome, ReviewState

TYPE: Final = "com.pruefstein.conversation.scored.v1"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class EvidenceSpanV1(_Frozen):
    """Half-open code points of one message."""

    message_id: str
    start: int
    end: int


class RatingV1(_Frozen):
    """One category's answer."""

    category: str
    outcome: Outcome
    score: float | None
    confidence: float
    evidence: list[EvidenceSpanV1]
    reason: str | None = None


class FlagV1(_Frozen):
    """One risk."""

    kind: FlagKind
    severity: Severity
    confidence: float
    evidence: list[EvidenceSpanV1]


class SentimentV1(_Frozen):
    """Customer sentiment along the conversation, -1..1."""

    start: float
    end: float
    lowest: float
    trend: float


class ResolvedV1(_Frozen):
    """The likeliest label with its probability."""

    label: Resolved
    probability: float


class ScorecardV1(_Frozen):
    """Which scorecard was filled."""

    id: str
    version: int


class ConversationScored(_Frozen):
    """One review. `round` counts reviews of a conversation from 1: a reopening starts the next."""

    tenant_id: str
    conversation_id: str
    version: int
    round: int
    state: ReviewState
    scorecard: ScorecardV1
    model_revision: str
    score: float | None
    ratings: list[RatingV1]
    flags: list[FlagV1]
    sentiment: SentimentV1 | None
    predicted_csat: float | None
    resolved: ResolvedV1 | None
    scored_at: datetime
