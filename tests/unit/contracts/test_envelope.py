"""CloudEvents in and out."""

import json
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.envelope import (
    MAX_BATCH,
    TICKET_EVENT,
    WEBHOOK_RECEIVED,
    Envelope,
    from_http,
    from_kafka,
    http_headers_json,
)
from shared.errors import Rejected, TooLarge

texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=9)
names = st.text("abcxyz019", min_size=1, max_size=9).filter(lambda name: name not in {"id", "type", "time"})
START, END = datetime(1971, 1, 1), datetime(2199, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone
envelopes = st.builds(
    Envelope,
    id=texts,
    source=texts,
    type=texts,
    subject=st.none() | texts,
    time=st.none() | st.datetimes(START, END, timezones=st.just(UTC)),
    extensions=st.dictionaries(names, texts, max_size=3),
    data=st.binary(max_size=30),
)
STRUCTURED = (("Content-Type", b"application/cloudevents+json; charset=UTF-8"),)
EVENT = {"event": "ping"}


@given(envelopes)
def test_binary_mode_on_kafka_keeps_everything_and_every_byte(envelope: Envelope) -> None:
    """A webhook's body stays what was signed."""
    value, headers = envelope.to_kafka()
    assert from_kafka(None, value, headers) == envelope


@given(envelopes)
def test_structured_mode_keeps_everything(envelope: Envelope) -> None:
    """On Kafka and over HTTP; JSON data keeps its meaning, other data its bytes."""
    body = json.dumps(envelope.to_structured()).encode()
    (over_http,) = from_http({"content-type": "application/cloudevents+json"}, body)
    again = from_kafka(b"key", body, STRUCTURED)
    assert again == over_http
    assert again.to_structured() == envelope.to_structured()


def test_http_binary_mode_reads_headers_as_they_are_escaped() -> None:
    """Names in any case, values percent-encoded."""
    headers = {
        "Content-Type": "application/json",
        "CE-SpecVersion": "1.0",
        "Ce-Id": "a%20b%C3%A4",
        "ce-source": "/x",
        "ce-type": "com.autoqa.conversation.message.added.v1",
        "ce-time": "2026-03-02T08:47:30.123Z",
        "ce-partitionkey": "zendesk:1:2",
        "Authorization": "Bearer x",
    }
    (envelope,) = from_http(headers, b'{"event":"ping"}')
    assert (envelope.id, envelope.json()) == ("a bä", EVENT)
    assert envelope.extensions == {"partitionkey": "zendesk:1:2"}
    assert envelope.time == datetime(2026, 3, 2, 8, 47, 30, 123000, tzinfo=UTC)


def test_a_batch_gives_its_events_in_order_or_none() -> None:
    """One that is broken refuses the whole, by its place."""
    one = {"specversion": "1.0", "source": "/x", "type": TICKET_EVENT, "data": EVENT}
    media = {"content-type": "application/cloudevents-batch+json; charset=utf-8"}
    body = json.dumps([{**one, "id": str(i)} for i in range(50)]).encode()
    assert [event.id for event in from_http(media, body)] == [str(i) for i in range(50)]
    assert from_http(media, b"[]") == []
    with pytest.raises(Rejected, match="event 1 of the batch: the event has no id"):
        from_http(media, json.dumps([{**one, "id": "0"}, one]).encode())
    with pytest.raises(TooLarge):
        from_http(media, json.dumps([one] * (MAX_BATCH + 1)).encode())


def test_plain_canonical_json_gets_an_id_that_follows_from_it() -> None:
    """A replay yields the same id, another conversation another."""
    value = b'{"event":"ping"}'
    first = from_kafka(b"k", value, ())
    assert first == from_kafka(b"k", value, (("content-type", b"application/json"),))
    assert first.id != from_kafka(b"other", value, ()).id
    assert (first.type, first.json()) == (TICKET_EVENT, EVENT)
    assert from_http({"content-type": "application/json"}, value)[0].json() == EVENT


def test_a_structured_event_is_known_without_its_header() -> None:
    """Many producers forget it."""
    body = b'{"specversion":"1.0","id":5,"source":"/x","type":"t","data":{"event":"ping"}}'
    assert from_kafka(None, body, ()).id == "5"


def test_a_webhook_brings_the_headers_that_parsing_needs() -> None:
    """As one extension, in lower case, and no others."""
    kept = http_headers_json(
        {"X-Zammad-Delivery": "d", "Authorization": "secret"}, ("x-zammad-delivery", "x-y")
    )
    sent = Envelope(id="1", source="/s", type=WEBHOOK_RECEIVED, extensions={"httpheaders": kept}, data=b"{")
    value, headers = sent.to_kafka()
    assert from_kafka(None, value, headers).http_headers == {"x-zammad-delivery": "d"}
    assert Envelope(id="1", source="/s", type="t").http_headers == {}


def test_the_trace_of_a_plain_header_is_kept() -> None:
    """Tracing libraries write it without a prefix."""
    _, headers = Envelope(id="1", source="/s", type="t").to_kafka()
    traced = from_kafka(None, b"{}", (*headers, ("traceparent", b"00-a-b-01")))
    assert traced.extensions == {"traceparent": "00-a-b-01"}


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (None, (), "no_value"),
        (b"\x00\x00\x00\x00\x01abc", (), "invalid_json"),
        (b'{"before":null,"after":{},"op":"c"}', (), "invalid_envelope"),
        (b"{}", (("ce_id", b"1"),), "invalid_envelope"),
        (
            b"{}",
            (("ce_specversion", b"0.3"), ("ce_id", b"1"), ("ce_source", b"x"), ("ce_type", b"t")),
            "invalid_envelope",
        ),
        (b"{}", (("ce_id", b"\xff"),), "invalid_envelope"),
        (b"[]", STRUCTURED, "invalid_envelope"),
    ],
)
def test_anything_else_is_rejected_with_its_reason(
    value: bytes | None, headers: tuple[tuple[str, bytes], ...], reason: str
) -> None:
    """For the dead-letter topic."""
    with pytest.raises(Rejected) as refused:
        from_kafka(None, value, headers)
    assert refused.value.reason == reason


header_names = st.sampled_from(
    ["content-type", "ce_id", "ce_type", "ce_source", "ce_specversion", "ce_time", "ce_x", "traceparent"]
) | st.text(max_size=4)
header_values = st.sampled_from([b"1.0", b"application/cloudevents+json", b"application/json"]) | st.binary(
    max_size=9
)
bodies = st.binary(max_size=20) | st.sampled_from(
    [b"{}", b'{"event":1}', b'{"specversion":"1.0","id":"1","source":"s","type":"t","data_base64":"?"}']
)


@given(st.lists(st.tuples(header_names, header_values)), bodies)
def test_any_record_is_an_envelope_or_rejected(headers: list[tuple[str, bytes]], value: bytes) -> None:
    """And so is any request."""
    named = {name.replace("_", "-"): content.decode("latin-1") for name, content in headers}
    with suppress(Rejected):
        assert from_kafka(b"", value, headers).id
    with suppress(Rejected):
        assert all(event.id for event in from_http(named, value))
