"""What the tests of autoqa do with it: put conversations into ingest, tell of them, look."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from pydantic import BaseModel

from services.autoqa.bootstrap import Autoqa
from services.autoqa.changes import Change
from services.autoqa.reader import Reader
from services.autoqa.settings import AutoqaSettings
from shared.broker.record import Outgoing
from shared.clock import FrozenClock
from shared.contracts import topics
from shared.contracts.envelope import Envelope
from shared.contracts.v1.category_changed import CategoryChanged
from shared.contracts.v1.category_replay import CategoryReplay
from shared.contracts.v1.category_trained import CategoryTrained
from shared.contracts.v1.conversation_changed import TYPE, ConversationChanged
from shared.contracts.v1.conversation_scored import ConversationScored
from shared.http.auth import new_token, token_hash
from shared.settings import KafkaSettings
from tests.stack import TestDatabase
from tests.stub_model import StubModel, stub_outcome

PARTITIONS = 2
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
SHOWN = ("a voucher for you", "take this voucher", "your voucher of ten", "voucher added", "voucher sent")
NOT_SHOWN = ("it is late", "please restart it", "we call you", "the form is online", "ask the bank")
_T = TypeVar("_T", bound=BaseModel)


class Bench:
    """One autoqa with the stub model, on a database of its own."""

    def __init__(self, *, kafka: KafkaSettings, database: TestDatabase) -> None:
        self.kafka = kafka
        self.database = database
        self.tenant = f"tenant-{uuid4().hex[:8]}"
        self.group = f"autoqa-{uuid4().hex[:8]}"
        self.clock = FrozenClock(NOW)
        self.settings = AutoqaSettings.model_validate(
            {"kafka": kafka, "database": database.settings("autoqa"), "max_body_bytes": 100_000}
        )
        self.model = StubModel()
        self.autoqa = self.new_autoqa(self.model)
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=self.autoqa.app), base_url="http://autoqa"
        )

    def new_autoqa(self, model: StubModel, *, kafka: KafkaSettings | None = None) -> Autoqa:
        """Another process on the same database."""
        settings = self.settings if kafka is None else self.settings.model_copy(update={"kafka": kafka})
        reader = Reader.of(model, policy=settings.policy, settings=settings.model, outcome=stub_outcome)
        return Autoqa(settings, reader=reader, clock=self.clock, group=self.group)

    async def close(self) -> None:
        """Give back what it holds."""
        await self.client.aclose()
        await self.autoqa.close()

    async def put(
        self,
        *lines: str,
        of: str = "c1",
        version: int = 1,
        status: str = "open",
        tenant: str | None = None,
        reopened: int = 0,
        minutes_ago: int = 30,
    ) -> Change:
        """Ingest holds this now: one message a line, `role: text`, a minute apart. The change to tell of."""
        tenant_id = tenant or self.tenant
        start = NOW - timedelta(minutes=minutes_ago)
        messages = [line.partition(": ") for line in lines]
        connection = await self.database.connect()
        try:
            await connection.execute(
                "delete from ingest.conversation where tenant_id=$1 and id=$2", tenant_id, of
            )
            await connection.execute(
                "delete from ingest.message where tenant_id=$1 and conversation_id=$2", tenant_id, of
            )
            await connection.execute(
                "insert into ingest.conversation (tenant_id, id, source, external_id, channel, language,"
                " status, opened_at, message_count, state, version, received_at, reopen_count)"
                " values ($1, $2, 'zendesk', $2, 'chat', 'en', $3, $4, $5, '{}', $6, $7, $8)",
                tenant_id,
                of,
                status,
                start,
                len(lines),
                version,
                NOW - timedelta(seconds=1),
                reopened,
            )
            await connection.executemany(
                "insert into ingest.message"
                " (tenant_id, conversation_id, id, role, at, text, deleted, shown, registers)"
                " values ($1, $2, $3, $4, $5, $6, false, true, '{}')",
                [
                    (tenant_id, of, f"m{n}", role, start + timedelta(minutes=n), text)
                    for n, (role, _, text) in enumerate(messages, start=1)
                ],
            )
        finally:
            await connection.close()
        return Change(
            key=topics.conversation_key(tenant_id, "zendesk", None, of),
            tenant_id=tenant_id,
            conversation_id=of,
            version=version,
        )

    async def put_category(
        self,
        category_id: str = "cat_1",
        *,
        tenant: str | None = None,
        version: int = 1,
        positive: Sequence[str] = SHOWN,
        negative: Sequence[str] = NOT_SHOWN,
        role: str = "agent",
    ) -> CategoryChanged:
        """Metrics holds this now: a category with examples, yet to be trained. The change to tell of."""
        tenant_id = tenant or self.tenant
        await self.rows(
            "insert into metrics.category (tenant_id, id, name, description, role, weight, critical,"
            " in_scorecard, enabled, version, positives, negatives, warnings, created_at, updated_at,"
            " changed_by) values ($1, $2, 'Voucher', '', $3, 1, false, false, true, $4, 1, 1, '{}', $5, $5,"
            " 'key') on conflict (tenant_id, id) do update set version = excluded.version",
            tenant_id,
            category_id,
            role,
            version,
            NOW,
        )
        for place, text in enumerate((*positive, *negative)):
            await self.rows(
                "insert into metrics.category_example values ($1, $2, $3, $4, $5, '[]', $6)",
                tenant_id,
                category_id,
                version,
                place,
                text,
                place < len(positive),
            )
        return CategoryChanged(tenant_id=tenant_id, category_id=category_id, version=version)

    async def train(self, change: CategoryChanged) -> None:
        """As the consumer does; then metrics makes it active, as it does when it hears of it."""
        await self.autoqa.trainer.on_changes([change])
        await self.rows(
            "update metrics.category set active_version = version where tenant_id = $1 and id = $2",
            change.tenant_id,
            change.category_id,
        )

    async def put_scorecard(self, version: int, *entries: Mapping[str, Any]) -> None:
        """Metrics holds this version of the tenant's scorecard."""
        await self.rows(
            "insert into metrics.scorecard values ($1, $2, $3, $4)",
            self.tenant,
            version,
            orjson.dumps(entries).decode(),
            NOW,
        )

    async def score(self, *changes: Change) -> None:
        """As the consumer does with a batch."""
        await self.autoqa.scorer.on_changes(changes)

    async def produce(self, *changes: Change) -> None:
        """Onto the topic, as ingest does."""
        await self.autoqa.producer.send([changed_record(change) for change in changes])

    async def rows(self, query: str, *values: object) -> list[asyncpg.Record]:
        """What stands in the database, whoever's it is."""
        connection = await self.database.connect()
        try:
            found: list[asyncpg.Record] = await connection.fetch(query, *values)
            return found
        finally:
            await connection.close()

    async def reviews(self, of: str = "c1", *, tenant: str | None = None) -> list[Mapping[str, Any]]:
        """All rounds of a conversation."""
        found = await self.rows(
            "select * from autoqa.review where tenant_id = $1 and conversation_id = $2 order by round",
            tenant or self.tenant,
            of,
        )
        return [
            {
                name: orjson.loads(value) if name in ("ratings", "flags", "sentiment") and value else value
                for name, value in row.items()
            }
            for row in found
        ]

    async def told(self, *, tenant: str | None = None) -> list[ConversationScored]:
        """Everything on `conversations-scored` of a tenant, by now."""
        found = await self._all(topics.CONVERSATIONS_SCORED, ConversationScored)
        return [payload for payload in found if payload.tenant_id == (tenant or self.tenant)]

    async def told_trained(self, *, tenant: str | None = None) -> list[CategoryTrained]:
        """The same of `categories-trained`."""
        found = await self._all(topics.CATEGORIES_TRAINED, CategoryTrained)
        return [payload for payload in found if payload.tenant_id == (tenant or self.tenant)]

    async def told_steps(self) -> list[CategoryReplay]:
        """The steps that `category-replays` asks for."""
        found = await self._all(topics.CATEGORY_REPLAYS, CategoryReplay)
        return [payload for payload in found if payload.tenant_id == self.tenant]

    async def _all(self, topic: str, model: type[_T]) -> list[_T]:
        client = AIOKafkaConsumer(
            bootstrap_servers=self.kafka.bootstrap_servers, auto_offset_reset="earliest"
        )
        await client.start()
        try:
            assigned = [TopicPartition(topic, part) for part in range(PARTITIONS)]
            client.assign(assigned)
            ends = await client.end_offsets(assigned)
            found: list[_T] = []
            while any([await client.position(part) < end for part, end in ends.items()]):
                for records in (await client.getmany(timeout_ms=200)).values():
                    found += [model.model_validate_json(record.value) for record in records]
        finally:
            await client.stop()
        return found

    async def key(self, role: str = "viewer") -> dict[str, str]:
        """Headers with a new API key of the tenant."""
        token = new_token()
        await self.rows(
            "insert into metrics.api_key (tenant_id, id, hash, role, created_at) values ($1, $2, $3, $4, $5)",
            self.tenant,
            uuid4().hex,
            token_hash(token),
            role,
            NOW,
        )
        return {"Authorization": f"Bearer {token}"}


def changed_record(change: Change) -> Outgoing:
    """As ingest writes it."""
    payload = ConversationChanged(
        tenant_id=change.tenant_id, conversation_id=change.conversation_id, version=change.version
    )
    value, headers = Envelope(
        id=uuid4().hex, source="/ingest", type=TYPE, data=orjson.dumps(payload.model_dump())
    ).to_kafka()
    return Outgoing(topic=topics.CONVERSATIONS_CHANGED, key=change.key, value=value, headers=headers)


def kinds(flags: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of stored flags."""
    return [flag["kind"] for flag in flags]


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for it, twenty seconds at most."""
    async with asyncio.timeout(20):
        while not await condition():
            await asyncio.sleep(0.02)
