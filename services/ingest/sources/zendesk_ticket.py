"""What `detail` and `event` of a Zendesk event say of the ticket."""

from datetime import datetime

from services.ingest.sources.facts import csat, tell_times
from services.ingest.sources.fields import Fields
from services.ingest.sources.words import channel_of, priority_of, status_of
from shared.domain.conversation import Channel, Status
from shared.domain.ticket_event import ConversationFacts, Person, Survey

__all__ = ["conversation"]

_SCORES = {"good": 5.0, "bad": 1.0}


def conversation(
    ticket_id: str, short: str, detail: Fields, event: Fields, occurred_at: datetime | None
) -> ConversationFacts:
    """The ticket as it was after the event."""
    facts = _detail(ticket_id, detail)
    if short == "ticket.status_changed" and "status" not in facts and event.word("current"):
        facts["status_raw"] = event.word("current")
        facts["status"] = status_of(facts["status_raw"])
    if short == "ticket.soft_deleted":
        facts["status"] = Status.DELETED
    if short == "ticket.marked_as_spam":
        facts["status"] = Status.SPAM
    if short == "ticket.merged" and (target := _merged_into(event)) is not None:
        facts["merged_into"] = target
    if short == "ticket.csat_received" and (answer := _csat(event, occurred_at)) is not None:
        facts["csat"] = answer
    if short == "messaging_ticket.message_added":
        facts.setdefault("channel", Channel.MESSAGING)
        if (customer := _end_user(event)) is not None:
            facts.setdefault("customer", customer)
    return facts


def _detail(ticket_id: str, detail: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=ticket_id)
    if (via := detail.object("via")) and "channel" in via:
        facts["channel_raw"] = via.word("channel")
        facts["channel"] = channel_of(facts["channel_raw"])
    if "subject" in detail:
        facts["subject"] = detail.word("subject")
    if "status" in detail:
        facts["status_raw"] = detail.word("status")
        facts["status"] = status_of(facts["status_raw"])
    if "priority" in detail:
        facts["priority"] = priority_of(detail.word("priority"))
    if "tags" in detail:
        facts["tags"] = detail.texts("tags")
    tell_times(facts, detail, {"created_at": "created_at", "updated_at": "updated_at"})
    return facts | _people(ticket_id, detail)


def _people(ticket_id: str, detail: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=ticket_id)
    if "group_id" in detail:
        team = detail.id("group_id")
        facts["team"] = None if team is None else {"id": team}
    if "assignee_id" in detail:
        agent = detail.id("assignee_id")
        facts["assignee"] = None if agent is None else {"id": agent, "kind": "agent"}
    if "requester_id" in detail:
        customer = detail.id("requester_id")
        facts["customer"] = None if customer is None else {"id": customer}
    return facts


def _merged_into(event: Fields) -> str | None:
    """The name of the key is not documented; any of these may hold the target's id."""
    for name in ("target_ticket_id", "target_id", "ticket_id", "merged_into"):
        if (found := event.id(name)) is not None:
            return found
    return None


def _csat(event: Fields, occurred_at: datetime | None) -> Survey | None:
    score = event.loose("satisfaction_score")
    if score is not None:
        raw, comment = score.word("score"), score.word("comment")
    else:
        raw, comment = event.word("satisfaction_score"), event.word("comment")
    value = _SCORES.get((raw or "").casefold())
    return None if value is None else csat(value, raw, comment, occurred_at)


def _end_user(event: Fields) -> Person | None:
    actor = event.object("actor")
    if not actor or actor.word("type") != "end_user" or (who := actor.id("id")) is None:
        return None
    return Person(id=who, name=actor.word("name"))
