"""What stands on `conversations-changed`, as the consumer reads it."""

from dataclasses import dataclass

from pydantic import ValidationError

from shared.broker.record import Record
from shared.contracts.envelope import from_kafka
from shared.contracts.v1.conversation_changed import TYPE, ConversationChanged
from shared.errors import Rejected

__all__ = ["Change", "change_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A conversation reached `version`; `key` is that of the record, and of the answer to it."""

    key: bytes
    tenant_id: str
    conversation_id: str
    version: int


def change_of(record: Record) -> Change:
    """Raises `Rejected` for what is no change of a conversation."""
    envelope = from_kafka(record.key, record.value, record.headers)
    if envelope.type != TYPE:
        raise Rejected("the record is of another type", reason="unknown_type")
    try:
        changed = ConversationChanged.model_validate(envelope.json())
    except ValidationError:
        raise Rejected(
            "the record does not name a conversation's version", reason="invalid_payload"
        ) from None
    return Change(
        key=record.key or b"",
        tenant_id=changed.tenant_id,
        conversation_id=changed.conversation_id,
        version=changed.version,
    )
