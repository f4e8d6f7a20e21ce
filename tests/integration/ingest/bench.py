"""What the tests of ingest do with it: send, consume, look."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import orjson
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from services.ingest.bootstrap import Ingest
from services.ingest.directory import WebhookSource
from services.ingest.settings import IngestSettings
from shared.broker.record import Outgoing
from shared.clock import FrozenClock
from shared.contracts import topics
from shared.contracts.envelope import TICKET_EVENT, Envelope
from shared.http.auth import new_token, token_hash
from shared.settings import KafkaSettings
from tests.stack import TestDatabase

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Bench:
    """One ingest with its app, its consumer and a tenant."""

    def __init__(self, *, kafka: KafkaSettings, database: TestDatabase, **settings: Any) -> None:
        """`settings` overrides those of the service."""
        self.kafka = kafka
        self.database = database
        self.tenant = f"tenant-{uuid4().hex[:8]}"
        self.group = f"ingest-{uuid4().hex[:8]}"
        self.clock = FrozenClock(NOW)
        self.settings = IngestSettings.model_validate(
            {"kafka": kafka, "database": database.settings("ingest"), **settings}
        )
        self.ingest = Ingest(self.settings, clock=self.clock, group=self.group)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.ingest.app), base_url="http://ingest"
        )

    async def close(self) -> None:
        """Give back what it holds."""
        await self.client.aclose()
        await self.ingest.close()

    async def skip(self) -> None:
        """Let the consumer begin after everything that stands on `ticket-events` now."""
        client = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap_servers, group_id=self.group, enable_auto_commit=False
        )
        await client.start()
        try:
            ends = await client.end_offsets(await partitions_of(self.kafka, topics.TICKET_EVENTS))
            client.assign(list(ends))
            await client.commit(dict(ends))
        finally:
            await client.stop()

    async def source(self, vendor: str, secret: str, account_id: str | None = None) -> str:
        """Add a source; its id."""
        source = WebhookSource(
            id=f"src_{uuid4().hex}",
            tenant_id=self.tenant,
            vendor=vendor,
            account_id=account_id,
            secret=secret,
        )
        await self.ingest.store.add_source(source)
        return source.id

    async def send(self, source_id: str, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """A webhook."""
        return await self.client.post(f"/v1/webhooks/{source_id}", content=body, headers=headers)

    async def key(self, role: str = "ingest") -> dict[str, str]:
        """Headers with a new API key of the tenant."""
        token = new_token()
        await self.execute(
            "insert into metrics.api_key (tenant_id, id, hash, role, created_at) values ($1, $2, $3, $4, $5)",
            self.tenant,
            uuid4().hex,
            token_hash(token),
            role,
            NOW,
        )
        return {"Authorization": f"Bearer {token}"}

    async def produce(self, *events: Mapping[str, Any], tenant: str | None = None) -> None:
        """Canonical events on the topic, as another producer writes them."""
        await self.ingest.producer.send([self.record(event, tenant or self.tenant) for event in events])

    def record(self, event: Mapping[str, Any], tenant: str) -> Outgoing:
        """One event in binary mode."""
        value, headers = Envelope(
            id=uuid4().hex,
            source="/test",
            type=TICKET_EVENT,
            extensions={"tenantid": tenant},
            data=orjson.dumps(event),
        ).to_kafka()
        key = topics.conversation_key(tenant, "generic", None, str(event["conversation"]["id"]))
        return Outgoing(topic=topics.TICKET_EVENTS, key=key, value=value, headers=headers)

    @asynccontextmanager
    async def consuming(self) -> AsyncIterator[None]:
        """A consumer of the group runs meanwhile; its errors are raised at the end."""
        worker = Ingest(self.settings, clock=self.clock, group=self.group)
        task = asyncio.create_task(worker.consumer.run())
        try:
            yield
        finally:
            worker.stop()
            await task
            await worker.close()

    async def consume(self) -> None:
        """Run a consumer until everything that stands on the topic is handled."""
        ends = await self._ends()
        admin = AIOKafkaAdminClient(bootstrap_servers=self.kafka.bootstrap_servers)
        await admin.start()

        async def is_done() -> bool:
            offsets = await admin.list_consumer_group_offsets(self.group)
            return all(part in offsets and offsets[part].offset >= end for part, end in ends.items())

        try:
            async with self.consuming():
                await self.until(is_done)
        finally:
            await admin.close()

    async def fold(self, *events: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Produce events and consume them; the tenant's conversations."""
        await self.produce(*events)
        await self.consume()
        return await self.conversations()

    async def _ends(self) -> dict[TopicPartition, int]:
        client = AIOKafkaConsumer(bootstrap_servers=self.kafka.bootstrap_servers)
        await client.start()
        try:
            return dict(await client.end_offsets(await partitions_of(self.kafka, topics.TICKET_EVENTS)))
        finally:
            await client.stop()

    async def until(self, condition: Callable[[], Awaitable[bool]]) -> None:
        """Wait for it, 20 seconds at most."""
        async with asyncio.timeout(20):
            while not await condition():
                await asyncio.sleep(0.02)

    async def conversations(self) -> list[dict[str, Any]]:
        """The tenant's, by external id."""
        return await self.fetch(
            "select * from ingest.conversation where tenant_id = $1 order by external_id", self.tenant
        )

    async def messages(self) -> list[dict[str, Any]]:
        """The tenant's, as others see them."""
        return await self.fetch(
            "select * from ingest.message_v1 where tenant_id = $1 order by at, id", self.tenant
        )

    async def score(self, conversation_id: str, version: int) -> None:
        """As if autoqa had scored a version."""
        await self.execute(
            """insert into autoqa.scored (tenant_id, conversation_id, version, scorecard_id,
                   scorecard_version, model_revision, published, scored_at)
               values ($1, $2, $3, 'default', 1, 'r', true, now())""",
            self.tenant,
            conversation_id,
            version,
        )

    async def fetch(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Rows that the superuser sees."""
        connection = await self.database.connect()
        try:
            return [dict(row) for row in await connection.fetch(query, *values)]
        finally:
            await connection.close()

    async def execute(self, query: str, *values: object) -> None:
        """Run as the superuser."""
        connection = await self.database.connect()
        try:
            await connection.execute(query, *values)
        finally:
            await connection.close()

    async def told(self) -> list[dict[str, Any]]:
        """What stands on `conversations-changed` of this tenant."""
        records = await read_all(self.kafka, topics.CONVERSATIONS_CHANGED)
        payloads = [orjson.loads(record.value or b"null") for record in records]
        return [payload for payload in payloads if payload["tenant_id"] == self.tenant]

    async def dead_letters(self) -> list[dict[str, bytes]]:
        """Headers of the dead letters of this group, with the value under `value`."""
        records = await read_all(self.kafka, topics.dead_letters(topics.TICKET_EVENTS))
        letters = [{**dict(record.headers), "value": record.value or b""} for record in records]
        return [letter for letter in letters if letter["dlq.consumer.group"] == self.group.encode()]


def an_event(**facts: Any) -> dict[str, Any]:
    """A customer's message in conversation 1; `conversation`, `messages` and the rest can be replaced."""
    event: dict[str, Any] = {
        "event": "message.added",
        "occurred_at": "2026-03-02T08:00:00Z",
        "conversation": {"id": "1", "status": "open", "channel": "email"},
        "messages": [a_message()],
    }
    return event | facts


def a_message(**facts: Any) -> dict[str, Any]:
    """What a customer wrote."""
    message = {
        "id": "m1",
        "role": "customer",
        "at": "2026-03-02T08:00:00Z",
        "text": "Meine Bestellung ist noch nicht angekommen.",
    }
    return message | facts


async def read_all(kafka: KafkaSettings, topic: str) -> Sequence[ConsumerRecord[bytes, bytes]]:
    """Every record that stands on a topic now."""
    client = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap_servers, auto_offset_reset="earliest")
    await client.start()
    try:
        partitions = await partitions_of(kafka, topic)
        client.assign(partitions)
        ends = await client.end_offsets(partitions)
        await client.seek_to_beginning(*partitions)
        records: list[ConsumerRecord[bytes, bytes]] = []
        async with asyncio.timeout(20):
            while any([await client.position(part) < ends[part] for part in partitions]):
                for found in (await client.getmany(timeout_ms=200)).values():
                    records.extend(found)
        return records
    finally:
        await client.stop()


async def partitions_of(kafka: KafkaSettings, topic: str) -> list[TopicPartition]:
    """All of a topic's."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
    await admin.start()
    try:
        [found] = await admin.describe_topics([topic])
    finally:
        await admin.close()
    return [TopicPartition(topic, part["partition"]) for part in found["partitions"]]
