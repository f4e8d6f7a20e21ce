"""What ingest writes to `ticket-events` and reads from it."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from services.ingest.directory import WebhookSource
from services.ingest.records import arrivals_of, event_record, webhook_record
from services.ingest.refold import Arrival
from services.ingest.sources import SOURCES
from shared.broker.record import Outgoing, Record
from shared.contracts.envelope import from_http
from shared.errors import Rejected
from tests.unit.ingest.samples import Signed, vectors

AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
EVENT = {"event": "message.added", "source": "shop", "conversation": {"id": "1"}, "messages": []}


def consumed(sent: Outgoing) -> Record:
    """As it comes back from the broker."""
    return Record(
        topic=sent.topic, partition=0, offset=0, key=sent.key, value=sent.value, headers=sent.headers, at=AT
    )


def read(sent: Outgoing, default_tenant: str | None = None) -> tuple[Arrival, ...]:
    """Its events."""
    return arrivals_of(consumed(sent), default_tenant=default_tenant)


@pytest.mark.parametrize("signed", vectors(), ids=lambda signed: f"{signed.vendor}-{signed.name}")
def test_a_webhook_means_the_same_after_the_topic(signed: Signed) -> None:
    """What the vendor's parser needs beside the body travels with it."""
    vendor = SOURCES[signed.vendor]
    source = WebhookSource(
        id="src", tenant_id="t", vendor=signed.vendor, account_id="configured", secret=signed.secrets[0]
    )
    glance = vendor.glance(signed.payload, signed.headers)
    if glance.external_id is None:
        return
    sent = webhook_record(source, glance, signed.body, signed.headers)
    arrivals = read(sent)
    direct = vendor.parse(signed.payload, signed.headers)
    assert [arrival.event for arrival in arrivals] == [
        replace(event, account_id=event.account_id or "configured") for event in direct
    ]
    for arrival in arrivals:
        assert (arrival.tenant_id, arrival.received_at) == ("t", AT)
        identity = arrival.conversation
        assert sent.key is not None
        assert sent.key.decode() == f"t:{identity.source}:{identity.account_id}:{identity.external_id}"


def test_no_secret_of_a_request_reaches_the_topic() -> None:
    """Of the headers only those stay that parsing needs; signatures and passwords do not."""
    for signed in vectors():
        vendor = SOURCES[signed.vendor]
        source = WebhookSource(
            id="src", tenant_id="t", vendor=signed.vendor, account_id=None, secret=signed.secrets[0]
        )
        sent = webhook_record(
            source, vendor.glance(signed.payload, signed.headers), signed.body, signed.headers
        )
        headers = b"".join(value for _, value in sent.headers)
        assert signed.secrets[0].encode() not in headers
        for name, value in signed.headers.items():
            if "signature" in name or name in ("authorization", "x-autoqa-token"):
                assert value.encode() not in headers or name.endswith("timestamp")


def test_a_canonical_event_is_its_senders_tenants() -> None:
    """Whatever the envelope claims."""
    [envelope] = from_http({}, orjson.dumps(EVENT))
    claimed = replace(envelope, extensions={"tenantid": "somebody-else"})
    [arrival] = read(event_record(claimed, tenant_id="t", source="shop", account_id=None, external_id="1"))
    assert (arrival.tenant_id, arrival.conversation.source) == ("t", "shop")


def test_a_record_without_a_tenant_needs_a_default() -> None:
    """Else nobody would know whose it is."""
    plain = Outgoing(topic="t", key=None, value=orjson.dumps(EVENT))
    with pytest.raises(Rejected) as refused:
        read(plain)
    assert refused.value.reason == "no_tenant"
    [arrival] = read(plain, "only")
    assert arrival.tenant_id == "only"


def test_tombstones_and_pings_hold_no_event() -> None:
    """They are passed over, not buried."""
    assert read(Outgoing(topic="t", key=b"k", value=None)) == ()
    assert read(Outgoing(topic="t", key=b"k", value=orjson.dumps({"event": "ping"})), "t") == ()


@pytest.mark.parametrize(
    "event",
    [
        EVENT | {"conversation": {"id": "x" * 257}},
        EVENT | {"messages": [{"id": "x" * 257}]},
        EVENT | {"conversation": {"id": ""}},
    ],
)
def test_ids_are_bounded(event: dict[str, object]) -> None:
    """They stand in keys and indexes."""
    with pytest.raises(Rejected):
        read(Outgoing(topic="t", key=None, value=orjson.dumps(event)), "t")
