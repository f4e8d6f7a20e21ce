"""The recommended template of a Zendesk trigger: short labels, the rest is to be fetched."""

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.facts import csat, tell_times
from services.ingest.sources.fields import Fields
from services.ingest.sources.words import channel_of, language_of, priority_of, status_of
from shared.domain.ticket_event import ConversationFacts, EventKind, Survey, Team, TicketEvent

__all__ = ["glance", "is_trigger", "parse"]

_KINDS = {
    "ticket_created": EventKind.CONVERSATION_CREATED,
    "status_changed": EventKind.CONVERSATION_STATUS_CHANGED,
    "ticket_solved": EventKind.CONVERSATION_STATUS_CHANGED,
    "assigned": EventKind.CONVERSATION_ASSIGNED,
    "csat_received": EventKind.CSAT_RECEIVED,
}
_GOOD, _BAD = ("good", "gut"), ("bad", "schlecht")


def is_trigger(root: Fields) -> bool:
    """Our template names itself."""
    schema = root.data.get("schema")
    return isinstance(schema, str) and schema.startswith("autoqa.zendesk.trigger.")


def glance(root: Fields, headers: Headers) -> Glance:
    """Every delivery is an event."""
    return Glance(
        disposition=Disposition.EVENT,
        source_event=f"trigger:{root.word('event') or 'unnamed'}",
        account_id=headers.get("x-zendesk-account-id"),
        external_id=root.need_id("ticket_id"),
        delivery_id=headers.get("x-zendesk-webhook-invocation-id"),
        occurred_at=root.time("updated_at"),
    )


def parse(root: Fields, headers: Headers) -> list[TicketEvent]:
    """One event; an event name of the admin's own invention counts as an update."""
    seen = glance(root, headers)
    return [
        TicketEvent(
            source="zendesk",
            account_id=seen.account_id,
            delivery_id=seen.delivery_id,
            kind=_KINDS.get(root.word("event") or "", EventKind.CONVERSATION_UPDATED),
            source_event=seen.source_event,
            occurred_at=seen.occurred_at,
            conversation=_conversation(root),
            needs_fetch=True,
        )
    ]


def _conversation(root: Fields) -> ConversationFacts:
    """An empty placeholder may be an empty value or a mistyped name, so it says nothing."""
    facts = ConversationFacts(id=root.need_id("ticket_id"))
    if (via := root.word("ticket_via")) is not None:
        facts["channel"], facts["channel_raw"] = channel_of(via), via
    if (status := root.word("ticket_status")) is not None:
        facts["status"], facts["status_raw"] = status_of(status), status
    if (priority := root.word("ticket_priority")) is not None:
        facts["priority"] = priority_of(priority)
    if (tags := root.word("ticket_tags")) is not None:
        facts["tags"] = tags.split()
    if (language := language_of(root.word("requester_language"))) is not None:
        facts["language"] = language
    tell_times(facts, root, {"created_at": "created_at", "updated_at": "updated_at"})
    if (answer := _csat(root)) is not None:
        facts["csat"] = answer
    return facts | _people(root)


def _people(root: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=root.need_id("ticket_id"))
    if (team := root.id("ticket_group_id")) is not None:
        name = root.word("ticket_group_name")
        facts["team"] = Team(id=team) if name is None else Team(id=team, name=name)
    if (agent := root.id("assignee_id")) is not None:
        facts["assignee"] = {"id": agent, "kind": "agent"}
    if (customer := root.id("requester_id")) is not None:
        facts["customer"] = {"id": customer}
    return facts


def _csat(root: Fields) -> Survey | None:
    raw = root.word("satisfaction_rating")
    word = (raw or "").casefold()
    if word.startswith(_GOOD):
        return csat(5, raw, root.word("satisfaction_comment"), None)
    if word.startswith(_BAD):
        return csat(1, raw, root.word("satisfaction_comment"), None)
    return None
