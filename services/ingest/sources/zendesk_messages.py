"""Zendesk's comments and messages."""

from datetime import datetime

from services.ingest.sources.facts import message, stable_id
from services.ingest.sources.fields import Fields
from shared.domain.conversation import Role
from shared.domain.ticket_event import DESCRIPTION_ID_PREFIX, MessageFacts, Person

__all__ = ["comment", "comment_reference", "description", "messaging"]

_NOBODY = "-1"
_ANSWER_BOT = "zd:answerBot"
_ACTORS = {"end_user": Role.CUSTOMER, "agent": Role.AGENT}


def description(ticket_id: str, detail: Fields) -> list[MessageFacts]:
    """The first message; it comes once more as comment 1, which has an id."""
    raw = detail.text("description") or ""
    if not raw.strip():
        return []
    requester, submitter = detail.id("requester_id"), detail.id("submitter_id")
    role = Role.CUSTOMER if submitter in (None, requester) else Role.AGENT
    if not detail.flag("is_public", default=True):
        role = Role.NOTE
    author = submitter or requester
    return [
        message(
            id=f"{DESCRIPTION_ID_PREFIX}{ticket_id}",
            role=role,
            at=detail.time("created_at"),
            raw=raw,
            html=False,
            author=None if author is None else Person(id=author),
        )
    ]


def comment(ticket_id: str, fields: Fields, at: datetime | None) -> MessageFacts:
    """A comment; its body is plain text."""
    raw = fields.text("body") or ""
    author = fields.object("author")
    own_at = fields.time("created_at") or at
    return message(
        id=fields.id("id") or stable_id(ticket_id, own_at, raw),
        role=_role(fields, author),
        at=own_at,
        raw=raw,
        html=False,
        author=_author(author),
    )


def _role(fields: Fields, author: Fields | None) -> Role:
    """`detail.is_public` is about the ticket; only the comment's own flag counts."""
    if not fields.flag("is_public", default=True):
        return Role.NOTE
    if not author or author.id("id") in (None, _NOBODY):
        return Role.SYSTEM
    return Role.AGENT if author.flag("is_staff") else Role.CUSTOMER


def _author(author: Fields | None) -> Person | None:
    if not author or (who := author.id("id")) in (None, _NOBODY):
        return None
    return Person(id=who, name=author.word("name"))


def comment_reference(event: Fields, *, redacted: bool) -> list[MessageFacts]:
    """Which comment was hidden or redacted; the rest has to be fetched."""
    fields = event.loose("comment")
    found = fields.id("id") if fields else event.id("comment_id")
    if found is None:
        return []
    return [MessageFacts(id=found, deleted=True) if redacted else MessageFacts(id=found, role=Role.NOTE)]


def messaging(ticket_id: str, event: Fields, at: datetime | None) -> MessageFacts:
    """A message of the messaging channels."""
    fields = event.need_object("message")
    actor = event.object("actor")
    raw = fields.text("body") or ""
    return message(
        id=fields.id("id") or stable_id(ticket_id, at, raw),
        role=_actor_role(actor),
        at=at,
        raw=raw,
        html=False,
        author=None
        if not actor or actor.id("id") is None
        else Person(id=actor.id("id"), name=actor.word("name")),
    )


def _actor_role(actor: Fields | None) -> Role:
    if not actor:
        return Role.SYSTEM
    if actor.id("id") == _ANSWER_BOT:
        return Role.BOT
    return _ACTORS.get(actor.word("type") or "", Role.SYSTEM)
