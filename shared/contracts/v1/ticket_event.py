"""The canonical ticket event on the wire, version 1. Within it fields are only ever added.

Readers ignore unknown fields. An unknown `event` counts as an update, an unknown status or channel as null
with its raw word kept, an unknown role as `system`, which is never scored.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from shared.contracts.instants import parse_instant
from shared.contracts.plain_json import clean_text, decode_json
from shared.contracts.v1.ticket_event_json import ticket_event_json
from shared.domain.conversation import Channel, Role, Status
from shared.domain.ticket_event import ConversationFacts, EventKind, MessageFacts, TicketEvent
from shared.errors import Rejected

__all__ = ["TicketEventV1", "checked_ticket_event", "parse_ticket_event", "ticket_event_json"]

MAX_TEXT = 4 * 1024 * 1024
MAX_MESSAGES = 5000


def _identifier(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else _clean(value)


def _clean(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


def _instant(value: object) -> object:
    return value if isinstance(value, datetime) else parse_instant(value)


# Made once: walking through an enum costs more than all else that is done with an event.
_CHANNELS, _STATUSES, _ROLES, _EVENTS = (frozenset(kind) for kind in (Channel, Status, Role, EventKind))
_ENUMS = (("channel", _CHANNELS), ("status", _STATUSES))


def _known(words: frozenset[str]) -> BeforeValidator:
    def check(value: object) -> object:
        return value if not isinstance(value, str) or value in words else None

    return BeforeValidator(check)


def _role(value: object) -> object:
    return value if not isinstance(value, str) or value in _ROLES else Role.SYSTEM


def _event(value: object) -> object:
    return value if not isinstance(value, str) or value in _EVENTS else EventKind.CONVERSATION_UPDATED


Id = Annotated[str, BeforeValidator(_identifier), Field(min_length=1, max_length=256)]
Word = Annotated[str, BeforeValidator(_identifier), Field(max_length=512)]
Line = Annotated[str, BeforeValidator(_clean), Field(max_length=8192)]
Text = Annotated[str, BeforeValidator(_clean), Field(max_length=MAX_TEXT)]
Instant = Annotated[datetime, BeforeValidator(_instant)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)

    def told(self) -> dict[str, Any]:
        """Only what was written, so that an absent key stays absent."""
        return {name: _plain(getattr(self, name)) for name in self.model_fields_set}


def _plain(value: object) -> object:
    return value.told() if isinstance(value, _Model) else value


class TeamV1(_Model):
    """A group of agents."""

    id: Id | None = None
    name: Word | None = None


class PersonV1(_Model):
    """An agent, bot or customer."""

    id: Id | None = None
    name: Word | None = None
    email: Word | None = None
    kind: Word | None = None


class _SurveyV1(_Model):
    raw: Word | float | None = None
    comment: Text | None = None
    at: Instant | None = None


class CsatV1(_SurveyV1):
    """Customer satisfaction."""

    score: float = Field(ge=1, le=5)


class NpsV1(_SurveyV1):
    """Net promoter score."""

    score: float = Field(ge=0, le=10)


class CesV1(_SurveyV1):
    """Customer effort score."""

    score: float = Field(ge=1, le=7)


class ConversationV1(_Model):
    """What the event says of the conversation; absent means nothing is said, null means empty."""

    id: Id
    number: Word | None = None
    channel: Annotated[Channel | None, _known(_CHANNELS)] = None
    channel_raw: Word | None = None
    subject: Line | None = None
    language: Word | None = None
    status: Annotated[Status | None, _known(_STATUSES)] = None
    status_raw: Word | None = None
    priority: Word | None = None
    tags: list[Word] = Field(default_factory=list, max_length=1000)
    team: TeamV1 | None = None
    assignee: PersonV1 | None = None
    customer: PersonV1 | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    first_reply_at: Instant | None = None
    solved_at: Instant | None = None
    csat: CsatV1 | None = None
    nps: NpsV1 | None = None
    ces: CesV1 | None = None
    sla: dict[Word, Word | None] | None = Field(default=None, max_length=32)
    merged_into: Id | None = None

    @model_validator(mode="before")
    @classmethod
    def _tolerate(cls, data: object) -> object:
        """Keep an unknown enum's raw word; null tags are no tags; a survey without score is no answer."""
        if not isinstance(data, Mapping):
            return data
        facts = dict(data)
        for name, words in _ENUMS:
            word = facts.get(name)
            if isinstance(word, str) and word not in words:
                facts.setdefault(f"{name}_raw", word)
        if facts.get("tags", ()) is None:
            facts["tags"] = []
        for name in ("csat", "nps", "ces"):
            answer = facts.get(name)
            if isinstance(answer, Mapping) and answer.get("score") is None:
                facts[name] = None
        return facts


class MessageV1(_Model):
    """One message; `text` is plain, `quoted_text` the trail that was cut off."""

    id: Id
    role: Annotated[Role, BeforeValidator(_role)] = Role.SYSTEM
    at: Instant | None = None
    text: Text | None = None
    html: Text | None = None
    quoted_text: Text | None = None
    author: PersonV1 | None = None
    deleted: bool = False

    def to_domain(self) -> MessageFacts:
        """The facts; a null time or text says nothing, as a message always has both."""
        facts = self.told()
        for name in ("at", "text"):
            if name in facts and facts[name] is None:
                del facts[name]
        return cast(MessageFacts, facts)


class TicketEventV1(_Model):
    """One fact from a helpdesk about one conversation."""

    source: str = Field(default="generic", pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")
    account_id: Id | None = None
    delivery_id: Id | None = None
    event: Annotated[EventKind, BeforeValidator(_event)]
    source_event: Word | None = None
    occurred_at: Instant | None = None
    conversation: ConversationV1 | None = None
    messages: list[MessageV1] = Field(default_factory=list, max_length=MAX_MESSAGES)
    needs_fetch: bool = False

    @model_validator(mode="after")
    def _has_conversation(self) -> "TicketEventV1":
        if self.conversation is None and self.event is not EventKind.PING:
            raise ValueError("only a ping comes without a conversation")
        return self

    def to_domain(self) -> TicketEvent:
        """The event in the domain's words."""
        facts = {"id": ""} if self.conversation is None else self.conversation.told()
        return TicketEvent(
            source=self.source,
            account_id=self.account_id,
            delivery_id=self.delivery_id,
            kind=self.event,
            source_event=self.source_event,
            occurred_at=self.occurred_at,
            conversation=cast(ConversationFacts, facts),
            messages=tuple(message.to_domain() for message in self.messages),
            needs_fetch=self.needs_fetch,
        )


def parse_ticket_event(data: bytes | object) -> TicketEvent:
    """A canonical event from its JSON, as bytes or decoded. Raises `Rejected` naming fields, never values."""
    return checked_ticket_event(data).to_domain()


def checked_ticket_event(data: bytes | object) -> TicketEventV1:
    """The same as it stands on the wire, for doors that only have to know that it can be read."""
    payload = decode_json(data) if isinstance(data, bytes) else data
    if not isinstance(payload, Mapping):
        raise Rejected("a ticket event is a JSON object", reason="invalid_event")
    try:
        return TicketEventV1.model_validate(payload)
    except ValidationError as error:
        raise Rejected(_told_without_values(error), reason="invalid_event") from None
    except RecursionError:
        raise Rejected("the event is nested too deeply", reason="invalid_event") from None


def _told_without_values(error: ValidationError) -> str:
    found = error.errors(include_input=False, include_url=False, include_context=False)
    places = [f"{_place(item['loc'])}: {item['type']}" for item in found[:3]]
    return "not a ticket event: " + ", ".join(dict.fromkeys(places))


def _place(loc: tuple[int | str, ...]) -> str:
    """The path by our own names: what follows `sla` is the sender's, and a union names its branches."""
    parts: list[str] = []
    for part in loc:
        if isinstance(part, str) and part not in _NAMES:
            break
        parts.append(str(part))
    return ".".join(parts) or "event"


_NAMES = frozenset(
    name
    for model in (TicketEventV1, ConversationV1, MessageV1, PersonV1, CsatV1)
    for name in model.model_fields
)
