"""The only places where the present moment comes from."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time, always aware and in UTC."""

    def now(self) -> datetime:
        """The present moment."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime.now(UTC)


@dataclass(slots=True)
class FrozenClock:
    """Stands still until told otherwise."""

    at: datetime

    def now(self) -> datetime:
        """The moment it was set to."""
        return self.at

    def advance(self, by: timedelta) -> None:
        """Move on."""
        self.at += by
