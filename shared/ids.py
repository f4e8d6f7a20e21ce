"""Ids that follow from what they name, so that the same thing met twice gets the same id."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("8c1f6f3e-4c8e-5b1a-9f57-2f7b5a0d7e11")


def conversation_id(tenant_id: str, source: str, account_id: str | None, external_id: str) -> str:
    """The id of a helpdesk's conversation in every API and topic."""
    return _derive("conversation", tenant_id, source, account_id or "-", external_id)


def review_id(conversation_id: str, review_round: int) -> str:
    """The id of the n-th review of a conversation."""
    return _derive("review", conversation_id, str(review_round))


def flag_id(conversation_id: str, kind: str) -> str:
    """The id of a conversation's flag of one kind."""
    return _derive("flag", conversation_id, kind)


def _derive(*parts: str) -> str:
    # Lengths keep ("a:b", "c") and ("a", "b:c") apart.
    return str(uuid5(_NAMESPACE, "|".join(f"{len(part)}:{part}" for part in parts)))
