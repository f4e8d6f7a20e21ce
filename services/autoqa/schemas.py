"""What `POST /v1/score` and `score` take and answer. The names of the fields are fixed."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from shared.contracts.instants import parse_instant
from shared.contracts.v1.conversation_scored import EvidenceSpanV1
from shared.domain.conversation import Channel, Role, Status
from shared.domain.flag import FlagKind, Severity
from shared.domain.labels import MessageFlag, Resolved, Sentiment, Signal, Tone
from shared.domain.review import Outcome, ReviewState

MAX_MESSAGES = 500

_Id = Annotated[str, StringConstraints(min_length=1, max_length=256)]
_Instant = Annotated[datetime, BeforeValidator(parse_instant)]
_Share = Annotated[float, Field(ge=0, le=1)]


class MessageIn(BaseModel):
    """One message of the conversation to be rated."""

    model_config = ConfigDict(extra="ignore")

    id: _Id | None = Field(default=None, description="Its id; `m1`, `m2`, ... when absent.", examples=["m1"])
    role: Role = Field(description="Who speaks. Notes and system messages are never rated.")
    at: _Instant | None = Field(
        default=None,
        description="When it was written, UTC without offset. If any is missing, timeliness is not judged.",
        examples=["2026-03-02T09:14:00+01:00"],
    )
    text: str = Field(description="Plain text.", examples=["Wo bleibt meine Bestellung?"])
    language: str | None = Field(default=None, max_length=35, description="Its language, where it differs.")


class ConversationIn(BaseModel):
    """A conversation to be rated. Unknown fields, labels among them, are ignored."""

    model_config = ConfigDict(
        extra="ignore",
        json_schema_extra={
            "examples": [
                {
                    "id": "4711",
                    "language": "de",
                    "channel": "chat",
                    "messages": [
                        {"id": "m1", "role": "customer", "text": "Wo bleibt meine Bestellung? Ich kündige."},
                        {"id": "m2", "role": "agent", "text": "Guten Tag! Das Paket kommt morgen."},
                    ],
                }
            ]
        },
    )

    id: _Id | None = Field(default=None, description="Its id; comes back as `conversation_id`.")
    language: str | None = Field(
        default=None, max_length=35, description="Main language; found out when absent.", examples=["de"]
    )
    channel: Channel | None = Field(default=None, description="The way it came.")
    status: Status = Field(
        default=Status.CLOSED,
        description="Where the ticket stands. Closed by default: what is missing then counts as missing.",
    )
    messages: list[MessageIn] = Field(
        min_length=1, max_length=MAX_MESSAGES, description="In the order in which they were written."
    )


class SentimentOut(BaseModel):
    """The feeling that a customer's message expresses."""

    label: Sentiment = Field(description="The likeliest.")
    score: float = Field(ge=-1, le=1, description="p(positive) - p(negative).", examples=[-0.83])
    probabilities: dict[Sentiment, _Share] = Field(description="They sum to one.")


class ToneOut(BaseModel):
    """How an agent's message sounds."""

    label: Tone = Field(description="The likeliest.")
    probabilities: dict[Tone, _Share] = Field(description="They sum to one.")


class MessageOut(BaseModel):
    """What the model says of a message: of customers sentiment and flags, of agents signals and tone."""

    message_id: str = Field(description="Its id.")
    role: Role = Field(description="Who speaks; bots, notes and system messages have no more fields.")
    sentiment: SentimentOut | None = Field(default=None, description="Customers only.")
    flags: dict[MessageFlag, _Share] | None = Field(default=None, description="Customers only.")
    signals: dict[Signal, _Share] | None = Field(default=None, description="Agents only.")
    tone: ToneOut | None = Field(default=None, description="Agents only.")


class RatingOut(BaseModel):
    """One category's answer."""

    category: str = Field(description="Of the scorecard.", examples=["greeting"])
    outcome: Outcome = Field(
        description="`not_applicable`: there was no opportunity. `unsure`: a person should look. "
        "Neither lowers the score."
    )
    score: _Share | None = Field(description="Where it passed or failed.", examples=[1.0])
    confidence: _Share = Field(description="Probability that the outcome is right.", examples=[0.99])
    evidence: list[EvidenceSpanV1] = Field(
        description="Half-open ranges of code points: what proves it, or what was searched in vain."
    )
    reason: str | None = Field(default=None, description="Explains the outcome.", examples=["no_trouble"])


class FlagOut(BaseModel):
    """One risk."""

    kind: FlagKind = Field(description="What it is.")
    severity: Severity = Field(description="How soon a person should look.")
    confidence: _Share = Field(description="Its probability.", examples=[0.93])
    evidence: list[EvidenceSpanV1] = Field(description="The sentences that say so.")


class SentimentPathOut(BaseModel):
    """Customer sentiment along the conversation."""

    start: float = Field(ge=-1, le=1, description="Of the first customer message.")
    end: float = Field(ge=-1, le=1, description="Of the last one.")
    lowest: float = Field(ge=-1, le=1, description="The lowest in between.")
    trend: float = Field(ge=-2, le=2, description="`end - start`.")


class ResolvedOut(BaseModel):
    """Whether the customer's main problem is solved by the end."""

    label: Resolved = Field(description="The likeliest answer.")
    probability: _Share = Field(description="Its probability.")


class ScorecardOut(BaseModel):
    """Which scorecard was filled."""

    id: str = Field(examples=["default"], description="Its id.")
    version: int = Field(examples=[1], description="Its version.")


class ScoreOut(BaseModel):
    """A conversation's review."""

    conversation_id: str | None = Field(description="As it was sent.")
    language: str | None = Field(description="As it was sent, or found out.", examples=["de"])
    model_revision: str = Field(description="Equal revisions give equal answers.")
    scorecard: ScorecardOut = Field(description="What was filled.")
    state: ReviewState = Field(description="Final where the ticket is solved, closed or idle.")
    messages: list[MessageOut] = Field(description="All messages, in order.")
    ratings: list[RatingOut] = Field(description="One for each category.")
    flags: list[FlagOut] = Field(description="At most one of a kind.")
    sentiment: SentimentPathOut | None = Field(description="None where no customer spoke.")
    predicted_csat: float | None = Field(ge=1, le=5, description="Expected survey answer.", examples=[4.1])
    resolved: ResolvedOut | None = Field(description="None where no customer spoke.")
    score: float | None = Field(
        ge=0, le=100, description="Percent; none where nothing could be rated.", examples=[87.5]
    )
