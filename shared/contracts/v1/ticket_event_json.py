"""A ticket event as JSON: what the event does not say is absent, what is known to be empty is null."""

from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from shared.contracts.instants import format_instant
from shared.domain.ticket_event import EventKind, MessageFacts, TicketEvent

__all__ = ["ticket_event_json"]

_ORDER = (
    *("id", "number", "channel", "channel_raw", "subject", "language", "status", "status_raw", "priority"),
    *("tags", "team", "assignee", "customer", "created_at", "updated_at", "first_reply_at", "solved_at"),
    *("csat", "nps", "ces", "sla", "merged_into"),
    *("role", "at", "text", "html", "quoted_text", "author", "deleted"),
    *("name", "email", "kind", "score", "raw", "comment"),
)
_RANK = {name: place for place, name in enumerate(_ORDER)}


def ticket_event_json(event: TicketEvent) -> dict[str, Any]:
    """The event in the shape of the contract, keys in its order."""
    data: dict[str, Any] = {
        "source": event.source,
        "account_id": event.account_id,
        "delivery_id": event.delivery_id,
        "event": event.kind.value,
        "source_event": event.source_event,
        "occurred_at": _plain(event.occurred_at),
    }
    if event.kind is not EventKind.PING or event.conversation["id"]:
        data["conversation"] = _plain(event.conversation)
    data["messages"] = [_message(message) for message in event.messages]
    data["needs_fetch"] = event.needs_fetch
    return data


def _message(facts: MessageFacts) -> Any:
    return _plain({"deleted": False, **facts} if "text" in facts else facts)


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return format_instant(value)
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        names = sorted(value, key=lambda name: _RANK.get(name, len(_RANK)))
        return {name: _plain(value[name]) for name in names}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
