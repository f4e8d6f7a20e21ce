"""Freshdesk: automation webhooks, the default body and our template. Contract: helpdesks.md section 5."""

import base64
import binascii
import hmac
import re
from datetime import datetime

from services.ingest.sources.base import Disposition, Glance, Headers
from services.ingest.sources.fields import Fields
from services.ingest.sources.freshdesk_ticket import comments, conversation
from shared.domain.ticket_event import EventKind, TicketEvent
from shared.errors import Unauthenticated

__all__ = ["Freshdesk"]

_TRIGGER = re.compile(r"\{\s*(\w+)\s*:\s*(?:(\w+)|\{([^{}]*)\})", re.ASCII)
_TO = re.compile(r"\bto\s*:\s*(\w+)", re.ASCII)
_KINDS = {
    "note_type": EventKind.MESSAGE_ADDED,
    "reply_sent": EventKind.MESSAGE_ADDED,
    "status": EventKind.CONVERSATION_STATUS_CHANGED,
    "responder_id": EventKind.CONVERSATION_ASSIGNED,
    "agent": EventKind.CONVERSATION_ASSIGNED,
    "agent_id": EventKind.CONVERSATION_ASSIGNED,
    "group": EventKind.CONVERSATION_ASSIGNED,
    "group_id": EventKind.CONVERSATION_ASSIGNED,
    "ticket_action": EventKind.CONVERSATION_UPDATED,
}


class Freshdesk:
    """Freshdesk signs nothing; a shared secret travels in a header.

    The stored secret is either a token, sent as `X-Autoqa-Token`, or `user:password`, sent as Basic
    authentication. Exactly one of the two headers has to carry it; the other one is not looked at, so an
    administrator may set both. The token may contain a colon: both readings of the secret are tried.
    """

    name = "freshdesk"
    kept_headers = ()

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """The secret as token or as Basic authentication, compared in constant time."""
        if not secret:
            raise Unauthenticated("the source has no secret")
        expected = secret.encode()
        token = headers.get("x-autoqa-token", "").encode("utf-8", "replace")
        fits_token = hmac.compare_digest(expected, token)
        fits_basic = hmac.compare_digest(expected, _basic(headers)) and ":" in secret
        if not (fits_token or fits_basic):
            raise Unauthenticated("neither the token nor the password fits")

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Every webhook of an automation rule is an event."""
        ticket = _ticket(payload)
        return Glance(
            disposition=Disposition.EVENT,
            source_event=ticket.word("triggered_event") or ticket.word("event"),
            external_id=ticket.need_id("ticket_id"),
        )

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """One event; the payload tells no time and little more than the first change that matched."""
        ticket = _ticket(payload)
        seen = self.glance(payload, headers)
        name, value, changes = _trigger(ticket)
        kind = _KINDS.get(name, EventKind.CONVERSATION_UPDATED)
        if name == "ticket_action" and value == "created":
            kind = EventKind.CONVERSATION_CREATED
        to = _TO.search(changes)
        status_code = to.group(1) if to and name == "status" else None
        return [
            TicketEvent(
                source=self.name,
                account_id=None,
                delivery_id=None,
                kind=kind,
                source_event=seen.source_event,
                occurred_at=None,
                conversation=conversation(ticket, status_code),
                messages=tuple(comments(ticket, kind, name, value)),
                needs_fetch=True,
            )
        ]


def _ticket(payload: object) -> Fields:
    root = Fields.of(payload)
    return root.object("freshdesk_webhook") or root


def _basic(headers: Headers) -> bytes:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        decoded = base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
    # Only one spelling of the same bytes is taken.
    return decoded if base64.b64encode(decoded).decode() == encoded.strip() else b""


def _trigger(ticket: Fields) -> tuple[str, str, str]:
    """`{note_type:private}` and `{status:{from:2,to:4}}` look like JSON and are none."""
    found = _TRIGGER.match((ticket.text("triggered_event") or "")[:500])
    if found is None:
        return "", "", ""
    name, value, changes = found.groups()
    return name, value or "", changes or ""
