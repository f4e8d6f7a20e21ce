"""Intercom's first message and the parts that follow it."""

from datetime import datetime

from services.ingest.sources.facts import message, stable_id
from services.ingest.sources.fields import Fields
from shared.domain.conversation import Role
from shared.domain.ticket_event import MessageFacts, Person

__all__ = ["opening", "parts"]

_CUSTOMERS = ("user", "lead", "contact")
_TEAM = ("admin", "team")


def opening(conversation_id: str, item: Fields) -> list[MessageFacts]:
    """The first message: `source`, in API 1.x `conversation_message`."""
    source = item.object("source") or item.object("conversation_message")
    return _messages(conversation_id, source, item.time("created_at")) if source else []


def parts(conversation_id: str, item: Fields) -> list[MessageFacts]:
    """The parts in the payload that say something; a reply may be inside an `open` or `close` part."""
    if item.word("type") == "conversation_part":
        return _messages(conversation_id, item, item.time("created_at"))
    listed = item.object("conversation_parts")
    return [
        found
        for part in (listed.objects("conversation_parts") if listed else [])
        for found in _messages(conversation_id, part, part.time("created_at"))
    ]


def _messages(conversation_id: str, part: Fields, at: datetime | None) -> list[MessageFacts]:
    raw = part.text("body") or ""
    role, author = _role(part), _author(part)
    if part.flag("redacted"):
        gone = MessageFacts(id=part.need_id("id"), role=role, author=author, deleted=True)
        if at is not None:
            gone["at"] = at
        return [gone]
    if not raw.strip():
        return []
    part_id = part.id("id") or stable_id(conversation_id, at, raw)
    return [message(id=part_id, role=role, at=at, raw=raw, html=True, author=author)]


def _role(part: Fields) -> Role:
    if (part.word("part_type") or "").startswith("note"):
        return Role.NOTE
    author = part.object("author")
    kind = author.word("type") if author else None
    if author is None or kind is None:
        return Role.SYSTEM
    if kind in _CUSTOMERS:
        return Role.CUSTOMER
    if kind in _TEAM:
        return Role.BOT if author.flag("from_ai_agent") else Role.AGENT
    return Role.BOT if kind == "bot" else Role.SYSTEM


def _author(part: Fields) -> Person | None:
    author = part.object("author")
    if not author or (who := author.id("id")) is None:
        return None
    name = author.word("name")
    return Person(id=who) if name is None else Person(id=who, name=name)
