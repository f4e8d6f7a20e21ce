"""The envelope of Zendesk's event subscriptions: `{type, account_id, id, time, subject, detail, event}`."""

from datetime import datetime

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.fields import Fields, broken
from services.ingest.sources.zendesk_messages import comment, comment_reference, description, messaging
from services.ingest.sources.zendesk_ticket import conversation
from shared.domain.ticket_event import EventKind, MessageFacts, TicketEvent

__all__ = ["glance", "parse"]

_PREFIX = "zen:event-type:"
_SUBJECT = "zen:ticket:"
_UPDATES = (
    *("subject", "priority", "type", "tags", "brand", "form", "requester", "submitter", "organization"),
    *("external_id", "due_at", "custom_field", "sla_policy", "next_sla_breach", "schedule", "description"),
)
_KINDS = {
    "ticket.created": EventKind.CONVERSATION_CREATED,
    "ticket.comment_added": EventKind.MESSAGE_ADDED,
    "ticket.comment_made_private": EventKind.MESSAGE_UPDATED,
    "ticket.comment_redacted": EventKind.MESSAGE_DELETED,
    "ticket.status_changed": EventKind.CONVERSATION_STATUS_CHANGED,
    "ticket.custom_status_changed": EventKind.CONVERSATION_STATUS_CHANGED,
    "ticket.soft_deleted": EventKind.CONVERSATION_STATUS_CHANGED,
    "ticket.undeleted": EventKind.CONVERSATION_STATUS_CHANGED,
    "ticket.marked_as_spam": EventKind.CONVERSATION_STATUS_CHANGED,
    "ticket.agent_assignment_changed": EventKind.CONVERSATION_ASSIGNED,
    "ticket.group_assignment_changed": EventKind.CONVERSATION_ASSIGNED,
    "ticket.csat_requested": EventKind.CONVERSATION_UPDATED,
    "ticket.csat_received": EventKind.CSAT_RECEIVED,
    "ticket.merged": EventKind.CONVERSATION_MERGED,
    "ticket.permanently_deleted": EventKind.CONVERSATION_DELETED,
    "messaging_ticket.message_added": EventKind.MESSAGE_ADDED,
    **{f"ticket.{name}_changed": EventKind.CONVERSATION_UPDATED for name in _UPDATES},
}
_FETCHED = (
    *("ticket.comment_made_private", "ticket.comment_redacted", "ticket.merged"),
    *("messaging_ticket.message_added", "ticket.sla_policy_changed", "ticket.next_sla_breach_changed"),
)


def glance(root: Fields, headers: Headers) -> Glance:
    """Where it belongs; types that we do not know, and those of users and the like, are ignored."""
    source_event = root.word("type")
    if source_event is None:
        raise broken("type is missing")
    known = _short(source_event) in _KINDS
    return Glance(
        disposition=Disposition.EVENT if known else Disposition.IGNORED,
        source_event=source_event,
        account_id=root.id("account_id") or headers.get("x-zendesk-account-id"),
        external_id=_ticket_id(root) if known else None,
        delivery_id=root.id("id") or headers.get("x-zendesk-webhook-invocation-id"),
        occurred_at=root.time("time"),
    )


def parse(root: Fields, headers: Headers) -> list[TicketEvent]:
    """One event, or none."""
    seen = glance(root, headers)
    if seen.disposition is not Disposition.EVENT:
        return []
    short = _short(seen.source_event or "")
    detail = root.object("detail") or Fields({}, "detail")
    event = root.object("event") or Fields({}, "event")
    ticket_id = _ticket_id(root)
    return [
        TicketEvent(
            source="zendesk",
            account_id=seen.account_id,
            delivery_id=seen.delivery_id,
            kind=_KINDS[short],
            source_event=seen.source_event,
            occurred_at=seen.occurred_at,
            conversation=conversation(ticket_id, short, detail, event, seen.occurred_at),
            messages=tuple(_messages(ticket_id, short, detail, event, seen.occurred_at)),
            needs_fetch=short in _FETCHED,
        )
    ]


def _short(source_event: str) -> str:
    return source_event.removeprefix(_PREFIX)


def _ticket_id(root: Fields) -> str:
    detail = root.object("detail")
    subject = root.word("subject") or ""
    found = detail.id("id") if detail else None
    if found is None and subject.startswith(_SUBJECT) and len(subject) <= 256:
        found = subject.removeprefix(_SUBJECT) or None
    if found is None:
        raise broken("detail.id is missing")
    return found


def _messages(
    ticket_id: str, short: str, detail: Fields, event: Fields, occurred_at: datetime | None
) -> list[MessageFacts]:
    if short == "ticket.created":
        return description(ticket_id, detail)
    if short == "ticket.comment_added":
        at = detail.time("updated_at") or occurred_at
        return [comment(ticket_id, event.need_object("comment"), at)]
    if short in ("ticket.comment_made_private", "ticket.comment_redacted"):
        return comment_reference(event, redacted=short.endswith("redacted"))
    if short == "messaging_ticket.message_added":
        return [messaging(ticket_id, event, occurred_at)]
    return []
