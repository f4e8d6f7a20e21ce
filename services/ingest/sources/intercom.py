"""Intercom: topics of an app's webhooks, API 2.x and the older 1.x. Contract: helpdesks.md section 4."""

from datetime import datetime

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.fields import Fields, broken
from services.ingest.sources.intercom_item import conversation
from services.ingest.sources.intercom_parts import opening, parts
from services.ingest.sources.signing import check, digest, hex_of, needed
from shared.domain.ticket_event import EventKind, MessageFacts, TicketEvent

__all__ = ["Intercom"]

_KINDS = {
    "conversation.user.created": EventKind.CONVERSATION_CREATED,
    "conversation.admin.single.created": EventKind.CONVERSATION_CREATED,
    "conversation.user.replied": EventKind.MESSAGE_ADDED,
    "conversation.admin.replied": EventKind.MESSAGE_ADDED,
    "conversation.operator.replied": EventKind.MESSAGE_ADDED,
    "conversation.admin.noted": EventKind.MESSAGE_ADDED,
    "conversation.admin.closed": EventKind.CONVERSATION_STATUS_CHANGED,
    "conversation.admin.opened": EventKind.CONVERSATION_STATUS_CHANGED,
    "conversation.admin.snoozed": EventKind.CONVERSATION_STATUS_CHANGED,
    "conversation.admin.unsnoozed": EventKind.CONVERSATION_STATUS_CHANGED,
    "conversation.admin.assigned": EventKind.CONVERSATION_ASSIGNED,
    "conversation.admin.open.assigned": EventKind.CONVERSATION_ASSIGNED,
    "conversation.rating.added": EventKind.CSAT_RECEIVED,
    "conversation.deleted": EventKind.CONVERSATION_DELETED,
    "conversation_part.redacted": EventKind.MESSAGE_DELETED,
    "conversation_part.tag.created": EventKind.CONVERSATION_UPDATED,
    "conversation.read": EventKind.CONVERSATION_UPDATED,
    "conversation.priority.updated": EventKind.CONVERSATION_UPDATED,
    "conversation.contact.attached": EventKind.CONVERSATION_UPDATED,
    "conversation.contact.detached": EventKind.CONVERSATION_UPDATED,
}


class Intercom:
    """An envelope around the conversation as it is now, with the part that triggered the topic."""

    name = "intercom"
    kept_headers = ()

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """HMAC-SHA1 of the body with the app's client secret; Intercom signs no time."""
        given = needed(headers, "x-hub-signature")
        check(hex_of("sha1=")(digest("sha1", secret, body)), given)

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Where it belongs; a ping may have no id."""
        root = Fields.of(payload)
        topic = root.word("topic")
        if topic is None:
            raise broken("topic is missing")
        disposition = Disposition.EVENT if topic in _KINDS else Disposition.IGNORED
        if topic == "ping":
            disposition = Disposition.PING
        return Glance(
            disposition=disposition,
            source_event=topic,
            account_id=root.id("app_id"),
            external_id=_conversation_id(_item(root)) if disposition is Disposition.EVENT else None,
            delivery_id=root.id("id"),
            occurred_at=root.time("created_at"),
        )

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """One event, or none."""
        seen = self.glance(payload, headers)
        if seen.disposition is Disposition.IGNORED:
            return []
        root = Fields.of(payload)
        kind = _KINDS.get(seen.source_event or "", EventKind.PING)
        ping = kind is EventKind.PING
        return [
            TicketEvent(
                source=self.name,
                account_id=seen.account_id,
                delivery_id=seen.delivery_id,
                kind=kind,
                source_event=seen.source_event,
                occurred_at=seen.occurred_at,
                conversation={"id": ""} if ping else conversation(seen.external_id or "", _item(root)),
                messages=() if ping else tuple(_messages(seen.external_id or "", kind, _item(root))),
            )
        ]


def _messages(conversation_id: str, kind: EventKind, item: Fields) -> list[MessageFacts]:
    messages = parts(conversation_id, item)
    if kind is EventKind.CONVERSATION_CREATED:
        return opening(conversation_id, item) + messages
    if kind is EventKind.MESSAGE_DELETED:
        return [message for message in messages if message.get("deleted")]
    return messages


def _item(root: Fields) -> Fields:
    return root.need_object("data").need_object("item")


def _conversation_id(item: Fields) -> str:
    """Topics of a part may send the part itself, which names its conversation."""
    if item.word("type") == "conversation_part":
        nested = item.object("conversation")
        return nested.need_id("id") if nested else item.need_id("conversation_id")
    return item.need_id("id")
