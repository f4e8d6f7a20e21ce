"""Help Scout: v2 webhooks; the event is named by a header only. Contract: helpdesks.md section 6."""

from datetime import datetime

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.facts import csat, full_name, latest
from services.ingest.sources.fields import Fields, broken
from services.ingest.sources.helpscout_conversation import conversation, thread_fields, threads
from services.ingest.sources.signing import check, digest, in_base64, needed
from shared.domain.ticket_event import ConversationFacts, EventKind, Person, TicketEvent

__all__ = ["Helpscout"]

_RATING = "satisfaction.ratings"
_KINDS = {
    "convo.created": EventKind.CONVERSATION_CREATED,
    "convo.ai-answers.created": EventKind.CONVERSATION_CREATED,
    "convo.assigned": EventKind.CONVERSATION_ASSIGNED,
    "convo.moved": EventKind.CONVERSATION_ASSIGNED,
    "convo.status": EventKind.CONVERSATION_STATUS_CHANGED,
    "convo.tags": EventKind.CONVERSATION_UPDATED,
    "convo.custom-fields": EventKind.CONVERSATION_UPDATED,
    "convo.customer.reply.created": EventKind.MESSAGE_ADDED,
    "convo.agent.reply.created": EventKind.MESSAGE_ADDED,
    "convo.note.created": EventKind.MESSAGE_ADDED,
    # The payload's own status says whether this one went into another.
    "convo.merged": EventKind.CONVERSATION_MERGED,
    "convo.deleted": EventKind.CONVERSATION_DELETED,
    _RATING: EventKind.CSAT_RECEIVED,
}
_SCORES = {"great": 5.0, "okay": 3.0, "bad": 1.0}


class Helpscout:
    """Every event carries the whole conversation; what was seen before changes nothing."""

    name = "helpscout"
    kept_headers = ("x-helpscout-event",)

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """HMAC-SHA1 of the body; Help Scout signs no time."""
        given = needed(headers, "x-helpscout-signature")
        check(in_base64(digest("sha1", secret, body)), given)

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Where it belongs; chats in the beacon, customers and unknown events are ignored."""
        root = Fields.of(payload)
        event = headers.get("x-helpscout-event") or _guessed(root)
        known = event in _KINDS
        return Glance(
            disposition=Disposition.EVENT if known else Disposition.IGNORED,
            source_event=event,
            external_id=root.need_id("ticketId" if event == _RATING else "id") if known else None,
            occurred_at=_occurred_at(root, event) if known else None,
        )

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """One event, or none."""
        seen = self.glance(payload, headers)
        if seen.disposition is not Disposition.EVENT:
            return []
        root = Fields.of(payload)
        rated = seen.source_event == _RATING
        return [
            TicketEvent(
                source=self.name,
                account_id=None,
                delivery_id=None,
                kind=_KINDS[seen.source_event or ""],
                source_event=seen.source_event,
                occurred_at=seen.occurred_at,
                conversation=_rating(root) if rated else conversation(root, seen.occurred_at),
                messages=() if rated else tuple(threads(root)),
                needs_fetch=seen.source_event == "convo.merged",
            )
        ]


def _guessed(root: Fields) -> str:
    """Without the header the body tells a rating from a conversation, and no more."""
    if "ticketId" in root and "rating" in root:
        return _RATING
    if "status" in root or "_embedded" in root:
        return "convo.custom-fields"
    raise broken("the header x-helpscout-event is missing")


def _occurred_at(root: Fields, event: str) -> datetime | None:
    """`userUpdatedAt` is about users; a customer's reply may be later."""
    if event == _RATING:
        return root.time("modifiedAt") or root.time("createdAt")
    written = (thread.time("createdAt") for thread in thread_fields(root))
    return latest(root.time("userUpdatedAt"), root.time("closedAt"), *written) or root.time("createdAt")


def _rating(root: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=root.need_id("ticketId"))
    raw = root.word("rating")
    score = _SCORES.get((raw or "").casefold())
    if score is not None:
        at = root.time("modifiedAt") or root.time("createdAt")
        facts["csat"] = csat(score, raw, root.text("comments"), at)
    customer = root.object("customer")
    if customer and (who := customer.id("id")) is not None:
        facts["customer"] = Person(id=who, name=full_name(customer, "firstName", "lastName"))
    return facts
