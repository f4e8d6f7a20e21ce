"""Payload of `conversations-changed`: a conversation reached a version. Ids only, never text."""

from typing import Final

from pydantic import BaseModel, ConfigDict

TYPE: Final = "com.pruefstein.conversation.changed.v1"


class ConversationChanged(BaseModel):
    """`version` only grows; who sees an older one than stored does nothing."""

    model_config = ConfigDict(frozen=True)

    tenant_id: str
    conversation_id: str
    version: int
