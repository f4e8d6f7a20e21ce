"""Our own webhook: one canonical event as JSON, signed. For systems that no other source knows.

X-Pruefstein-Timestamp: epoch seconds or ISO 8601
X-Pruefstein-Signature: sha256= and the hex HMAC-SHA256 of "<timestamp>." and the body
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.facts import body_of
from services.ingest.sources.fields import Fields, broken
from services.ingest.sources.signing import check, check_recent, digest, hex_of, needed
from shared.contracts.v1.ticket_event import parse_ticket_event
from shared.domain.conversation import Role
from shared.domain.ticket_event import EventKind, MessageFacts, TicketEvent

__all__ = ["Generic"]


class Generic:
    """The body is in our words already."""

    name = "generic"
    kept_headers = ()

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """HMAC-SHA256 of timestamp, a dot and the body."""
        given = needed(headers, "x-pruefstein-signature")
        stamp = needed(headers, "x-pruefstein-timestamp")
        mac = digest("sha256", secret, stamp.encode("utf-8", "replace") + b"." + body)
        check(hex_of("sha256=")(mac), given)
        check_recent(stamp, now)

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Where it belongs."""
        root = Fields.of(payload)
        event = root.word("event")
        if event is None:
            raise broken("event is missing")
        ping = event == EventKind.PING
        return Glance(
            disposition=Disposition.PING if ping else Disposition.EVENT,
            source_event=root.word("source_event") or event,
            account_id=root.id("account_id"),
            external_id=None if ping else root.need_object("conversation").need_id("id"),
            delivery_id=root.id("delivery_id"),
            occurred_at=root.time("occurred_at"),
        )

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """The event; a message that comes only as HTML gets its text by the rules."""
        event = parse_ticket_event(payload)
        kind = payload.get("event") if isinstance(payload, Mapping) else None
        source_event = event.source_event or (kind if isinstance(kind, str) else None)
        return [
            replace(
                event,
                source_event=source_event,
                messages=tuple(_completed(message) for message in event.messages),
            )
        ]


def _completed(facts: MessageFacts) -> MessageFacts:
    html = facts.get("html")
    if html is None or "text" in facts or facts.get("deleted"):
        return facts
    body = body_of(html, facts.get("role", Role.SYSTEM), html=True)
    return {**facts, "text": body.text, "quoted_text": body.quoted_text}
