"""Help Scout's conversation with its threads, newest first."""

from datetime import datetime

from services.ingest.sources.facts import full_name, message, person, stable_id, tell_times
from services.ingest.sources.fields import Fields
from services.ingest.sources.words import channel_of, status_of
from shared.domain.conversation import Role, Status
from shared.domain.ticket_event import ConversationFacts, MessageFacts, Person

__all__ = ["conversation", "thread_fields", "threads"]

_ROLES = {
    "customer": Role.CUSTOMER,
    "message": Role.AGENT,
    "reply": Role.AGENT,
    "note": Role.NOTE,
    "lineitem": Role.SYSTEM,
}
_BY_AUTHOR = {"user": Role.AGENT, "customer": Role.CUSTOMER, "bot": Role.BOT}


def conversation(root: Fields, occurred_at: datetime | None) -> ConversationFacts:
    """The conversation as it is; a deleted one is no more than its id."""
    facts = ConversationFacts(id=root.need_id("id"))
    if "number" in root:
        facts["number"] = root.id("number")
    if "type" in root:
        facts["channel_raw"] = root.word("type")
        facts["channel"] = channel_of(facts["channel_raw"])
    if "subject" in root:
        facts["subject"] = root.word("subject")
    if "status" in root:
        raw = facts["status_raw"] = root.word("status")
        facts["status"] = Status.OPEN if raw == "active" else status_of(raw)
        if root.word("state") == "deleted":
            facts["status"] = Status.DELETED
    if "tags" in root:
        facts["tags"] = [name for tag in root.objects("tags") if (name := tag.word("tag")) is not None]
    if occurred_at is not None and "createdAt" in root:
        facts["updated_at"] = occurred_at
    tell_times(facts, root, {"created_at": "createdAt", "solved_at": "closedAt"})
    return facts | _people(root)


def _people(root: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=root.need_id("id"))
    if "mailboxId" in root:
        team = root.id("mailboxId")
        facts["team"] = None if team is None else {"id": team}
    if "assignee" in root:
        facts["assignee"] = _named(root.object("assignee"), kind="agent")
    if "primaryCustomer" in root:
        facts["customer"] = _named(root.object("primaryCustomer"), kind=None)
    return facts


def _named(fields: Fields | None, *, kind: str | None) -> Person | None:
    found = person(fields, kind=kind)
    if fields and found is not None and (name := full_name(fields, "first", "last")) is not None:
        found["name"] = name
    return found


def thread_fields(root: Fields) -> list[Fields]:
    """The threads as they come."""
    embedded = root.loose("_embedded")
    return embedded.objects("threads") if embedded else []


def threads(root: Fields) -> list[MessageFacts]:
    """Oldest first; drafts and system lines without text are no messages."""
    told = [_thread(root, fields) for fields in reversed(thread_fields(root)) if _is_message(fields)]
    return sorted(told, key=_age)


def _age(facts: MessageFacts) -> float:
    at = facts.get("at")
    return 0.0 if at is None else at.timestamp()


def _is_message(thread: Fields) -> bool:
    return thread.word("state") != "draft" and thread.word("body") is not None


def _thread(root: Fields, thread: Fields) -> MessageFacts:
    raw, at = thread.text("body") or "", thread.time("createdAt")
    author = thread.object("createdBy")
    return message(
        id=thread.id("id") or stable_id(root.need_id("id"), at, raw),
        role=_role(thread.word("type") or "", author),
        at=at,
        raw=raw,
        html=True,
        author=_author(author),
    )


def _role(kind: str, author: Fields | None) -> Role:
    """What is forwarded goes to somebody else than the customer."""
    if kind.startswith("forward"):
        return Role.NOTE
    known = _ROLES.get(kind)
    if known is not None:
        return known
    return _BY_AUTHOR.get((author.word("type") or "") if author else "", Role.SYSTEM)


def _author(author: Fields | None) -> Person | None:
    if not author or (who := author.id("id")) is None:
        return None
    return Person(id=who, name=full_name(author, "first", "last"))
