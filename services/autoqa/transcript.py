"""A conversation with what the model said of it: what categories and flags are derived from.

Internal notes and system messages are left out. Deleted messages, bots' messages and those without words
stand in their place, since they count as answers, but nothing is judged by them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.autoqa.predictions import AgentPrediction, CustomerPrediction, Prediction, Span
from shared.domain.conversation import Channel, Conversation, Message, Role
from shared.domain.evidence import EvidenceSpan

__all__ = [
    "AbuseCheck",
    "AgentMessage",
    "CustomerMessage",
    "Transcript",
    "Turn",
    "UnreadMessage",
    "span_of",
    "transcript_of",
    "waited",
    "whole",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbuseCheck:
    """An agent's message read as if a customer had written it: how abusive, and by which sentence."""

    probability: float
    evidence: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerMessage:
    """Words of the customer."""

    message: Message
    prediction: CustomerPrediction

    @property
    def role(self) -> Role:
        """The customer."""
        return Role.CUSTOMER


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentMessage:
    """Words of a human agent; `abuse` where the tone asked for a second look."""

    message: Message
    prediction: AgentPrediction
    abuse: AbuseCheck | None = None

    @property
    def role(self) -> Role:
        """An agent."""
        return Role.AGENT


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadMessage:
    """A bot's message, or one of a person without words: an attachment, or deleted since."""

    message: Message

    @property
    def role(self) -> Role:
        """Whoever spoke."""
        return self.message.role


Turn = CustomerMessage | AgentMessage | UnreadMessage


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """`turns` in the order of the conversation. `is_final`: nothing more is expected to be said.

    `is_timed` is False where the times of messages are not known and must not be judged.
    """

    turns: tuple[Turn, ...]
    channel: Channel | None = None
    language: str | None = None
    is_final: bool = True
    is_timed: bool = True

    @property
    def customers(self) -> tuple[CustomerMessage, ...]:
        """What customers said."""
        return tuple(turn for turn in self.turns if isinstance(turn, CustomerMessage))

    @property
    def agents(self) -> tuple[AgentMessage, ...]:
        """What human agents said."""
        return tuple(turn for turn in self.turns if isinstance(turn, AgentMessage))

    def place_of(self, turn: Turn) -> int:
        """Index of `turn` in `turns`."""
        return next(place for place, other in enumerate(self.turns) if other is turn)

    def agents_after(self, place: int) -> tuple[AgentMessage, ...]:
        """What human agents said after `turns[place]`."""
        return tuple(turn for turn in self.turns[place + 1 :] if isinstance(turn, AgentMessage))


def transcript_of(
    conversation: Conversation,
    predictions: Mapping[str, Prediction],
    *,
    is_final: bool,
    abuse: Mapping[str, AbuseCheck] | None = None,
    is_timed: bool = True,
) -> Transcript:
    """Join messages with their `predictions` by message id. A message without one stays unread."""
    checks = abuse or {}
    turns: list[Turn] = []
    for message in conversation.messages:
        prediction = predictions.get(message.id)
        if message.role is Role.CUSTOMER and isinstance(prediction, CustomerPrediction):
            turns.append(CustomerMessage(message=message, prediction=prediction))
        elif message.role is Role.AGENT and isinstance(prediction, AgentPrediction):
            turns.append(AgentMessage(message=message, prediction=prediction, abuse=checks.get(message.id)))
        elif message.role in (Role.CUSTOMER, Role.AGENT, Role.BOT):
            turns.append(UnreadMessage(message=message))
    return Transcript(
        turns=tuple(turns),
        channel=conversation.channel,
        language=conversation.language,
        is_final=is_final,
        is_timed=is_timed,
    )


def span_of(message: Message, span: Span) -> EvidenceSpan:
    """`span` of `message`, kept inside its text."""
    length = len(message.text)
    start = min(max(span.start, 0), length)
    return EvidenceSpan(message_id=message.id, start=start, end=min(max(span.end, start), length))


_MAX_SEARCHED = 20


def whole(messages: Iterable[Message]) -> tuple[EvidenceSpan, ...]:
    """The messages that were searched, whole; the first 20 that have words."""
    spans = [EvidenceSpan(message_id=m.id, start=0, end=len(m.text)) for m in messages if m.text]
    return tuple(spans[:_MAX_SEARCHED])


def waited(earlier: datetime, later: datetime) -> timedelta:
    """Time between two messages, never below zero."""
    return max(later - earlier, timedelta())
