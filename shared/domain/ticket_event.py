"""What a helpdesk says happened to one ticket, in no vendor's words.

A key that is absent from the facts means that the payload says nothing of it, so nothing is overwritten;
`None` means that it is known to be empty. That is why the facts are mappings and not classes.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NotRequired, Required, TypedDict

from shared.domain.conversation import Channel, Role, Status

DESCRIPTION_ID_PREFIX: Final = "desc-"
"""Begins the id of a message that is the ticket's description where the helpdesk gives it no id of its own;
the same text may come once more as a message, and then the description steps back."""


class EventKind(StrEnum):
    """The kinds of ticket event."""

    CONVERSATION_CREATED = "conversation.created"
    MESSAGE_ADDED = "message.added"
    MESSAGE_UPDATED = "message.updated"
    MESSAGE_DELETED = "message.deleted"
    CONVERSATION_STATUS_CHANGED = "conversation.status_changed"
    CONVERSATION_ASSIGNED = "conversation.assigned"
    CONVERSATION_UPDATED = "conversation.updated"
    CONVERSATION_MERGED = "conversation.merged"
    CONVERSATION_DELETED = "conversation.deleted"
    CSAT_RECEIVED = "csat.received"
    PING = "ping"


class Team(TypedDict, total=False):
    """A group of agents."""

    id: str | None
    name: str | None


class Person(TypedDict, total=False):
    """An agent, bot or customer."""

    id: str | None
    name: str | None
    email: str | None
    kind: str | None


class Survey(TypedDict, total=False):
    """An answer to a survey: `score` on our scale, `raw` in the vendor's words."""

    score: Required[float]
    raw: str | int | float | None
    comment: str | None
    at: datetime | None


class ConversationFacts(TypedDict, total=False):
    """What the event says of the conversation."""

    id: Required[str]
    number: str | None
    channel: Channel | None
    channel_raw: str | None
    subject: str | None
    language: str | None
    status: Status | None
    status_raw: str | None
    priority: str | None
    tags: list[str]
    team: Team | None
    assignee: Person | None
    customer: Person | None
    created_at: datetime | None
    updated_at: datetime | None
    first_reply_at: datetime | None
    solved_at: datetime | None
    csat: Survey | None
    nps: Survey | None
    ces: Survey | None
    sla: dict[str, str | None] | None
    merged_into: str | None


class MessageFacts(TypedDict):
    """What the event says of one message; `text` is plain, `quoted_text` the trail that was cut off."""

    id: str
    role: NotRequired[Role]
    at: NotRequired[datetime]
    text: NotRequired[str]
    html: NotRequired[str | None]
    quoted_text: NotRequired[str | None]
    author: NotRequired[Person | None]
    deleted: NotRequired[bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class TicketEvent:
    """One fact from a helpdesk about one conversation.

    `delivery_id` names the delivery where the helpdesk gives one. `needs_fetch` says that the payload
    leaves something out that only the helpdesk's REST interface could tell.
    """

    source: str
    account_id: str | None
    delivery_id: str | None
    kind: EventKind
    source_event: str | None
    occurred_at: datetime | None
    conversation: ConversationFacts
    messages: tuple[MessageFacts, ...] = ()
    needs_fetch: bool = False
