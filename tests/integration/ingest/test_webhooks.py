"""Webhooks of every vendor, from the signed request to the stored conversation."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator

import orjson
import pytest

from shared.contracts import topics
from shared.ids import conversation_id
from shared.settings import KafkaSettings
from tests.integration.ingest.bench import Bench, read_all
from tests.integration.ingest.conftest import NewBench
from tests.unit.ingest.samples import VENDORS, Signed, one, vectors

ZENDESK = one("zendesk", "ticket_created")


def of_vendor(vendor: str) -> list[Signed]:
    """A vendor's deliveries in their order."""
    return [signed for signed in vectors() if signed.vendor == vendor]


async def zendesk(bench: Bench) -> str:
    """A source for the sample, at the sample's time."""
    bench.clock.at = ZENDESK.now
    return await bench.source("zendesk", ZENDESK.secrets[0])


@pytest.mark.parametrize("vendor", VENDORS)
async def test_a_vendors_deliveries_become_conversations(bench: Bench, vendor: str) -> None:
    """Signed requests in; rows, languages and news of the change out."""
    for signed in of_vendor(vendor):
        bench.clock.at = signed.now
        source_id = await bench.source(vendor, signed.secrets[0])
        answer = await bench.send(source_id, signed.body, signed.headers)
        assert answer.status_code in (200, 202), (signed.name, answer.text)
    await bench.consume()
    conversations = await bench.conversations()
    assert conversations
    for conversation in conversations:
        assert conversation["source"] == vendor
        assert conversation["id"] == conversation_id(
            bench.tenant, vendor, conversation["account_id"], conversation["external_id"]
        )
        assert conversation["published_version"] == conversation["version"] > 0
    messages = await bench.messages()
    assert messages
    for message in messages:
        assert message["deleted"] == (not message["text"])
        assert message["deleted"] or message["language"] in ("de", "en", None)
    assert not await bench.dead_letters()
    assert {(one["conversation_id"], one["version"]) for one in await bench.told()} >= {
        (conversation["id"], conversation["version"]) for conversation in conversations
    }


async def test_a_generic_webhook_is_a_canonical_event_that_is_signed(bench: Bench) -> None:
    """For systems that no other source knows."""
    body = orjson.dumps({"event": "ping"})
    source_id = await bench.source("generic", "s3cret")
    stamp = str(int(bench.clock.at.timestamp()))
    assert (await bench.send(source_id, body, {"x-pruefstein-timestamp": stamp})).status_code == 401
    mac = hmac.new(b"s3cret", f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"x-pruefstein-timestamp": stamp, "x-pruefstein-signature": f"sha256={mac}"}
    answer = await bench.send(source_id, body, headers)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


async def test_an_altered_body_is_refused_before_it_is_parsed(bench: Bench) -> None:
    """401 as problem+json, also for what is no JSON, and nothing reaches the topic."""
    source_id = await zendesk(bench)
    for body in (ZENDESK.body + b" ", b"{not json", b""):
        answer = await bench.send(source_id, body, ZENDESK.headers)
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["type"] == "urn:pruefstein:unauthenticated"
    await bench.consume()
    assert await bench.conversations() == []


async def test_a_signed_body_that_is_broken_is_refused(bench: Bench) -> None:
    """422 says that sending it again is of no use."""
    source_id = await bench.source("freshdesk", "token")
    for body in (b"{not json", b"[]", b"{}", b'"text"', b"\xff\xfe"):
        answer = await bench.send(source_id, body, {"x-autoqa-token": "token"})
        assert answer.status_code == 422, body


async def test_a_body_over_the_limit_is_refused_whether_its_length_is_declared_or_not(
    new_bench: NewBench,
) -> None:
    """413; what streams in is cut off at the limit."""
    bench = new_bench(max_body_bytes=1024)
    source_id = await bench.source("freshdesk", "token")

    async def stream() -> AsyncIterator[bytes]:
        for _ in range(5):
            yield b"x" * 512

    for content in (b"x" * 1025, stream()):
        answer = await bench.client.post(
            f"/v1/webhooks/{source_id}", content=content, headers={"x-autoqa-token": "token"}
        )
        assert answer.status_code == 413


async def test_a_mail_of_megabytes_arrives_whole(bench: Bench) -> None:
    """Up to the limit nothing is cut."""
    source_id = await bench.source("freshdesk", "token")
    words = "Wo bleibt meine Bestellung? 😀 " * 100_000
    ticket = {"ticket_id": 7, "triggered_event": "{ticket_action:created}", "ticket_description": words}
    body = orjson.dumps({"freshdesk_webhook": ticket})
    assert len(body) > 3_000_000
    answer = await bench.send(source_id, body, {"x-autoqa-token": "token"})
    assert answer.status_code == 202
    await bench.consume()
    [message] = await bench.messages()
    assert message["text"] == words.strip()
    assert message["language"] == "de"


async def test_an_unknown_source_is_not_found(bench: Bench) -> None:
    """Whoever guesses ids learns nothing else."""
    assert (await bench.send("src_nobody", ZENDESK.body, ZENDESK.headers)).status_code == 404
    assert (await bench.client.head("/v1/webhooks/src_nobody")).status_code == 404


async def test_set_up_checks_of_helpdesks_succeed(bench: Bench) -> None:
    """Intercom asks by HEAD and by a ping."""
    ping = one("intercom", "ping")
    source_id = await bench.source("intercom", ping.secrets[0])
    assert (await bench.client.head(f"/v1/webhooks/{source_id}")).status_code == 200
    assert (await bench.send(source_id, ping.body, ping.headers)).status_code == 200


async def test_event_types_that_nobody_needs_are_accepted_and_left(bench: Bench) -> None:
    """The helpdesk must not send them again."""
    signed = one("intercom", "conversation_user_created")
    body = signed.body.replace(b"conversation.user.created", b"company.created")
    mac = hmac.new(signed.secrets[0].encode(), body, hashlib.sha1).hexdigest()
    source_id = await bench.source("intercom", signed.secrets[0])
    answer = await bench.send(source_id, body, {"x-hub-signature": f"sha1={mac}"})
    assert (answer.status_code, answer.json()) == (202, {"status": "ignored"})
    await bench.consume()
    assert await bench.conversations() == []


async def test_without_the_broker_the_sender_is_told_to_come_again(new_bench: NewBench) -> None:
    """503 with Retry-After; the service itself starts and says that it is not ready."""
    bench = new_bench(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"), acknowledge_seconds=1.0)
    source_id = await zendesk(bench)
    answer = await bench.send(source_id, ZENDESK.body, ZENDESK.headers)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    ready = await bench.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.json()["database"] == "ready"
    assert ready.json()["broker"] != "ready"


async def test_ready_once_broker_database_and_consumer_are(bench: Bench) -> None:
    """Each of the three is asked."""

    async def is_ready() -> bool:
        return (await bench.client.get("/readyz")).status_code == 200

    assert not await is_ready()
    async with asyncio.TaskGroup() as group:
        group.create_task(bench.ingest.consumer.run())
        await bench.until(is_ready)
        bench.ingest.stop()


async def test_the_topic_carries_the_bytes_that_were_signed(bench: Bench) -> None:
    """Whoever reads it can verify and parse them again; the key keeps a conversation's order."""
    source_id = await zendesk(bench)
    await bench.send(source_id, ZENDESK.body, ZENDESK.headers)
    records = await read_all(bench.kafka, topics.TICKET_EVENTS)
    [record] = [one for one in records if dict(one.headers).get("ce_tenantid") == bench.tenant.encode()]
    headers = dict(record.headers)
    assert record.value == ZENDESK.body
    assert record.key == f"{bench.tenant}:zendesk:22129848:5158".encode()
    assert headers["ce_type"] == b"com.pruefstein.webhook.received.v1"
    assert headers["ce_vendor"] == b"zendesk"
    assert headers["ce_sourceid"] == source_id.encode()


async def test_deliveries_and_refusals_are_counted(bench: Bench) -> None:
    """By vendor and reason, never by source."""
    source_id = await zendesk(bench)
    await bench.send(source_id, ZENDESK.body, ZENDESK.headers)
    await bench.send(source_id, b"altered", ZENDESK.headers)
    shown = (await bench.client.get("/metrics")).text
    assert 'pruefstein_ingest_events_total{outcome="accepted",vendor="zendesk"}' in shown
    assert 'pruefstein_ingest_refused_total{reason="unauthenticated",vendor="zendesk"}' in shown
    assert 'route="/v1/webhooks/{source_id}"' in shown
    assert source_id not in shown


async def test_an_account_that_the_payload_does_not_name_comes_from_the_source(bench: Bench) -> None:
    """Two Freshdesk accounts of one tenant have tickets with the same numbers."""
    body = orjson.dumps({"ticket_id": 7, "ticket_description": "Hallo"})
    for account_id in ("north", "south"):
        source_id = await bench.source("freshdesk", "token", account_id)
        answer = await bench.send(source_id, body, {"x-autoqa-token": "token"})
        assert answer.status_code == 202
    await bench.consume()
    assert {one["account_id"] for one in await bench.conversations()} == {"north", "south"}
