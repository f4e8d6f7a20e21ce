"""Small pieces of the canonical event that every vendor's file puts together."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import cast

from services.ingest.sources.fields import Fields
from services.ingest.text import Body, html_body, plain_body
from shared.domain.conversation import Role
from shared.domain.ticket_event import ConversationFacts, MessageFacts, Person, Survey

__all__ = ["body_of", "csat", "full_name", "latest", "message", "person", "stable_id", "tell_times"]


def body_of(raw: str, role: Role, *, html: bool) -> Body:
    """Rules T1 to T3 for a message of that role."""
    of_customer = role is Role.CUSTOMER
    return html_body(raw, of_customer=of_customer) if html else plain_body(raw, of_customer=of_customer)


def message(
    *, id: str, role: Role, at: datetime | None, raw: str, html: bool, author: Person | None
) -> MessageFacts:
    """A message as it came, its text by the rules."""
    body = body_of(raw, role, html=html)
    facts = MessageFacts(
        id=id,
        role=role,
        text=body.text,
        html=raw if html else None,
        quoted_text=body.quoted_text,
        author=author,
        deleted=False,
    )
    if at is not None:
        facts["at"] = at
    return facts


def stable_id(*parts: str | datetime | None) -> str:
    """An id for a message that the vendor names by none: the same content, the same id."""
    spelled = "\x1f".join("" if part is None else str(part) for part in parts)
    return f"sha256-{hashlib.sha256(spelled.encode()).hexdigest()[:32]}"


def person(fields: Fields | None, *, kind: str | None = None) -> Person | None:
    """Somebody with `id`, `name` and `email`, as far as told."""
    if not fields:
        return None
    found = Person()
    if (who := fields.id("id")) is not None:
        found["id"] = who
    if (name := fields.word("name")) is not None:
        found["name"] = name
    if (email := fields.word("email")) is not None:
        found["email"] = email
    if kind is not None:
        found["kind"] = kind
    return found


def full_name(fields: Fields, first: str, last: str) -> str | None:
    """First and last name as one."""
    return " ".join(filter(None, (fields.word(first), fields.word(last)))) or None


def csat(score: float, raw: str | float | None, comment: str | None, at: datetime | None) -> Survey:
    """A satisfaction answer on our scale."""
    answer = Survey(score=score, raw=raw, comment=comment or None)
    if at is not None:
        answer["at"] = at
    return answer


def tell_times(facts: ConversationFacts, fields: Fields, names: Mapping[str, str]) -> None:
    """Copy instants, ours by theirs; a null is told as a null, except where there always is one."""
    for ours, theirs in names.items():
        moment = fields.time(theirs)
        if theirs in fields and (moment is not None or ours in ("first_reply_at", "solved_at")):
            cast(dict[str, object], facts)[ours] = moment


def latest(*moments: datetime | None) -> datetime | None:
    """The latest of those that are known."""
    return max((moment for moment in moments if moment is not None), default=None)
