"""What the model is given of a conversation: one input a message, with a name for its content."""

import hashlib
from typing import Final

import orjson

from services.autoqa.predictions import EarlierTurn, MessageInput
from shared.domain.conversation import Conversation, Role

__all__ = ["input_hash", "message_inputs"]

_CONTEXT_TURNS: Final = 16
_CONTEXT_CHARS: Final = 512
"""The model reads the last 64 tokens before a message; more would only be carried about."""


def message_inputs(conversation: Conversation) -> dict[str, MessageInput]:
    """Inputs by message id, for the customers' and human agents' messages that have words.

    The context is what customers, agents and bots said before; bots count as agents. A message too short
    to tell its language is taken to be in that of the one before, never in that of later ones: so a longer
    conversation leaves earlier inputs alone.
    """
    inputs: dict[str, MessageInput] = {}
    language: str | None = None
    context: list[EarlierTurn] = []
    for message in conversation.messages:
        if message.role not in (Role.CUSTOMER, Role.AGENT, Role.BOT) or message.deleted:
            continue
        if not message.text.strip():
            continue
        language = message.language or language
        if message.role is not Role.BOT:
            inputs[message.id] = MessageInput(
                role="customer" if message.role is Role.CUSTOMER else "agent",
                channel=conversation.channel,
                text=message.text,
                context=tuple(context[-_CONTEXT_TURNS:]),
                language=language,
            )
        context.append(
            EarlierTurn(
                role="customer" if message.role is Role.CUSTOMER else "agent",
                text=message.text[-_CONTEXT_CHARS:],
            )
        )
    return inputs


def input_hash(message: MessageInput) -> bytes:
    """16 bytes that change with anything the model reads. Blocks for megabyte texts."""
    context = [(turn.role, turn.text) for turn in message.context]
    content = [message.role, message.channel, message.text, context, message.language]
    return hashlib.blake2b(orjson.dumps(content), digest_size=16).digest()
