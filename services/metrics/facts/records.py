"""Records of `conversations-changed` and `conversations-scored`, as far as they name a conversation."""

from pydantic import BaseModel, ValidationError

from services.metrics.facts.handlers import ConversationRef
from shared.broker.record import Record
from shared.contracts.envelope import from_kafka
from shared.errors import Rejected


class _Named(BaseModel):
    """Both payloads begin so; the rest is read from the views."""

    tenant_id: str
    conversation_id: str


def decode(record: Record) -> ConversationRef:
    """Raises `Rejected` for what names no conversation."""
    envelope = from_kafka(record.key, record.value, record.headers)
    try:
        named = _Named.model_validate_json(envelope.data)
    except ValidationError:
        raise Rejected("the record names no conversation", reason="invalid_payload") from None
    return ConversationRef(named.tenant_id, named.conversation_id)
