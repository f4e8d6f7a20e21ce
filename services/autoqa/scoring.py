"""From a conversation that somebody sent to the answer that they get; between them lies the `Rater`. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError

from services.autoqa.rate import Rated
from services.autoqa.readings import reading_to_json
from services.autoqa.schemas import ConversationIn
from services.autoqa.scored_record import Publishable, scored_payload
from shared.domain.conversation import Conversation, Message
from shared.errors import Rejected

__all__ = ["LanguageOf", "Sent", "answer", "sent_conversation"]

LanguageOf = Callable[[str], str | None]
"""The language of a text, None where it cannot be told."""

_SAMPLE_CHARS: Final = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What was sent. `given_id` is the sender's; the conversation's own id only keeps a batch apart."""

    given_id: str | None
    conversation: Conversation
    is_timed: bool


def sent_conversation(content: object, *, place: int, language_of: LanguageOf, now: datetime) -> Sent:
    """Read a record of decoded JSON; `place` tells it from others of its batch.

    Raises `Rejected` that names the field that is wrong, without its content.
    """
    try:
        read = ConversationIn.model_validate(content)
    except ValidationError as error:
        raise Rejected(_what_is_wrong(error), reason="invalid") from None
    ids = [message.id or f"m{number}" for number, message in enumerate(read.messages, start=1)]
    if len(set(ids)) < len(ids):
        raise Rejected("messages: their ids must differ", reason="invalid")
    language = read.language or language_of(_sample(message.text for message in read.messages))
    messages = tuple(
        Message(
            id=message_id,
            role=message.role,
            at=message.at or now,
            text=message.text,
            language=message.language or language,
        )
        for message_id, message in zip(ids, read.messages, strict=True)
    )
    conversation = Conversation(
        id=str(place),
        source="request",
        external_id=read.id or "",
        messages=messages,
        channel=read.channel,
        language=language,
        status=read.status,
    )
    is_timed = all(message.at is not None for message in read.messages)
    return Sent(given_id=read.id, conversation=conversation, is_timed=is_timed)


def answer(sent: Sent, rated: Rated) -> dict[str, Any]:
    """In the shape of `ScoreOut`; messages have only the fields that their role has."""
    conversation = sent.conversation
    review = scored_payload(
        Publishable(
            key=b"",
            tenant_id="",
            conversation_id=conversation.id,
            version=conversation.version,
            round=1,
            review=rated.decided.review,
            scored_at=datetime.min,  # noqa: DTZ901 (not shown)
        )
    ).model_dump(mode="json")
    shown = ("model_revision", "scorecard", "state", "ratings", "flags", "sentiment", "predicted_csat")
    return {
        "conversation_id": sent.given_id,
        "language": conversation.language,
        **{name: review[name] for name in shown},
        "resolved": review["resolved"],
        "score": review["score"],
        "messages": [_message(message, rated) for message in conversation.messages],
    }


def _message(message: Message, rated: Rated) -> dict[str, Any]:
    shown: dict[str, Any] = {"message_id": message.id, "role": message.role}
    reading = rated.readings.get(message.id)
    if reading is not None:
        output = reading_to_json(reading)
        shown |= {name: output[name] for name in ("sentiment", "flags", "signals", "tone") if name in output}
    return shown


def _sample(texts: Iterable[str]) -> str:
    sample = ""
    for text in texts:
        sample += text[: _SAMPLE_CHARS - len(sample)] + "\n"
        if len(sample) >= _SAMPLE_CHARS:
            break
    return sample


def _what_is_wrong(error: ValidationError) -> str:
    problems = error.errors(include_input=False, include_url=False, include_context=False)[:5]
    return "; ".join(f"{'.'.join(str(part) for part in p['loc']) or 'body'}: {p['msg']}" for p in problems)
