"""A record as the rest of the code sees it; the client's types stop here."""

from dataclasses import dataclass
from datetime import datetime

Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One record read from a topic. `at` is the broker's timestamp: when it was taken in."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One record to be sent."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Headers = ()
