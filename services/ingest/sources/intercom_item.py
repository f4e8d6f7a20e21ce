"""What Intercom's conversation object says, in its form of API 2.x and of 1.x."""

from services.ingest.sources.facts import csat, person, tell_times
from services.ingest.sources.fields import Fields
from services.ingest.sources.words import channel_of, language_of, priority_of
from services.ingest.text import html_body
from shared.domain.conversation import Channel, Status
from shared.domain.ticket_event import ConversationFacts, Person, Survey

__all__ = ["conversation"]

_STATUS = {"open": Status.OPEN, "closed": Status.CLOSED, "snoozed": Status.SNOOZED}


def conversation(conversation_id: str, item: Fields) -> ConversationFacts:
    """The conversation as it is; a deleted one is little more than its id."""
    facts = ConversationFacts(id=conversation_id)
    if item.word("type") == "conversation_part":
        return facts
    source = item.object("source")
    if source and "type" in source:
        raw = facts["channel_raw"] = source.word("type")
        facts["channel"] = Channel.CHAT if raw == "conversation" else channel_of(raw)
    if "state" in item:
        facts["status_raw"] = item.word("state")
        facts["status"] = _STATUS.get(facts["status_raw"] or "")
    if "priority" in item:
        facts["priority"] = priority_of(item.word("priority"))
    if "title" in item or source:
        facts["subject"] = _subject(item, source)
    tags = item.object("tags")
    if tags:
        facts["tags"] = [name for tag in tags.objects("tags") if (name := tag.word("name")) is not None]
    tell_times(facts, item, {"created_at": "created_at", "updated_at": "updated_at"})
    return facts | _people(conversation_id, item) | _outcome(conversation_id, item)


def _subject(item: Fields, source: Fields | None) -> str | None:
    raw = item.word("title") or (source.word("subject") if source else None)
    return (html_body(raw, of_customer=False).text or None) if raw else None


def _people(conversation_id: str, item: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=conversation_id)
    if "team_assignee_id" in item:
        team = _assigned(item, "team_assignee_id")
        facts["team"] = None if team is None else {"id": team}
    if "admin_assignee_id" in item:
        agent = _assigned(item, "admin_assignee_id")
        facts["assignee"] = None if agent is None else {"id": agent, "kind": "agent"}
    elif "assignee" in item:
        facts |= _legacy_assignee(conversation_id, item.object("assignee"))
    if "contacts" in item:
        facts["customer"] = _contact(item)
    elif "user" in item:
        facts["customer"] = person(item.object("user"))
    return facts


def _assigned(item: Fields, name: str) -> str | None:
    """Number, text, null and 0 all occur."""
    found = item.id(name)
    return None if found == "0" else found


def _legacy_assignee(conversation_id: str, assignee: Fields | None) -> ConversationFacts:
    kind = assignee.word("type") if assignee else None
    if assignee and kind == "team":
        return ConversationFacts(id=conversation_id, team={"id": assignee.need_id("id")}, assignee=None)
    named = assignee if kind == "admin" else None
    return ConversationFacts(id=conversation_id, assignee=person(named, kind="agent"))


def _contact(item: Fields) -> Person | None:
    """Contacts come as ids; the author of the first message may be the same person, with a name."""
    listed = item.object("contacts")
    contacts = listed.objects("contacts") if listed else []
    if not contacts or (contact_id := contacts[0].id("id")) is None:
        return None
    source = item.object("source")
    author = source.object("author") if source else None
    if author and author.id("id") == contact_id:
        return person(author)
    return Person(id=contact_id)


def _outcome(conversation_id: str, item: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=conversation_id)
    statistics = item.object("statistics")
    if statistics:
        tell_times(facts, statistics, {"first_reply_at": "first_admin_reply_at"})
        # The last closing stays in the statistics when a conversation is opened again.
        closed = item.word("state") == "closed"
        facts["solved_at"] = statistics.time("last_close_at") if closed else None
    if "sla_applied" in item:
        sla = item.object("sla_applied")
        facts["sla"] = {"name": sla.word("sla_name"), "status": sla.word("sla_status")} if sla else None
    custom = item.loose("custom_attributes")
    if custom and isinstance(custom.data.get("Language"), str):
        language = language_of(custom.word("Language"))
        if language is not None:
            facts["language"] = language
    if (answer := _csat(item)) is not None:
        facts["csat"] = answer
    return facts


def _csat(item: Fields) -> Survey | None:
    """`created_at` is when the question was asked."""
    rating = item.loose("conversation_rating")
    score = rating.number("rating") if rating else None
    if rating is None or score is None or not 1 <= score <= 5:
        return None
    return csat(score, rating.text("rating"), rating.text("remark"), rating.time("updated_at"))
