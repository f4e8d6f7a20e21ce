"""Zendesk: event subscriptions and trigger templates. Contract: helpdesks.md section 1."""

from datetime import datetime

from services.ingest.sources import zendesk_event, zendesk_trigger
from services.ingest.sources.base import Glance, Headers
from services.ingest.sources.fields import Fields
from services.ingest.sources.signing import check, check_recent, digest, in_base64, needed
from shared.domain.ticket_event import TicketEvent

__all__ = ["Zendesk"]


class Zendesk:
    """A webhook is connected in one of two exclusive ways; the body tells which."""

    name = "zendesk"
    kept_headers = ("x-zendesk-webhook-invocation-id", "x-zendesk-account-id")

    def verify(self, body: bytes, headers: Headers, *, secret: str, now: datetime) -> None:
        """HMAC-SHA256 of timestamp and body; the secret is the literal string."""
        given = needed(headers, "x-zendesk-webhook-signature")
        stamp = needed(headers, "x-zendesk-webhook-signature-timestamp")
        check(in_base64(digest("sha256", secret, stamp.encode("utf-8", "replace") + body)), given)
        check_recent(stamp, now)

    def glance(self, payload: object, headers: Headers) -> Glance:
        """Where it belongs; an unknown type is ignored."""
        root = Fields.of(payload)
        if zendesk_trigger.is_trigger(root):
            return zendesk_trigger.glance(root, headers)
        return zendesk_event.glance(root, headers)

    def parse(self, payload: object, headers: Headers) -> list[TicketEvent]:
        """One event, or none for an unknown type."""
        root = Fields.of(payload)
        if zendesk_trigger.is_trigger(root):
            return zendesk_trigger.parse(root, headers)
        return zendesk_event.parse(root, headers)
