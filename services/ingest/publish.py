"""`conversations-changed`: tells the others which conversation reached which version. Ids, never text."""

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from services.ingest.refold import Identity
from shared.broker.record import Outgoing
from shared.contracts import topics
from shared.contracts.envelope import Envelope
from shared.contracts.v1.conversation_changed import TYPE, ConversationChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class Publishable:
    """A conversation's version that others have to be told of."""

    tenant_id: str
    conversation: Identity
    version: int


def changed_records(conversations: Sequence[Publishable]) -> list[Outgoing]:
    """One record each; the id follows from conversation and version, so telling twice is a duplicate."""
    return [_record(conversation) for conversation in conversations]


def _record(publishable: Publishable) -> Outgoing:
    identity = publishable.conversation
    payload = ConversationChanged(
        tenant_id=publishable.tenant_id, conversation_id=identity.id, version=publishable.version
    )
    value, headers = Envelope(
        id=f"{identity.id}:{publishable.version}",
        source="/ingest",
        type=TYPE,
        subject=identity.id,
        extensions={"tenantid": publishable.tenant_id},
        data=orjson.dumps(payload.model_dump()),
    ).to_kafka()
    return Outgoing(
        topic=topics.CONVERSATIONS_CHANGED,
        key=topics.conversation_key(
            publishable.tenant_id, identity.source, identity.account_id, identity.external_id
        ),
        value=value,
        headers=headers,
    )
