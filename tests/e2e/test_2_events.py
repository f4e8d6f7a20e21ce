"""Canonical events, by HTTP and from a producer that knows nothing of us."""

import base64
import itertools
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.contracts.topics import TICKET_EVENTS
from tests.e2e.system import System
from tests.e2e.talk import new_mark
from tests.e2e.topics import write
from tests.e2e.waiting import eventually

_numbers = itertools.count(1)
TYPE = "com.shop.ticket.event"


def an_event(conversation: str, mark: str, *, message: str = "m1", role: str = "customer") -> dict[str, Any]:
    """One canonical event that brings a message."""
    now = datetime.now(UTC).isoformat()
    return {
        "event": "message.added",
        "source": "shop",
        "delivery_id": f"d-{next(_numbers)}",
        "occurred_at": now,
        "conversation": {"id": conversation, "channel": "chat", "status": "open", "created_at": now},
        "messages": [{"id": message, "role": role, "at": now, "text": f"Wo ist mein Paket {mark}?"}],
    }


def cloud_event(event: dict[str, Any]) -> dict[str, Any]:
    """In the JSON format of CloudEvents."""
    return {
        "specversion": "1.0",
        "id": f"ce-{next(_numbers)}",
        "source": "/shop",
        "type": TYPE,
        "datacontenttype": "application/json",
        "data": event,
    }


async def arrived(system: System, conversation: str, *marks: str) -> None:
    """The conversation has exactly these messages and is rated."""

    async def check() -> None:
        found = await system.conversation("shop", conversation)
        texts = [message["text"] for message in found["messages"]]
        assert sorted(texts) == sorted(f"Wo ist mein Paket {mark}?" for mark in marks)
        assert found["review"] == "provisional"

    await eventually(check)


async def test_cloudevents_by_http_become_conversations(system: System) -> None:
    """Structured, binary, base64, batch and plain: each form brings its message; a repetition none."""
    url = f"{system.url('ingest')}/v1/events"
    key = system.key("ingest")
    marks = [new_mark() for _ in range(6)]
    events = [an_event("http-1", mark, message=f"m{place}") for place, mark in enumerate(marks)]
    structured = orjson.dumps(cloud_event(events[0]))
    encoded = {**cloud_event({}), "data_base64": base64.b64encode(orjson.dumps(events[2])).decode()}
    del encoded["data"]
    binary = {"ce-specversion": "1.0", "ce-id": "b-1", "ce-source": "/shop", "ce-type": TYPE}
    sent: list[tuple[bytes, dict[str, str], int]] = [
        (structured, {"Content-Type": "application/cloudevents+json; charset=utf-8"}, 1),
        (orjson.dumps(events[1]), {"Content-Type": "application/json", **binary}, 1),
        (orjson.dumps(encoded), {"Content-Type": "application/cloudevents+json"}, 1),
        (
            orjson.dumps([cloud_event(events[3]), cloud_event(events[4])]),
            {"Content-Type": "application/cloudevents-batch+json"},
            2,
        ),
        (orjson.dumps(events[5]), {"Content-Type": "application/json"}, 1),
    ]
    for body, headers, count in [*sent, *sent]:
        answer = await system.client.post(url, content=body, headers={**headers, **key})
        assert (answer.status_code, answer.json()) == (202, {"accepted": count})
    await arrived(system, "http-1", *marks)


async def test_a_batch_with_one_wrong_event_is_refused_whole(system: System) -> None:
    """Nothing of it arrives, and the answer names the place and no values."""
    good, mark = an_event("http-2", new_mark()), new_mark()
    wrong = an_event("http-2", mark, message="m2")
    wrong["conversation"]["status"] = {"a": mark}
    answer = await system.client.post(
        f"{system.url('ingest')}/v1/events",
        content=orjson.dumps([cloud_event(good), cloud_event(wrong)]),
        headers={"Content-Type": "application/cloudevents-batch+json", **system.key("ingest")},
    )
    assert answer.status_code == 422
    assert "1" in answer.json()["detail"]
    assert mark not in answer.text
    later = new_mark()
    answer = await system.client.post(
        f"{system.url('ingest')}/v1/events",
        content=orjson.dumps(an_event("http-2", later, message="m3")),
        headers={"Content-Type": "application/json", **system.key("ingest")},
    )
    assert answer.status_code == 202
    await arrived(system, "http-2", later)


async def test_only_keys_of_the_role_ingest_bring_events(system: System) -> None:
    """No key is 401, a reader's key 403."""
    url = f"{system.url('ingest')}/v1/events"
    body = orjson.dumps(an_event("http-3", new_mark()))
    assert (await system.client.post(url, content=body)).status_code == 401
    assert (await system.client.post(url, content=body, headers=system.key("viewer"))).status_code == 403


async def test_a_foreign_producer_writes_to_the_topic_in_three_forms(system: System) -> None:
    """Binary and structured CloudEvents and plain JSON with a key of its own, each twice."""
    marks = [new_mark() for _ in range(3)]
    events = [an_event("topic-1", mark, message=f"m{place}") for place, mark in enumerate(marks)]
    binary = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"foreign-1"),
        ("ce_source", b"/shop"),
        ("ce_type", TYPE.encode()),
    ]
    structured = [("content-type", b"application/cloudevents+json; charset=UTF-8")]
    sent = [
        (b"shop:topic-1", orjson.dumps(events[0]), binary),
        (b"shop:topic-1", orjson.dumps(cloud_event(events[1])), structured),
        (b"shop:topic-1", orjson.dumps(events[2]), []),
    ]
    await write(system.stack.env["KAFKA_BOOTSTRAP"], TICKET_EVENTS, [*sent, *sent])
    await arrived(system, "topic-1", *marks)
