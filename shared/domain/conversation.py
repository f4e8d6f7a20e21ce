"""A conversation as everybody after ingest sees it: the fold of one ticket's events."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Role(StrEnum):
    """Who speaks. A note is an agent's internal remark: never shown to the customer, never scored."""

    CUSTOMER = "customer"
    AGENT = "agent"
    BOT = "bot"
    SYSTEM = "system"
    NOTE = "note"


class Channel(StrEnum):
    """The way the conversation came."""

    EMAIL = "email"
    FORM = "form"
    CHAT = "chat"
    MESSAGING = "messaging"
    SOCIAL = "social"
    PHONE = "phone"


class Status(StrEnum):
    """Where the ticket stands at the helpdesk."""

    NEW = "new"
    OPEN = "open"
    PENDING = "pending"
    ON_HOLD = "on_hold"
    SNOOZED = "snoozed"
    SOLVED = "solved"
    CLOSED = "closed"
    MERGED = "merged"
    DELETED = "deleted"
    SPAM = "spam"

    @property
    def is_finished(self) -> bool:
        """The helpdesk considers the work done."""
        return self in (Status.SOLVED, Status.CLOSED)

    @property
    def is_eligible(self) -> bool:
        """Worth rating: merged, deleted and spam tickets are not."""
        return self not in (Status.MERGED, Status.DELETED, Status.SPAM)


class SurveyKind(StrEnum):
    """Customer satisfaction 1..5, net promoter score 0..10, customer effort score 1..7."""

    CSAT = "csat"
    NPS = "nps"
    CES = "ces"


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyAnswer:
    """What a customer answered; `comment` is the customer's text and stays in ingest."""

    kind: SurveyKind
    score: float
    comment: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; `text` is plain, without quoted trail, and empty once deleted."""

    id: str
    role: Role
    at: datetime
    text: str
    language: str | None = None
    author_id: str | None = None
    author_name: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A ticket with its messages, ordered by (at, id)."""

    id: str
    source: str
    external_id: str
    messages: tuple[Message, ...]
    version: int = 1
    channel: Channel | None = None
    language: str | None = None
    status: Status = Status.OPEN
    agent: str | None = None
    team: str | None = None
    tags: tuple[str, ...] = ()
    opened_at: datetime | None = None
    solved_at: datetime | None = None
    surveys: Mapping[SurveyKind, SurveyAnswer] = field(default_factory=dict)
