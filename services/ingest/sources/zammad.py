"""Zammad: default webhook payload of a trigger, `{ticket, article}`. Contract: helpdesks.md section 2."""

from datetime import datetime

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.facts import full_name, message, person, stable_id, tell_times
from services.ingest.sources.fields import Fields
from services.ingest.sources.signing import check, digest, hex_of, needed
from services.ingest.sources.words import channel_of, status_of
from shared.contracts.instants import format_instant
from shared.domain.conversation import Role, Status
from shared.domain.ticket_event import ConversationFacts, EventKind, MessageFacts, Person, Team, TicketEvent

__all__ = ["Zammad"]

_STATES = {
    "pending reminder": Status.PENDING,
    "pending close": Status.PENDING,
    "merged": Status.MERGED,
    "removed": Status.DELETED,
}
_ROLES = {"Customer": Role.CUSTOMER, "Agent": Role.AGENT, "System": Role.SYSTEM}
_TIMES = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "first_reply_at": "first_response_at",
    "solved_at": "close_at",
}
_NOBODY = "1"


class Zammad:
    """Nothing in the body names the event: it is told by the trigger's name and by what is there."""

    name = "zammad"
    kept_headers = ("x-zammad-trigger", "x-zammad-delivery")

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """HMAC-SHA1 of the body; Zammad signs no time."""
        given = needed(headers, "x-hub-signature")
        check(hex_of("sha1=")(digest("sha1", secret, body)), given)

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Every delivery of a trigger is an event."""
        root = Fields.of(payload)
        ticket = root.need_object("ticket")
        article = root.object("article") or Fields({}, "article")
        return Glance(
            disposition=Disposition.EVENT,
            source_event=headers.get("x-zammad-trigger"),
            external_id=ticket.need_id("id"),
            delivery_id=headers.get("x-zammad-delivery"),
            occurred_at=article.time("created_at") or ticket.time("updated_at"),
        )

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """One event, with the article as its message where there is one."""
        glance = self.glance(payload, headers)
        root = Fields.of(payload)
        ticket = root.need_object("ticket")
        article = root.object("article")
        kind = _kind(ticket, article, glance.source_event or "")
        return [
            TicketEvent(
                source=self.name,
                account_id=None,
                delivery_id=glance.delivery_id,
                kind=kind,
                source_event=glance.source_event,
                occurred_at=glance.occurred_at,
                conversation=_conversation(ticket),
                messages=(_article(ticket, article),) if article else (),
                needs_fetch=kind is EventKind.CONVERSATION_MERGED,
            )
        ]


def _kind(ticket: Fields, article: Fields | None, trigger: str) -> EventKind:
    if ticket.word("state") == "merged":
        return EventKind.CONVERSATION_MERGED
    if article:
        first = ticket.number("article_count") == 1
        return EventKind.CONVERSATION_CREATED if first else EventKind.MESSAGE_ADDED
    words = trigger.casefold()
    if any(word in words for word in ("state", "status", "clos", "open", "solv")):
        return EventKind.CONVERSATION_STATUS_CHANGED
    if any(word in words for word in ("assign", "owner", "group")):
        return EventKind.CONVERSATION_ASSIGNED
    return EventKind.CONVERSATION_UPDATED


def _conversation(ticket: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=ticket.need_id("id"))
    if "number" in ticket:
        facts["number"] = ticket.id("number")
    if "create_article_type" in ticket:
        facts["channel_raw"] = ticket.word("create_article_type")
        facts["channel"] = channel_of(facts["channel_raw"])
    if "title" in ticket:
        facts["subject"] = ticket.word("title")
    if "state" in ticket:
        raw = facts["status_raw"] = ticket.word("state")
        facts["status"] = _STATES.get(raw or "") or status_of(raw)
    facts |= _people(ticket)
    tell_times(facts, ticket, _TIMES)
    due = _due(ticket)
    if due:
        facts["sla"] = due
    return facts


def _people(ticket: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=ticket.need_id("id"))
    if "priority" in ticket:
        priority = ticket.object("priority")
        facts["priority"] = _priority(priority) if priority else None
    if "group" in ticket:
        facts["team"] = _team(ticket.object("group"))
    if "owner" in ticket or "owner_id" in ticket:
        facts["assignee"] = _owner(ticket)
    if "customer" in ticket:
        facts["customer"] = _user(ticket.object("customer"))
    return facts


def _priority(priority: Fields) -> str | None:
    """`2 normal` is how Zammad sorts its priorities."""
    name = (priority.word("name") or "").lstrip("0123456789 ")
    return name.casefold() or None


def _team(group: Fields | None) -> Team | None:
    return Team(id=group.id("id"), name=group.word("name")) if group else None


def _owner(ticket: Fields) -> Person | None:
    owner = ticket.object("owner")
    owner_id = ticket.id("owner_id") or (owner.id("id") if owner else None)
    if owner_id in (None, _NOBODY) or (owner and owner.word("login") == "-"):
        return None
    user = _user(owner)
    return {**user, "kind": "agent"} if user else Person(id=owner_id, kind="agent")


def _user(user: Fields | None) -> Person | None:
    found = person(user)
    if user and found is not None and (name := full_name(user, "firstname", "lastname")) is not None:
        found["name"] = name
    return found or None


def _due(ticket: Fields) -> dict[str, str | None]:
    due: dict[str, str | None] = {}
    for name, theirs in (
        ("first_reply_due_at", "first_response_escalation_at"),
        ("solution_due_at", "close_escalation_at"),
    ):
        if theirs in ticket:
            moment = ticket.time(theirs)
            due[name] = None if moment is None else format_instant(moment)
    return due


def _article(ticket: Fields, article: Fields) -> MessageFacts:
    raw = article.text("body") or ""
    at = article.time("created_at")
    return message(
        id=article.id("id") or stable_id(ticket.need_id("id"), at, raw),
        role=_role(ticket, article, raw),
        at=at,
        raw=raw,
        html=(article.word("content_type") or "").startswith("text/html"),
        author=_author(ticket, article),
    )


def _role(ticket: Fields, article: Fields, raw: str) -> Role:
    if article.flag("internal"):
        return Role.NOTE
    if ticket.word("state") == "merged" and article.word("type") == "note" and raw.strip() == "merged":
        return Role.SYSTEM
    return _ROLES.get(article.word("sender") or "", Role.SYSTEM)


def _author(ticket: Fields, article: Fields) -> Person | None:
    """Who is meant, not who typed: agents enter phone calls on behalf of customers."""
    author_id = article.id("origin_by_id") or article.id("created_by_id")
    if author_id is None:
        return None
    for known in (article.object("origin_by"), article.object("created_by"), ticket.object("customer")):
        if known and known.id("id") == author_id and (user := _user(known)):
            return Person(id=author_id, name=user.get("name"))
    return Person(id=author_id)
