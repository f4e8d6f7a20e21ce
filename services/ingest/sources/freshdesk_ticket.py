"""The placeholders of a Freshdesk webhook: labels in the account's language, comments without id or time."""

import re

from services.ingest.sources.facts import csat, message, stable_id
from services.ingest.sources.fields import Fields
from services.ingest.sources.words import channel_of, priority_of, status_of
from shared.domain.conversation import Role, Status
from shared.domain.ticket_event import (
    DESCRIPTION_ID_PREFIX,
    ConversationFacts,
    EventKind,
    MessageFacts,
    Person,
    Survey,
)

__all__ = ["comments", "conversation"]

_CODES = {"2": Status.OPEN, "3": Status.PENDING, "4": Status.SOLVED, "5": Status.CLOSED}
_STEPS = (-103, -102, -101, 100, 101, 102, 103)
_HTML = re.compile(r"</?[a-zA-Z][^<>]{0,500}>")


def conversation(ticket: Fields, status_code: str | None) -> ConversationFacts:
    """What the chosen placeholders say."""
    facts = ConversationFacts(id=ticket.need_id("ticket_id"))
    if (raw := ticket.word("ticket_source")) is not None:
        facts["channel"], facts["channel_raw"] = channel_of(raw), raw
    if "ticket_subject" in ticket:
        facts["subject"] = ticket.word("ticket_subject")
    if (status := ticket.word("ticket_status")) is not None:
        facts["status"] = status_of(status) or _CODES.get(status_code or "")
        facts["status_raw"] = status
    if (priority := ticket.word("ticket_priority")) is not None:
        facts["priority"] = priority_of(priority)
    if "ticket_tags" in ticket:
        tags = (ticket.text("ticket_tags") or "").split(",")
        facts["tags"] = [tag.strip() for tag in tags if tag.strip()]
    if (answer := _csat(ticket)) is not None:
        facts["csat"] = answer
    return facts | _people(ticket)


def _people(ticket: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=ticket.need_id("ticket_id"))
    for name in ("ticket_group_name", "ticket_group"):
        if name in ticket:
            team = ticket.word(name)
            facts["team"] = None if team is None else {"name": team}
    agent = _person(ticket, ("ticket_agent_name",), ("ticket_agent_email", "agent_email"))
    if agent is not None:
        facts["assignee"] = agent or None
    customer = _person(ticket, ("requester_name",), ("ticket_requester_email", "requester_email"))
    if customer is not None:
        facts["customer"] = customer or None
    return facts


def _person(ticket: Fields, names: tuple[str, ...], emails: tuple[str, ...]) -> Person | None:
    """None where no placeholder tells of them, empty where all are empty."""
    if not any(name in ticket for name in (*names, *emails)):
        return None
    found = Person()
    if (name := next(filter(None, map(ticket.word, names)), None)) is not None:
        found["name"] = name
    if (email := next(filter(None, map(ticket.word, emails)), None)) is not None:
        found["email"] = email
    return found


def _csat(ticket: Fields) -> Survey | None:
    """Seven steps from -103 to 103, linear on 1..5; only custom templates carry it."""
    rating = ticket.data.get("satisfaction_rating")
    raw = str(rating).strip() if isinstance(rating, int | str) and not isinstance(rating, bool) else ""
    step = next((place for place, value in enumerate(_STEPS) if str(value) == raw), None)
    if step is None:
        return None
    return csat(1 + step * 4 / 6, raw, ticket.text("satisfaction_comment"), None)


def comments(ticket: Fields, kind: EventKind, trigger: str, value: str) -> list[MessageFacts]:
    """The description of a new ticket, or the comment that the rule fired for.

    The latest comments come with every webhook; only the one that the trigger names is new.
    """
    if kind is EventKind.CONVERSATION_CREATED:
        return _description(ticket)
    if trigger == "note_type" and value == "private":
        return _comment(ticket, "ticket_latest_private_comment", Role.NOTE)
    if trigger in ("note_type", "reply_sent"):
        return _comment(ticket, "ticket_latest_public_comment", Role.AGENT)
    return []


def _description(ticket: Fields) -> list[MessageFacts]:
    raw = ticket.text("ticket_description") or ""
    if not raw.strip():
        return []
    ours = "outbound" in (ticket.word("ticket_source") or "").casefold()
    name = ticket.word("ticket_agent_name" if ours else "requester_name")
    return [
        message(
            id=f"{DESCRIPTION_ID_PREFIX}{ticket.need_id('ticket_id')}",
            role=Role.AGENT if ours else Role.CUSTOMER,
            at=None,
            raw=raw,
            html=_is_html(raw),
            author=None if name is None else Person(name=name),
        )
    ]


def _comment(ticket: Fields, placeholder: str, role: Role) -> list[MessageFacts]:
    """`Jan Peters : text`, without an id: the same text of the same ticket is the same comment."""
    raw = ticket.text(placeholder) or ""
    if not raw.strip():
        return []
    name, separator, rest = raw.partition(" : ")
    author = name.strip() if separator and len(name) <= 200 and "\n" not in name.strip() else None
    if role is Role.AGENT and author is not None and author == ticket.word("requester_name"):
        role = Role.CUSTOMER
    body = rest if author is not None else raw
    return [
        message(
            id=stable_id(ticket.need_id("ticket_id"), placeholder, raw),
            role=role,
            at=None,
            raw=body,
            html=_is_html(body),
            author=None if author is None else Person(name=author),
        )
    ]


def _is_html(raw: str) -> bool:
    return _HTML.search(raw) is not None
