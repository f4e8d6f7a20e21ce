"""Between the fold and the columns of the tables; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from services.ingest.language import of_conversation
from services.ingest.refold import Refolded
from shared.domain.conversation import Message
from shared.domain.fold import FoldedConversation, MessageState, conversation


class MessageColumns(Protocol):
    """What a message is put together from."""

    registers: dict[str, Any]
    is_read: bool
    text: str | None
    quoted_text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRows:
    """What is written of one changed conversation, by column names. `surveys` is None where none changed."""

    conversation: dict[str, Any]
    messages: list[dict[str, Any]]
    #: By id, of messages that are otherwise as they were: whether people see them now.
    sights: dict[str, bool]
    surveys: list[dict[str, Any]] | None


def known_message(row: MessageColumns) -> MessageState:
    """A message as the fold knows it, without its texts where they were not read."""
    if not row.is_read:
        return MessageState.unread(row.registers)
    return MessageState.of_columns(row.registers, text=row.text or "", quoted_text=row.quoted_text)


def rows_of(refolded: Refolded, tenant_id: str, *, detected: Mapping[str, str | None]) -> ConversationRows:
    """The columns of a changed conversation and of the messages that changed.

    `detected` holds the languages of new texts by message id.
    """
    known = refolded.before
    folded = conversation(refolded.state, refolded.messages)
    languages = {key: _language(refolded, key, detected) for key in refolded.messages}
    spoken = [replace(message, language=languages[message.id]) for message in folded.messages]
    shown = frozenset(message.id for message in spoken)
    lengths = {key: message.text_length for key, message in refolded.messages.items()}
    conversation_id = known.identity.id
    changed = [key for key, message in refolded.messages.items() if known.messages.get(key) != message]
    written = [
        _message(refolded.messages[key], key in shown, languages[key])
        | {"tenant_id": tenant_id, "conversation_id": conversation_id}
        for key in sorted(changed)
    ]
    return ConversationRows(
        conversation={
            "tenant_id": tenant_id,
            "id": conversation_id,
            "state": refolded.state.to_json(),
            "version": refolded.version,
            "received_at": refolded.received_at,
            "language": of_conversation(spoken, lengths=lengths, told=folded.language),
            **_columns(folded),
        },
        messages=written,
        sights={key: key in shown for key in sorted((shown ^ known.shown) - set(changed))},
        surveys=_surveys(folded, tenant_id, conversation_id) if refolded.has_other_answers else None,
    )


def _language(refolded: Refolded, message_id: str, detected: Mapping[str, str | None]) -> str | None:
    """Just detected, or known from before; None without text."""
    if not refolded.messages[message_id].text_length:
        return None
    return detected[message_id] if message_id in detected else refolded.before.languages.get(message_id)


def _columns(folded: FoldedConversation) -> dict[str, Any]:
    last: Message | None = folded.messages[-1] if folded.messages else None
    return {
        "number": folded.number,
        "channel": folded.channel,
        "status": folded.status,
        "agent_id": folded.agent_id,
        "agent": folded.agent,
        "team_id": folded.team_id,
        "team": folded.team,
        "tags": list(folded.tags),
        "customer_id": folded.customer_id,
        "opened_at": folded.opened_at,
        "updated_at": folded.updated_at,
        "solved_at": folded.solved_at,
        "first_reply_at": folded.first_reply_at,
        "last_message_at": None if last is None else last.at,
        "reopen_count": folded.reopens,
        "merged_into": folded.merged_into,
        "message_count": len(folded.messages),
    }


def _message(message: MessageState, is_shown: bool, language: str | None) -> dict[str, Any]:
    author = message.author
    return {
        "id": message.id,
        "role": message.role,
        "at": message.at,
        "text": message.text,
        "quoted_text": message.quoted_text,
        "language": language,
        "author_id": author.get("id"),
        "author_name": author.get("name"),
        "author_kind": author.get("kind"),
        "deleted": message.deleted,
        "shown": is_shown,
        "registers": message.stamps_json(),
    }


def _surveys(folded: FoldedConversation, tenant_id: str, conversation_id: str) -> list[dict[str, Any]]:
    return [
        {
            "tenant_id": tenant_id,
            "conversation_id": conversation_id,
            "kind": kind,
            "score": answer.score,
            "comment": answer.comment,
            "answered_at": answer.at,
        }
        for kind, answer in folded.surveys.items()
    ]
