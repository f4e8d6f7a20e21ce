"""What the model reads of a message and what it says of it. Customer and agent labels are different types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from shared.domain.conversation import Channel
from shared.domain.labels import MessageFlag, Sentiment, Signal, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Half-open range of code points of one message's text."""

    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierTurn:
    """A message said before the one that is read; bots count as agents."""

    role: Literal["customer", "agent"]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageInput:
    """One message as the model reads it, with its `context`: the turns before it, oldest first.

    `language` (a code like `de`, None where not known) chooses the confidence calibration alone.
    """

    role: Literal["customer", "agent"]
    channel: Channel | None
    text: str
    context: tuple[EarlierTurn, ...] = ()
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerPrediction:
    """Calibrated probabilities for a customer's message.

    `evidence` names for sentiment and each flag the sentence that weighed most, whatever the answer.
    """

    sentiment: Mapping[Sentiment, float]
    flags: Mapping[MessageFlag, float]
    sentiment_evidence: Span
    flag_evidence: Mapping[MessageFlag, Span]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentPrediction:
    """Calibrated probabilities for an agent's message, with the sentence that weighed most for each."""

    signals: Mapping[Signal, float]
    tone: Mapping[Tone, float]
    signal_evidence: Mapping[Signal, Span]
    tone_evidence: Span


Prediction = CustomerPrediction | AgentPrediction


class MessageModel(Protocol):
    """A runtime of the message model. Calls block and are thread-safe: run them off the event loop."""

    @property
    def revision(self) -> str:
        """Names weights and settings: equal revisions give equal predictions."""
        ...

    def token_counts(self, messages: Sequence[MessageInput]) -> list[int]:
        """Tokens that each message will cost, context included."""
        ...

    def predict(self, messages: Sequence[MessageInput]) -> list[Prediction]:
        """One prediction a message, in order. Never raises on content; an empty text gets an answer too."""
        ...
