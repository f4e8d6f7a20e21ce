"""What the store takes and gives, beside conversations and reviews themselves."""

from dataclasses import dataclass
from datetime import datetime

from services.autoqa.scored_record import Publishable
from shared.domain.conversation import Conversation
from shared.domain.scorecard import Scorecard

__all__ = ["Judged", "Loaded", "Saved", "ScoredVersion", "Withdrawn"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """By which scorecard and model something was, or is to be, scored."""

    scorecard: Scorecard
    model_revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredVersion:
    """The newest version of a conversation that was looked at, by what, and whether it was told."""

    version: int
    scorecard_id: str
    scorecard_version: int
    model_revision: str
    published: bool

    def settles(self, version: int, judged: Judged) -> bool:
        """Nothing is left to be done for `version`."""
        return (
            self.published
            and self.version >= version
            and self.scorecard_id == judged.scorecard.id
            and self.scorecard_version == judged.scorecard.version
            and self.model_revision == judged.model_revision
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A conversation as ingest holds it; `key` is that of its records."""

    conversation: Conversation
    key: bytes
    reopen_count: int
    message_count: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A conversation that is not, or no longer, worth rating: its review and flags go."""

    conversation_id: str
    version: int
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What is to be told, and the kinds of the flags that were not there before."""

    publishable: tuple[Publishable, ...]
    new_flags: tuple[str, ...]
