"""What listeners are told: ids and figures, never text."""

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from services.metrics.flags.state import FlagState
from shared.domain.flag import FlagKind, Severity
from shared.domain.review import ReviewState

NOTIFY_CHANNEL: Final = "metrics_stream"
"""The channel of Postgres' NOTIFY that carries a `Notice` as JSON; delivered with the commit."""


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True)


class FlagRaised(_Event):
    """A flag is new, or open again."""

    event: Literal["flag.raised"] = "flag.raised"
    id: str = Field(description="The flag's id.", examples=["0f0e7c9a-52ba-5d0e-a3ae-6f2c1d1f3f55"])
    conversation_id: str = Field(description="Where it was found.", examples=["5f0c1e2d"])
    kind: FlagKind = Field(description="Which risk.", examples=["churn"])
    severity: Severity = Field(description="How soon a person should look at it.", examples=["high"])
    confidence: float = Field(description="Calibrated probability 0..1.", examples=[0.93])
    state: FlagState = Field(description="What people made of it so far.", examples=["open"])


class ReviewScored(_Event):
    """A conversation has a new or another review."""

    event: Literal["review.scored"] = "review.scored"
    id: str = Field(description="The review's id.", examples=["7b6a1f0e"])
    conversation_id: str = Field(description="Which conversation.", examples=["5f0c1e2d"])
    version: int = Field(description="The version of the conversation that was read.", examples=[4])
    state: ReviewState = Field(description="Provisional or final.", examples=["final"])
    score: float | None = Field(description="Percent, null where nothing could be rated.", examples=[87.5])


StreamEvent = FlagRaised | ReviewScored


class Notice(_Event):
    """An event on its way to the listeners of one tenant."""

    tenant_id: str
    event: StreamEvent = Field(discriminator="event")
