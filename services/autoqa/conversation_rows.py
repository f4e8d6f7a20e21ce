"""From the columns that ingest publishes to conversations and messages; pure."""

from collections.abc import Mapping
from typing import Any

from services.autoqa.stored import Loaded
from shared.contracts import topics
from shared.domain.conversation import Channel, Conversation, Message, Role, Status

__all__ = ["loaded_conversation", "message_of_row"]


def loaded_conversation(row: Mapping[Any, Any]) -> Loaded:
    """A conversation, without its messages."""
    conversation = Conversation(
        id=row["id"],
        source=row["source"],
        external_id=row["external_id"],
        messages=(),
        version=row["version"],
        channel=None if row["channel"] is None else Channel(row["channel"]),
        language=row["language"],
        status=Status(row["status"]),
        agent=row["agent"],
        team=row["team"],
        tags=tuple(row["tags"] or ()),
        opened_at=row["opened_at"],
        solved_at=row["solved_at"],
    )
    return Loaded(
        conversation=conversation,
        key=topics.conversation_key(row["tenant_id"], row["source"], row["account_id"], row["external_id"]),
        reopen_count=row["reopen_count"],
        message_count=row["message_count"],
        received_at=row["received_at"],
    )


def message_of_row(row: Mapping[Any, Any]) -> Message:
    """One message."""
    return Message(
        id=row["id"],
        role=Role(row["role"]),
        at=row["at"],
        text=row["text"],
        language=row["language"],
        deleted=row["deleted"],
    )
