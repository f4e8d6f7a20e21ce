"""What stands on `ticket-events`: made at the door, read by the consumer. Pure.

Webhooks travel as the bytes that were signed, and are parsed only when they are consumed: the door stays
fast, and a better parser can read them again.
"""

import hashlib
from dataclasses import replace
from typing import Final

from services.ingest.directory import WebhookSource
from services.ingest.refold import Arrival, Identity
from services.ingest.sources import SOURCES
from services.ingest.sources.base import Glance, Headers
from shared.broker.record import Outgoing, Record
from shared.contracts import topics
from shared.contracts.envelope import (
    WEBHOOK_RECEIVED,
    Envelope,
    from_kafka,
    http_headers_json,
)
from shared.contracts.v1.ticket_event import parse_ticket_event
from shared.domain.ticket_event import EventKind, TicketEvent
from shared.errors import Rejected
from shared.ids import conversation_id

MAX_ID: Final = 256
"""Characters of a conversation's or message's id; they stand in keys and indexes."""


def webhook_record(source: WebhookSource, glance: Glance, body: bytes, headers: Headers) -> Outgoing:
    """A verified webhook as a record."""
    account_id = glance.account_id or source.account_id
    extensions = {
        "tenantid": source.tenant_id,
        "sourceid": source.id,
        "vendor": source.vendor,
        "httpheaders": http_headers_json(headers, SOURCES[source.vendor].kept_headers),
    }
    if source.account_id is not None:
        extensions["accountid"] = source.account_id
    envelope = Envelope(
        id=f"{source.vendor}:{glance.delivery_id or hashlib.sha256(body).hexdigest()}",
        source=f"/helpdesk/{source.vendor}/{account_id or '-'}",
        type=WEBHOOK_RECEIVED,
        subject=glance.external_id,
        time=glance.occurred_at,
        extensions=extensions,
        data=body,
    )
    return _outgoing(envelope, source.tenant_id, source.vendor, account_id, glance.external_id or "-")


def event_record(
    envelope: Envelope, *, tenant_id: str, source: str, account_id: str | None, external_id: str
) -> Outgoing:
    """A canonical event as a record. The tenant is the sender's, whatever the envelope says."""
    own = replace(envelope, extensions={**envelope.extensions, "tenantid": tenant_id})
    return _outgoing(own, tenant_id, source, account_id, external_id)


def _outgoing(
    envelope: Envelope, tenant_id: str, source: str, account_id: str | None, external_id: str
) -> Outgoing:
    value, headers = envelope.to_kafka()
    return Outgoing(
        topic=topics.TICKET_EVENTS,
        key=topics.conversation_key(tenant_id, source, account_id, external_id),
        value=value,
        headers=headers,
    )


def arrivals_of(record: Record, *, default_tenant: str | None) -> tuple[Arrival, ...]:
    """The events of a record; none for a tombstone or a ping.

    Raises `Rejected` for what is neither a webhook of ours nor a canonical event, or names no tenant while
    there is no `default_tenant`.
    """
    if record.value is None:
        return ()
    envelope = from_kafka(record.key, record.value, record.headers)
    tenant_id = envelope.extensions.get("tenantid") or default_tenant
    if not tenant_id:
        raise Rejected("the record names no tenant", reason="no_tenant")
    if envelope.type == WEBHOOK_RECEIVED:
        events = _webhook_events(envelope)
    else:
        events = [parse_ticket_event(envelope.json())]
    return tuple(
        Arrival(
            tenant_id=_bounded(tenant_id),
            conversation=_identity(tenant_id, event),
            event=event,
            received_at=record.at,
        )
        for event in events
        if event.kind is not EventKind.PING
    )


def _webhook_events(envelope: Envelope) -> list[TicketEvent]:
    vendor = SOURCES.get(envelope.extensions.get("vendor", ""))
    if vendor is None:
        raise Rejected("the webhook's vendor is unknown", reason="unknown_vendor")
    events = vendor.parse(envelope.json(), envelope.http_headers)
    account_id = envelope.extensions.get("accountid")
    return [event if event.account_id else replace(event, account_id=account_id) for event in events]


def _identity(tenant_id: str, event: TicketEvent) -> Identity:
    external_id = _bounded(event.conversation["id"])
    for message in event.messages:
        _bounded(message["id"])
    return Identity(
        id=conversation_id(tenant_id, event.source, event.account_id, external_id),
        source=event.source,
        account_id=event.account_id,
        external_id=external_id,
    )


def _bounded(identifier: str) -> str:
    if not 0 < len(identifier) <= MAX_ID:
        raise Rejected(f"an id has 1 to {MAX_ID} characters", reason="invalid_id")
    return identifier
