"""Chatwoot: account and inbox webhooks. Contract: helpdesks.md section 3."""

from datetime import datetime

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.chatwoot_conversation import conversation
from services.ingest.sources.chatwoot_messages import is_deleted, message_facts, survey
from services.ingest.sources.fields import Fields, broken
from services.ingest.sources.signing import check, check_recent, digest, hex_of, needed
from shared.contracts.instants import parse_instant
from shared.domain.ticket_event import ConversationFacts, EventKind, MessageFacts, TicketEvent
from shared.errors import Rejected

__all__ = ["Chatwoot"]

_CONVERSATION_KINDS = {
    "conversation_created": EventKind.CONVERSATION_CREATED,
    "conversation_updated": EventKind.CONVERSATION_UPDATED,
    "conversation_status_changed": EventKind.CONVERSATION_STATUS_CHANGED,
}
_MESSAGE_KINDS = {
    "message_created": EventKind.MESSAGE_ADDED,
    "message_updated": EventKind.MESSAGE_UPDATED,
}
_ASSIGNMENT = frozenset({"assignee_id", "team_id", "assignee_agent_bot_id"})


class Chatwoot:
    """The payload is built when Chatwoot's job runs, so the conversation may be later than the event."""

    name = "chatwoot"
    kept_headers = ("x-chatwoot-delivery", "x-chatwoot-timestamp")

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """HMAC-SHA256 of timestamp, a dot and the body."""
        given = needed(headers, "x-chatwoot-signature")
        stamp = needed(headers, "x-chatwoot-timestamp")
        mac = digest("sha256", secret, stamp.encode("utf-8", "replace") + b"." + body)
        check(hex_of("sha256=")(mac), given)
        check_recent(stamp, now)

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Where it belongs; contacts, inboxes, typing and unknown events are ignored."""
        root = Fields.of(payload)
        event = root.word("event")
        if event is None:
            raise broken("event is missing")
        account = root.object("account")
        known = event in _MESSAGE_KINDS or event in _CONVERSATION_KINDS
        return Glance(
            disposition=Disposition.EVENT if known else Disposition.IGNORED,
            source_event=event,
            account_id=account.id("id") if account else None,
            external_id=_conversation_fields(root, event).need_id("id") if known else None,
            delivery_id=headers.get("x-chatwoot-delivery"),
            occurred_at=_occurred_at(root, event, headers) if known else None,
        )

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """One event, or none."""
        seen = self.glance(payload, headers)
        if seen.disposition is not Disposition.EVENT:
            return []
        root = Fields.of(payload)
        event = seen.source_event or ""
        facts = conversation(_conversation_fields(root, event))
        kind, messages = _conversation_kind(root, event), list[MessageFacts]()
        if event in _MESSAGE_KINDS:
            kind = _message_kind(root, event, facts, seen.occurred_at)
            messages = [message_facts(root)]
        return [
            TicketEvent(
                source=self.name,
                account_id=seen.account_id,
                delivery_id=seen.delivery_id,
                kind=kind,
                source_event=event,
                occurred_at=seen.occurred_at,
                conversation=facts,
                messages=tuple(messages),
            )
        ]


def _conversation_fields(root: Fields, event: str) -> Fields:
    """The last public message inside it may be another than the event's: nobody reads it here."""
    return root.need_object("conversation") if event in _MESSAGE_KINDS else root


def _occurred_at(root: Fields, event: str, headers: Headers) -> datetime | None:
    if event == "message_created":
        return root.time("created_at")
    updated_at = _conversation_fields(root, event).time("updated_at")
    if event == "message_updated":
        # An update has no time of its own; it is sent at once.
        return _sent_at(headers) or updated_at or root.time("created_at")
    return updated_at


def _sent_at(headers: Headers) -> datetime | None:
    try:
        return parse_instant(headers["x-chatwoot-timestamp"]) if "x-chatwoot-timestamp" in headers else None
    except ValueError:
        raise Rejected("x-chatwoot-timestamp is not a time", reason="invalid_payload") from None


def _conversation_kind(root: Fields, event: str) -> EventKind:
    kind = _CONVERSATION_KINDS.get(event, EventKind.CONVERSATION_UPDATED)
    if kind is EventKind.CONVERSATION_UPDATED:
        changed = {name for change in root.objects("changed_attributes") for name in change.data}
        if changed & _ASSIGNMENT:
            return EventKind.CONVERSATION_ASSIGNED
    return kind


def _message_kind(
    root: Fields, event: str, facts: ConversationFacts, occurred_at: datetime | None
) -> EventKind:
    if is_deleted(root):
        return EventKind.MESSAGE_DELETED
    answer = survey(root, occurred_at)
    if answer is not None:
        facts["csat"] = answer
        return EventKind.CSAT_RECEIVED
    return _MESSAGE_KINDS[event]
