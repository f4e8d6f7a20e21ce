"""Conversations as the API shows them."""

from datetime import datetime

from pydantic import BaseModel, Field

from services.metrics.flags.state import FlagState
from services.metrics.quotes import Evidence
from shared.domain.conversation import Channel, Role, Status, SurveyKind
from shared.domain.flag import FlagKind, Severity
from shared.domain.labels import Resolved
from shared.domain.review import Outcome, ReviewState


class ConversationItem(BaseModel):
    """A conversation in a list."""

    id: str = Field(
        description="The conversation's id here.", examples=["5f0c1e2d-9b61-5c0e-8a53-0d0f6ad1c0de"]
    )
    source: str = Field(description="The helpdesk's vendor.", examples=["zendesk"])
    external_id: str = Field(description="Its id at the helpdesk.", examples=["48213"])
    channel: Channel | None = Field(description="How it came; null where unknown.", examples=["email"])
    language: str | None = Field(description="ISO 639-1; null where unknown.", examples=["de"])
    status: Status = Field(description="Where it stands at the helpdesk.", examples=["solved"])
    agent: str | None = Field(description="Name, or id where no name is known.", examples=["Ines Roth"])
    team: str | None = Field(description="Name, or id where no name is known.", examples=["Billing"])
    tags: list[str] = Field(description="The helpdesk's tags.", examples=[["refund"]])
    opened_at: datetime = Field(description="When it began.", examples=["2026-03-02T09:00:00Z"])
    solved_at: datetime | None = Field(
        description="When it was (last) solved; null while it is not.", examples=["2026-03-02T11:30:00Z"]
    )
    message_count: int = Field(description="Messages, internal notes included.", examples=[6])
    score: float | None = Field(
        description="Automatic score in percent; null while there is none or nothing could be rated.",
        examples=[87.5],
    )
    review: ReviewState | None = Field(
        description="`provisional` while the conversation goes on, `final` after; null before the first.",
        examples=["final"],
    )
    flags: list[FlagKind] = Field(description="Risks that the review found.", examples=[["churn"]])


class MessageSentiment(BaseModel):
    """What a customer's message feels."""

    label: str = Field(description="The likeliest.", examples=["negative"])
    score: float = Field(description="p(positive) - p(negative), -1..1.", examples=[-0.83])
    probabilities: dict[str, float] = Field(
        description="Of each label.", examples=[{"negative": 0.9, "neutral": 0.03, "positive": 0.07}]
    )


class MessageTone(BaseModel):
    """How an agent's message sounds."""

    label: str = Field(description="The likeliest.", examples=["good"])
    probabilities: dict[str, float] = Field(
        description="Of each label.", examples=[{"good": 0.8, "acceptable": 0.15, "poor": 0.05}]
    )


class TranscriptMessage(BaseModel):
    """A message with what the model said of it; null where it was not asked."""

    id: str = Field(description="Unique in the conversation.", examples=["m1"])
    role: Role = Field(description="Who speaks; `note` is internal.", examples=["customer"])
    at: datetime = Field(description="When it was sent.", examples=["2026-03-02T09:00:00Z"])
    text: str = Field(
        description="Plain text without quoted trail; empty once deleted.", examples=["Where is my refund?"]
    )
    deleted: bool = Field(description="Its text was removed at the helpdesk.", examples=[False])
    language: str | None = Field(description="ISO 639-1; null where unknown.", examples=["en"])
    sentiment: MessageSentiment | None = Field(default=None, description="Customer messages only.")
    flags: dict[str, float] | None = Field(
        default=None,
        description="Customer messages only: calibrated probability of each risk.",
        examples=[{"churn": 0.93}],
    )
    signals: dict[str, float] | None = Field(
        default=None,
        description="Agent messages only: calibrated probability of each thing it does.",
        examples=[{"greeting": 0.99}],
    )
    tone: MessageTone | None = Field(default=None, description="Agent messages only.")
    abuse: float | None = Field(
        default=None,
        description="Agent messages only: calibrated probability of abuse, where it was looked at.",
        examples=[0.01],
    )
    evidence: dict[str, Evidence] | None = Field(
        default=None,
        description="By answer of the model, the words of this message that weighed most.",
        examples=[
            {
                "churn": {
                    "message_id": "m1",
                    "start": 4,
                    "end": 47,
                    "quote": "I am going to cancel my contract",
                }
            }
        ],
    )


class Rating(BaseModel):
    """One category's answer."""

    category: str = Field(description="The scorecard's category.", examples=["greeting"])
    outcome: Outcome = Field(
        description="`not_applicable`: no opportunity. `unsure`: could not tell; neither lowers the score.",
        examples=["passed"],
    )
    score: float | None = Field(description="0..1 where passed or failed, else null.", examples=[1.0])
    confidence: float = Field(description="Calibrated probability of the outcome, 0..1.", examples=[0.99])
    reason: str | None = Field(default=None, description="Why, in one word.", examples=["no_opportunity"])
    evidence: list[Evidence] = Field(description="The words that show it.")


class ConversationFlag(BaseModel):
    """A risk found in the conversation."""

    id: str = Field(description="For `PATCH /v1/flags/{id}`.", examples=["0f0e7c9a"])
    kind: FlagKind = Field(description="Which risk.", examples=["churn"])
    severity: Severity = Field(description="How soon a person should look at it.", examples=["high"])
    confidence: float = Field(description="Calibrated probability, 0..1.", examples=[0.93])
    state: FlagState = Field(description="What people made of it so far.", examples=["open"])
    raised_at: datetime = Field(description="When it was (last) raised.", examples=["2026-03-02T09:00:04Z"])
    evidence: list[Evidence] = Field(description="The words that show it.")


class SentimentPath(BaseModel):
    """Customer sentiment along the conversation, each p(positive) - p(negative) in -1..1."""

    start: float = Field(description="Of the first customer message.", examples=[-0.8])
    end: float = Field(description="Of the last customer message.", examples=[0.4])
    lowest: float = Field(description="The lowest of all.", examples=[-0.8])
    trend: float = Field(description="end - start, -2..2.", examples=[1.2])


class ResolvedGuess(BaseModel):
    """Whether the customer's problem is solved by the end."""

    label: Resolved = Field(description="The likeliest.", examples=["yes"])
    probability: float = Field(description="Of the label, 0..1.", examples=[0.8])


class Survey(BaseModel):
    """What the customer answered."""

    kind: SurveyKind = Field(description="`csat` 1..5, `nps` 0..10, `ces` 1..7.", examples=["csat"])
    score: float = Field(description="The answer.", examples=[4])
    comment: str | None = Field(description="The customer's words.", examples=["Quick and friendly"])
    answered_at: datetime | None = Field(
        description="When; null where unknown.", examples=["2026-03-02T12:00:00Z"]
    )


class ScorecardName(BaseModel):
    """An immutable version of a scorecard."""

    id: str = Field(description="Which scorecard.", examples=["default"])
    version: int = Field(description="Which version of it.", examples=[1])


class ConversationDetail(ConversationItem):
    """A conversation with its transcript and everything derived from it."""

    flags: list[ConversationFlag] = Field(  # type: ignore[assignment]  # the list shows the kinds alone
        description="Risks that the review found."
    )
    messages: list[TranscriptMessage] = Field(description="In the order of time.")
    ratings: list[Rating] = Field(description="Of the current review; empty before the first.")
    sentiment: SentimentPath | None = Field(description="Null without customer messages.")
    predicted_csat: float | None = Field(
        description="The CSAT the customer would most plausibly give, 1..5.", examples=[4.1]
    )
    resolved: ResolvedGuess | None = Field(description="Null before the first review.")
    surveys: list[Survey] = Field(description="What the customer answered.")
    model_revision: str | None = Field(
        description="The model that read it; null before.", examples=["2026-11-a1b2c3"]
    )
    scorecard: ScorecardName | None = Field(description="The scorecard that was filled; null before.")
