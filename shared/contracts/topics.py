"""The names of the topics, and the keys of their records."""

from typing import Final

TICKET_EVENTS: Final = "ticket-events"
"""Verified webhooks and canonical ticket events; the only topic that carries message text."""

CONVERSATIONS_CHANGED: Final = "conversations-changed"
"""Which conversation reached which version; ids only."""

CONVERSATIONS_SCORED: Final = "conversations-scored"
"""Reviews and flags of a conversation; scores and spans, never text."""

CATEGORIES_CHANGED: Final = "categories-changed"
"""Which custom category has which version; ids only, never examples."""

CATEGORIES_TRAINED: Final = "categories-trained"
"""How good a custom category's head is; ids and figures only."""

CATEGORY_REPLAYS: Final = "category-replays"
"""Steps of scoring past conversations again; ids and times only."""

ALL: Final = (
    TICKET_EVENTS,
    CONVERSATIONS_CHANGED,
    CONVERSATIONS_SCORED,
    CATEGORIES_CHANGED,
    CATEGORIES_TRAINED,
    CATEGORY_REPLAYS,
)


def dead_letters(topic: str) -> str:
    """The topic that keeps what can never succeed on `topic`, with its reason."""
    return f"{topic}.dlq"


def conversation_key(tenant_id: str, source: str, account_id: str | None, external_id: str) -> bytes:
    """Record key; equal for all events of one conversation, so their order holds."""
    return f"{tenant_id}:{source}:{account_id or '-'}:{external_id}".encode()


def tenant_key(tenant_id: str) -> bytes:
    """Record key of everything about custom categories: a tenant's records keep their order."""
    return tenant_id.encode()
