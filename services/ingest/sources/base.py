"""What every helpdesk source can do. All of it is pure: bytes and headers in, values out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from shared.domain.ticket_event import TicketEvent

Headers = Mapping[str, str]
"""HTTP headers with lower-case names."""

REPLAY_WINDOW = timedelta(seconds=300)
"""How far a signed timestamp may lie from now, where the vendor signs one."""


class Disposition(StrEnum):
    """What is to be done with a verified delivery."""

    EVENT = "event"
    PING = "ping"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance:
    """The little that the door must know of a delivery, read without touching message bodies.

    `external_id` is the conversation's id at the helpdesk; it is present when `disposition` is EVENT.
    `delivery_id` is the vendor's key for duplicates, None where it has none.
    """

    disposition: Disposition
    source_event: str | None = None
    account_id: str | None = None
    external_id: str | None = None
    delivery_id: str | None = None
    occurred_at: datetime | None = None


class Source(Protocol):
    """One helpdesk vendor."""

    @property
    def name(self) -> str:
        """The vendor's word in events and on the command line, e.g. `zendesk`."""
        ...

    @property
    def kept_headers(self) -> tuple[str, ...]:
        """Lower-case names of the headers that `parse` needs besides the body."""
        ...

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """Check the signature over the raw bytes in constant time, and the replay window.

        Raises `Unauthenticated` when it is missing, wrong or too old.
        """
        ...

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Tell where a decoded JSON body belongs. Raises `Rejected` where that cannot be told."""
        ...

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """The canonical events of a decoded JSON body.

        A ping gives one event of kind PING, an unknown type none.

        Raises `Rejected` (never KeyError, TypeError and the like) for a body that breaks the contract.
        """
        ...
