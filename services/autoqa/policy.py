"""The numbers that ratings and flags are decided by. A change of any of them changes scores."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from shared.domain.conversation import Channel
from shared.domain.labels import MessageFlag
from shared.domain.scorecard import CategoryId

__all__ = ["Policy", "Waits"]

_CHAT: Final = timedelta(minutes=5)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Waits(_Part):
    """How long a customer may wait for a person's answer, by channel, nights and weekends included."""

    chat: timedelta = _CHAT
    """Live chat."""
    messaging: timedelta = _HOUR
    """WhatsApp, Messenger, in-app messages."""
    social: timedelta = 4 * _HOUR
    """Public posts and their comments."""
    email: timedelta = _DAY
    """Mail."""
    form: timedelta = _DAY
    """Web forms."""
    phone: timedelta = _CHAT
    """Used for the unanswered flag alone: a call's transcript is not judged for its pauses."""
    unknown: timedelta = _DAY
    """Where the channel is not known."""

    def of(self, channel: Channel | None) -> timedelta:
        """For one channel."""
        wait: timedelta = getattr(self, channel or "unknown")
        return wait


class Policy(_Part):
    """Thresholds over calibrated probabilities, 0..1, and over counted things."""

    confidence_floor: float = Field(default=0.6, ge=0.5, le=1)
    """An answer less sure than this is `unsure` and leaves the score; the weights ask for more where more
    is needed for 95 % right answers."""
    confidence_floors: Mapping[CategoryId, float] = {}
    """Floors of single categories, in place of that and of the weights' own."""
    flag_threshold: float = Field(default=0.5, ge=0, le=1)
    """A message's flag counts from this probability on."""
    flag_thresholds: Mapping[MessageFlag, float] = {}
    """Thresholds of single flags, where they differ."""
    unanswered_threshold: float = Field(default=0.35, ge=0, le=1)
    """The last customer message needed an answer from this probability on."""
    agent_abuse_threshold: float = Field(default=0.5, ge=0, le=1)
    """An agent is abusive from this probability on."""
    abuse_check_from: float = Field(default=0.25, ge=0, le=1)
    """An agent's message whose tone is poor with this probability is read once more for abuse."""
    trouble_threshold: float = Field(default=0.5, ge=0, le=1)
    """A customer in trouble is owed empathy from this probability on."""
    poor_tone_threshold: float = Field(default=0.5, ge=0, le=1)
    """One agent message whose tone is poor with this probability fails the tone."""
    misspelt_ratio: float = Field(default=0.03, gt=0, lt=1)
    """Share of misspelt words up to which grammar passes."""
    min_words: int = Field(default=8, ge=1)
    """Fewer words than this say nothing about spelling."""
    min_words_readability: int = Field(default=25, ge=1)
    """Fewer words than this have no reading ease."""
    reading_ease: float = 45.0
    """Flesch (English) or Amstad (German) points from which agents' texts are readable enough."""
    repeated_similarity: float = Field(default=0.6, ge=0, le=1)
    """Two questions whose letter trigrams overlap this much (Dice) are the same question."""
    first_response: Waits = Waits()
    """For the first human answer."""
    next_response: Waits = Waits()
    """For every later one."""
    idle_after: timedelta = timedelta(hours=72)
    """A conversation in which nothing was said for this long is judged as finished."""

    def floor(self, category: str) -> float:
        """From which confidence on an answer of `category` counts, a company's own included."""
        floors: Mapping[str, float] = {str(known): floor for known, floor in self.confidence_floors.items()}
        return floors.get(category, self.confidence_floor)

    def with_floors(self, measured: Mapping[CategoryId, float]) -> "Policy":
        """The policy with `measured` floors, where they are higher and none was set for the category."""
        floors = {category: max(floor, self.confidence_floor) for category, floor in measured.items()}
        return self.model_copy(update={"confidence_floors": {**floors, **self.confidence_floors}})

    def threshold(self, flag: MessageFlag) -> float:
        """From which probability on `flag` counts."""
        return self.flag_thresholds.get(flag, self.flag_threshold)
