"""A line of an import: one finished conversation as JSON, the record of the annotation guide. Pure."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from shared.contracts.instants import parse_instant
from shared.contracts.plain_json import decode_json
from shared.domain.conversation import Channel, Role, Status
from shared.domain.ticket_event import EventKind, TicketEvent
from shared.errors import Rejected


def _instant(value: object) -> object:
    return parse_instant(value)


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1, max_length=256)
    role: Role
    at: Annotated[datetime, BeforeValidator(_instant)]
    text: str


class _Record(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(min_length=1, max_length=256)
    language: str | None = Field(default=None, max_length=16)
    channel: Channel | None = None
    messages: list[_Message] = Field(min_length=1, max_length=5000)


def event_of_line(line: bytes, *, source: str) -> TicketEvent:
    """The event that tells the whole conversation, solved with its last message.

    Raises `Rejected` naming what is wrong, never the words.
    """
    try:
        record = _Record.model_validate(decode_json(line))
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)
        raise Rejected("; ".join(_told(item["loc"], item["type"]) for item in found[:3])) from None
    if len({message.id for message in record.messages}) < len(record.messages):
        raise Rejected("two messages have the same id")
    began = min(message.at for message in record.messages)
    ended = max(message.at for message in record.messages)
    return TicketEvent(
        source=source,
        account_id=None,
        delivery_id=None,
        kind=EventKind.CONVERSATION_CREATED,
        source_event="import",
        occurred_at=ended,
        conversation={
            "id": record.id,
            "channel": record.channel,
            "language": record.language,
            "status": Status.SOLVED,
            "created_at": began,
            "updated_at": ended,
            "solved_at": ended,
        },
        messages=tuple(
            {"id": message.id, "role": message.role, "at": message.at, "text": message.text, "deleted": False}
            for message in record.messages
        ),
    )


def _told(place: tuple[int | str, ...], kind: str) -> str:
    return f"{'.'.join(str(part) for part in place) or 'record'}: {kind}"
