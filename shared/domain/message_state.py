"""What is known of one message so far, from whichever events have arrived."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import cast

from shared.domain.conversation import Role
from shared.domain.registers import Json, Register, Stamp, instant, join_all, micros
from shared.domain.ticket_event import MessageFacts, Person

__all__ = ["MessageState", "TextMark", "join_messages", "message_state"]

_TEXTS = ("text", "quoted_text")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextMark:
    """What has to be known of a text to lay out a conversation: the texts themselves may be megabytes."""

    #: Code points.
    length: int
    #: Equal for texts that differ in white space alone.
    likeness: str

    @classmethod
    def of(cls, text: str) -> "TextMark":
        """The mark of a text at hand."""
        squeezed = " ".join(text.split())
        digest = hashlib.blake2b(squeezed.encode(errors="surrogatepass"), digest_size=16)
        return cls(length=len(text), likeness=digest.hexdigest())


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageState:
    """The registers of one message.

    The texts live in here and nowhere else. `stamps_json` is what a table needs beside plain columns:
    `MessageState.of_columns` puts both together again, `MessageState.unread` does without the texts.
    """

    id: str
    first_seen: int
    #: By name: role, at (microseconds), text, quoted_text, author.
    registers: Mapping[str, Register] = field(default_factory=dict)
    #: Deletion and redaction never wear off; a deleted message has no text registers.
    deleted: bool = False
    #: Set where the texts were not read: enough for all but joining what another event says of the message.
    mark: TextMark | None = None

    @property
    def role(self) -> Role | None:
        """Who speaks; None while no event has told."""
        value = self._value("role")
        return Role(value) if isinstance(value, str) else None

    @property
    def at(self) -> datetime:
        """When it was written; where the helpdesk does not say, when it was first seen."""
        value = self._value("at")
        return instant(value if isinstance(value, int) else self.first_seen)

    @property
    def text(self) -> str:
        """Plain text without the quoted trail; empty where it was not read."""
        return str(self._value("text") or "")

    @property
    def text_mark(self) -> TextMark:
        """Of the text, read or not."""
        return TextMark.of(self.text) if self.mark is None else self.mark

    @property
    def text_length(self) -> int:
        """Code points of the text, read or not."""
        return len(self.text) if self.mark is None else self.mark.length

    @property
    def quoted_text(self) -> str | None:
        """The trail that was cut off."""
        value = self._value("quoted_text")
        return value if isinstance(value, str) else None

    @property
    def author(self) -> Person:
        """The person behind the role, as far as known."""
        value = self._value("author")
        return cast(Person, value) if isinstance(value, dict) else {}

    def _value(self, name: str) -> Json:
        register = self.registers.get(name)
        return None if register is None else register.value

    def erased(self) -> "MessageState":
        """Without any text and without its author: the whole conversation is gone."""
        kept = {name: reg for name, reg in self.registers.items() if name in ("role", "at")}
        return replace(self, registers=kept, deleted=True, mark=None)

    def to_json(self) -> dict[str, Json]:
        """Everything, texts included."""
        registers: dict[str, Json] = {name: reg.to_json() for name, reg in sorted(self.registers.items())}
        return {
            "id": self.id,
            "first_seen": self.first_seen,
            "deleted": self.deleted,
            "registers": registers,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "MessageState":
        """Undo `to_json`."""
        registers = cast(dict[str, list[Json]], data["registers"])
        return cls(
            id=str(data["id"]),
            first_seen=cast(int, data["first_seen"]),
            deleted=bool(data["deleted"]),
            registers={name: Register.from_json(value) for name, value in registers.items()},
        )

    def stamps_json(self) -> dict[str, Json]:
        """Everything but the two texts, with the mark of the text, for a column beside them."""
        data = self.to_json()
        mark = self.text_mark
        data["mark"] = [mark.length, mark.likeness]
        registers = cast(dict[str, list[Json]], data["registers"])
        data["registers"] = {
            name: [*value[:2], None] if name in _TEXTS else value for name, value in registers.items()
        }
        return data

    @classmethod
    def of_columns(cls, stamps: Mapping[str, Json], *, text: str, quoted_text: str | None) -> "MessageState":
        """From what `stamps_json` gave and the two texts."""
        state = cls.from_json(stamps)
        registers = dict(state.registers)
        for name, value in (("text", text), ("quoted_text", quoted_text)):
            if name in registers:
                registers[name] = Register(registers[name].stamp, value)
        return replace(state, registers=registers)

    @classmethod
    def unread(cls, stamps: Mapping[str, Json]) -> "MessageState":
        """From what `stamps_json` gave alone."""
        length, likeness = cast(list[Json], stamps["mark"])
        mark = TextMark(length=cast(int, length), likeness=str(likeness))
        return replace(cls.from_json(stamps), mark=mark)


def message_state(facts: MessageFacts, stamp: Stamp, *, seen: int, gone: bool = False) -> MessageState:
    """What one event alone says of a message."""
    deleted = gone or facts.get("deleted", False)
    values: dict[str, Json] = {}
    if "role" in facts:
        values["role"] = facts["role"].value
    if "at" in facts:
        values["at"] = micros(facts["at"])
    if "author" in facts:
        author = facts["author"]
        values["author"] = None if author is None else cast(Json, dict(author))
    if not deleted and "text" in facts:
        values["text"] = facts["text"]
    if not deleted and "quoted_text" in facts:
        values["quoted_text"] = facts["quoted_text"]
    registers = {name: Register(stamp, value) for name, value in values.items()}
    return MessageState(id=facts["id"], first_seen=seen, registers=registers, deleted=deleted)


def join_messages(left: MessageState | None, right: MessageState) -> MessageState:
    """What both know of one message; both must have been read."""
    if left is None:
        return right
    deleted = left.deleted or right.deleted
    registers = join_all(left.registers, right.registers)
    if deleted:
        registers = {name: reg for name, reg in registers.items() if name not in _TEXTS}
    return MessageState(
        id=left.id,
        first_seen=min(left.first_seen, right.first_seen),
        registers=registers,
        deleted=deleted,
    )
