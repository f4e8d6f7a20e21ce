"""Flags as the API shows them."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from services.metrics.flags.state import FlagState
from services.metrics.quotes import Evidence
from shared.domain.conversation import Channel
from shared.domain.flag import FlagKind, Severity


class FlagSort(StrEnum):
    """The order of the queue."""

    NEWEST = "newest"
    SEVERITY = "severity"


class StateFilter(StrEnum):
    """Which flags are listed."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DISMISSED = "dismissed"
    ANY = "any"


class FlagItem(BaseModel):
    """A risk found in a conversation, to be looked at by a person."""

    id: str = Field(description="The flag's id.", examples=["0f0e7c9a-52ba-5d0e-a3ae-6f2c1d1f3f55"])
    conversation_id: str = Field(description="Where it was found.", examples=["5f0c1e2d"])
    kind: FlagKind = Field(description="Which risk.", examples=["churn"])
    severity: Severity = Field(description="How soon a person should look at it.", examples=["high"])
    confidence: float = Field(description="Calibrated probability, 0..1.", examples=[0.93])
    state: FlagState = Field(description="What people made of it so far.", examples=["open"])
    raised_at: datetime = Field(
        description="When it was raised; again when a new message proved it after a person's decision.",
        examples=["2026-03-02T09:00:04Z"],
    )
    withdrawn_at: datetime | None = Field(
        description="Since when no review finds it any more; only where a person had decided on it.",
        examples=[None],
    )
    changed_at: datetime | None = Field(
        description="When a person decided; null while open.", examples=["2026-03-02T09:10:00Z"]
    )
    changed_by: str | None = Field(description="The id of the API key that decided.", examples=["key_3f"])
    source: str | None = Field(description="The helpdesk's vendor.", examples=["zendesk"])
    external_id: str | None = Field(description="The conversation's id at the helpdesk.", examples=["48213"])
    channel: Channel | None = Field(description="How the conversation came.", examples=["email"])
    language: str | None = Field(description="Of the conversation, ISO 639-1.", examples=["de"])
    agent: str | None = Field(description="Who works on it.", examples=["Ines Roth"])
    team: str | None = Field(description="Whose conversation it is.", examples=["Billing"])
    evidence: list[Evidence] = Field(description="The words that show it.")


class FlagDecision(BaseModel):
    """What a person makes of a flag."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"state": "acknowledged"}]})

    state: FlagState = Field(
        description="`acknowledged`: seen and handled. `dismissed`: not a risk. `open`: back in the queue.",
        examples=["acknowledged"],
    )
