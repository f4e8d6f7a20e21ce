"""A thousand broken bodies, properly signed; then all goes on as before."""

import asyncio
import itertools
import random
from collections import Counter
from datetime import UTC, datetime
from typing import Final

import orjson
from aiokafka.partitioner import DefaultPartitioner

from deploy.local.feed.payloads import VENDORS, Webhook, render, signed
from shared.contracts.envelope import WEBHOOK_RECEIVED
from shared.contracts.topics import (
    ALL,
    CONVERSATIONS_CHANGED,
    CONVERSATIONS_SCORED,
    TICKET_EVENTS,
    conversation_key,
    dead_letters,
)
from tests.e2e.broken import broken
from tests.e2e.samples import SAMPLED, samples
from tests.e2e.system import System, Tenant, bearer
from tests.e2e.talk import THREAT, new_mark, tell
from tests.e2e.test_2_events import an_event, arrived, cloud_event
from tests.e2e.topics import Sent, lag, records, write
from tests.e2e.waiting import eventually

WEBHOOKS: Final = 700
CLOUD_EVENTS: Final = 130
RECORDS: Final = 150
INNER_RECORDS: Final = 10
"""On each of the two topics that only we write to."""
PARTITIONS: Final = 6
_AT_ONCE: Final = 16


def good_webhooks() -> list[tuple[str, Webhook]]:
    """Of every vendor: the samples, and what the feed would send, with a mark in every text."""
    found = [
        (vendor, Webhook(at=datetime.now(UTC), body=sample.body, headers=sample.headers))
        for vendor in SAMPLED
        for sample in samples(vendor)
    ]
    for vendor in VENDORS:
        told = tell(vendor, THREAT, language="en", csat=2)
        found += [(vendor, webhook) for webhook in render(vendor, told.story)]
    return found


async def test_broken_bodies_are_refused_or_buried_and_nothing_stands_still(
    system: System, vendors_tenant: Tenant
) -> None:
    """Never a 500, no process dies, no reader stops, and a good conversation passes every partition."""
    chance = random.Random(20261124)
    bootstrap = system.stack.env["KAFKA_BOOTSTRAP"]
    services = [service.child for service in system.stack.services.values()]
    good = good_webhooks()
    answers: Counter[int] = Counter()
    gate = asyncio.Semaphore(_AT_ONCE)

    async def post(url: str, body: bytes, headers: dict[str, str]) -> None:
        async with gate:
            answers[(await system.client.post(url, content=body, headers=headers)).status_code] += 1

    deliveries = []
    for place in range(WEBHOOKS):
        vendor, webhook = good[place % len(good)]
        body = broken(webhook.body, chance)
        source = vendors_tenant.sources[vendor]
        altered = Webhook(at=webhook.at, body=body, headers=webhook.headers)
        headers = signed(vendor, altered, secret=source.secret, now=datetime.now(UTC))
        deliveries.append(post(f"/v1/webhooks/{source.id}", body, headers))
    for place in range(CLOUD_EVENTS):
        event = cloud_event(an_event(f"broken-{place % 7}", new_mark()))
        is_batch = place % 3 == 0
        media = "application/cloudevents-batch+json" if is_batch else "application/cloudevents+json"
        body = broken(orjson.dumps([event, event] if is_batch else event), chance)
        deliveries.append(post("/v1/events", body, {"Content-Type": media, **system.key("ingest")}))
    await asyncio.gather(*deliveries)
    assert 401 not in answers, "the broken bodies are signed"
    assert not [status for status in answers if status >= 500], answers
    assert answers[202] > 0

    await write(bootstrap, TICKET_EVENTS, [a_record(good, chance) for _ in range(RECORDS)])
    changed = orjson.dumps({"tenant_id": "demo", "conversation_id": new_mark(), "version": 1})
    for topic in (CONVERSATIONS_CHANGED, CONVERSATIONS_SCORED):
        await write(
            bootstrap, topic, [(b"broken", broken(changed, chance), []) for _ in range(INNER_RECORDS)]
        )
    await pass_every_partition(system)

    async def caught_up() -> None:
        assert await lag(bootstrap) == {}

    await eventually(caught_up)
    assert [service.child for service in system.stack.services.values()] == services
    assert all(child is not None and child.exit_code is None for child in services)
    letters = await records(bootstrap, *map(dead_letters, ALL))
    reasons = Counter(dict(letter.headers)["dlq.error.reason"].decode() for letter in letters)
    assert len(letters) > RECORDS / 3
    assert reasons["unexpected"] == 0, [
        dict(letter.headers)["dlq.error.at"]
        for letter in letters
        if dict(letter.headers)["dlq.error.reason"] == b"unexpected"
    ]
    vendors = await system.client.get(
        f"{system.url('metrics')}/v1/conversations", headers=bearer(vendors_tenant.viewer_key)
    )
    assert vendors.status_code == 200, "what was taken in can be read"


def a_record(good: list[tuple[str, Webhook]], chance: random.Random) -> Sent:
    """Garbage on the topic: webhooks that nobody signed, CloudEvents of all forms, foreign bytes."""
    vendor, webhook = chance.choice(good)
    key = chance.choice((None, b"", b"garbage", chance.randbytes(5)))
    envelope = [
        ("content-type", b"application/json"),
        ("ce_specversion", b"1.0"),
        ("ce_id", chance.randbytes(4)),
        ("ce_source", b"/shop"),
        ("ce_type", WEBHOOK_RECEIVED.encode()),
        ("ce_vendor", vendor.encode()),
        ("ce_tenantid", b"vendors"),
        ("ce_httpheaders", chance.choice((b"{}", b"[", b'{"x-helpscout-event": "convo.created"}'))),
    ]
    event = an_event(f"broken-{chance.randrange(7)}", new_mark())
    forms: tuple[Sent, ...] = (
        (key, broken(webhook.body, chance), envelope),
        (key, broken(webhook.body, chance), chance.sample(envelope, 5)),
        (
            key,
            broken(orjson.dumps(cloud_event(event)), chance),
            [("content-type", b"application/cloudevents+json")],
        ),
        (key, broken(orjson.dumps(event), chance), []),
        (b"tombstone", None, []),
    )
    return chance.choice(forms)


async def pass_every_partition(system: System) -> None:
    """A new conversation on each partition of each topic is folded, judged and counted."""
    partition = DefaultPartitioner()
    numbers = list(range(PARTITIONS))
    wanted: dict[int, str] = {}
    for number in itertools.count():
        name = f"passes-{number}"
        wanted.setdefault(partition(conversation_key("demo", "shop", None, name), numbers, numbers), name)
        if len(wanted) == PARTITIONS:
            break
    marks = {name: new_mark() for name in wanted.values()}
    answer = await system.client.post(
        "/v1/events",
        content=orjson.dumps([cloud_event(an_event(name, mark)) for name, mark in marks.items()]),
        headers={"Content-Type": "application/cloudevents-batch+json", **system.key("ingest")},
    )
    assert answer.status_code == 202
    for name, mark in marks.items():
        await arrived(system, name, mark)
