"""The consume loop against the real broker."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from shared.broker.consume import ConsumeLoop
from shared.broker.kafka import Producer
from shared.broker.record import Outgoing, Record
from shared.clock import FrozenClock
from shared.contracts import topics
from shared.errors import Rejected, Stop, Transient
from shared.settings import KafkaSettings
from shared.telemetry import metrics

CLOCK = FrozenClock(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))

Handle = Callable[[Sequence[int]], Awaitable[None]]


def decode(record: Record) -> int:
    """Numbers are good records, everything else is poison."""
    try:
        return int(record.value or b"")
    except ValueError:
        raise Rejected("not a number", reason="not_a_number") from None


class Bench:
    """A topic of its own with its dead letters, a producer, and loops on it."""

    def __init__(self, settings: KafkaSettings, producer: Producer) -> None:
        self.settings = settings
        self.producer = producer
        self.topic = f"numbers-{uuid4().hex}"

    async def create(self) -> None:
        """Make the topics."""
        admin = AIOKafkaAdminClient(bootstrap_servers=self.settings.bootstrap_servers)
        await admin.start()
        try:
            await admin.create_topics(
                [
                    NewTopic(name, num_partitions=2, replication_factor=1)
                    for name in (self.topic, topics.dead_letters(self.topic))
                ]
            )
        finally:
            await admin.close()

    async def produce(self, *values: object) -> None:
        """One record a value, keyed by it."""
        await self.producer.send(
            [Outgoing(topic=self.topic, key=str(v).encode(), value=str(v).encode()) for v in values]
        )

    def loop(self, handle: Handle) -> ConsumeLoop[int]:
        """A member of the group."""
        return ConsumeLoop(
            settings=self.settings,
            topics=[self.topic],
            group=self.topic,
            decode=decode,
            handle=handle,
            producer=self.producer,
            clock=CLOCK,
        )

    async def dead_letters(self, count: int) -> list[dict[str, bytes]]:
        """The headers of the first `count` dead letters, with the value under `value`."""
        client = AIOKafkaConsumer(
            topics.dead_letters(self.topic),
            bootstrap_servers=self.settings.bootstrap_servers,
            auto_offset_reset="earliest",
        )
        await client.start()
        try:
            found: list[dict[str, bytes]] = []
            while len(found) < count:
                raw = await client.getone()
                found.append({**dict(raw.headers), "value": raw.value})
            return found
        finally:
            await client.stop()


@pytest.fixture
async def bench(kafka: str) -> AsyncIterator[Bench]:
    """Fresh topics on the shared broker."""
    settings = KafkaSettings(bootstrap_servers=kafka, session_timeout_ms=3000)
    producer = Producer(settings, client_id="test")
    bench = Bench(settings, producer)
    await bench.create()
    yield bench
    await producer.close()


@asynccontextmanager
async def running(*loops: ConsumeLoop[int]) -> AsyncIterator[None]:
    """Run the loops; stop them and see them end."""
    async with AsyncExitStack() as stack:
        group = await stack.enter_async_context(asyncio.TaskGroup())
        for loop in loops:
            group.create_task(loop.run())
            stack.callback(loop.stop)
        yield


async def until(condition: Callable[[], bool]) -> None:
    """Wait for it, ten seconds at most."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.01)


async def test_poison_is_kept_with_its_reason_and_stops_nobody(bench: Bench) -> None:
    """The good records around it are handled; the bad one stands in the dead letters unchanged."""
    seen: list[int] = []

    async def handle(numbers: Sequence[int]) -> None:
        seen.extend(numbers)

    await bench.produce(1, "poison", 2)
    async with running(bench.loop(handle)):
        await until(lambda: sorted(seen) == [1, 2])
        [letter] = await bench.dead_letters(1)
    assert letter["value"] == b"poison"
    assert letter["dlq.error.reason"] == b"not_a_number"
    assert letter["dlq.original.topic"] == bench.topic.encode()
    assert letter["dlq.failed.at"] == CLOCK.at.isoformat().encode()


async def test_an_unexpected_error_buries_the_guilty_record_alone(bench: Bench) -> None:
    """A batch that fails is taken apart; its text never reaches the dead letter's headers."""
    seen: set[int] = set()

    async def handle(numbers: Sequence[int]) -> None:
        if 13 in numbers:
            raise ZeroDivisionError("secret words")
        seen.update(numbers)

    await bench.produce(*range(20))
    async with running(bench.loop(handle)):
        [letter] = await bench.dead_letters(1)
        await until(lambda: seen == set(range(20)) - {13})
    assert letter["value"] == b"13"
    assert letter["dlq.error.reason"] == b"unexpected"
    assert letter["dlq.attempts"] == b"3"
    assert not any(b"secret" in value for value in letter.values())


async def test_what_is_away_is_waited_for(bench: Bench) -> None:
    """A transient failure repeats the same batch and buries nothing."""
    attempts: list[list[int]] = []

    async def handle(numbers: Sequence[int]) -> None:
        attempts.append(list(numbers))
        if len(attempts) < 3:
            raise Transient("the database does not answer")

    loop = bench.loop(handle)
    await bench.produce(1)
    async with running(loop):
        await until(lambda: len(attempts) == 3)
        await until(lambda: loop.is_ready)
    assert attempts == [[1], [1], [1]]


async def test_stopping_while_something_is_away_loses_nothing(bench: Bench) -> None:
    """The batch is left uncommitted, and the next member gets it."""
    attempts: list[int] = []
    seen: list[int] = []

    async def fail(numbers: Sequence[int]) -> None:
        attempts.extend(numbers)
        raise Transient("the database does not answer")

    async def handle(numbers: Sequence[int]) -> None:
        seen.extend(numbers)

    await bench.produce(1)
    async with running(bench.loop(fail)):
        await until(lambda: bool(attempts))
    async with running(bench.loop(handle)):
        await until(lambda: seen == [1])


async def test_a_run_of_unexpected_failures_stops_the_process(bench: Bench) -> None:
    """A topic is not drained into the dead letters because of our own fault."""

    async def handle(_: Sequence[int]) -> None:
        raise ZeroDivisionError

    await bench.produce(*range(60))
    with pytest.raises(Stop, match="too many records"):
        await bench.loop(handle).run()


async def test_a_second_member_takes_its_share_and_nothing_is_lost(bench: Bench) -> None:
    """Through joins and leaves every record is handled at least once."""
    seen: list[int] = []

    async def handle(numbers: Sequence[int]) -> None:
        seen.extend(numbers)
        await asyncio.sleep(0.01)

    first, second = bench.loop(handle), bench.loop(handle)
    async with running(first):
        for start in range(0, 200, 50):
            await bench.produce(*range(start, start + 50))
        async with running(second):
            await until(lambda: second.is_ready)
            await bench.produce(*range(200, 300))
        await bench.produce(*range(300, 320))
        await until(lambda: set(seen) == set(range(320)))


async def test_the_lag_of_a_partition_is_told_by_who_has_it(bench: Bench) -> None:
    """Nobody goes on telling what was true before the partition moved, or before the member left."""
    seen: list[int] = []

    async def handle(numbers: Sequence[int]) -> None:
        seen.extend(numbers)

    def told() -> dict[str, float]:
        samples = [sample for family in metrics.CONSUMER_LAG.collect() for sample in family.samples]
        return {s.labels["partition"]: s.value for s in samples if s.labels["topic"] == bench.topic}

    first, second = bench.loop(handle), bench.loop(handle)
    await bench.produce(*range(20))
    async with running(first):
        await until(lambda: told() == {"0": 0, "1": 0})
        async with running(second):
            await until(lambda: told() == {})
            await until(lambda: second.is_ready)
            await bench.produce(*range(20, 40))
            await until(lambda: told() == {"0": 0, "1": 0})
    assert told() == {}


async def test_poison_too_large_for_the_dead_letters_leaves_its_reason_there(bench: Bench) -> None:
    """With its headers it would be over the limit: the reason is kept without the value, and work goes on."""
    seen: list[int] = []

    async def handle(numbers: Sequence[int]) -> None:
        seen.extend(numbers)

    huge = b"x" * (bench.settings.max_message_bytes - 300)
    await bench.producer.send([Outgoing(topic=bench.topic, key=b"1", value=huge)])
    await bench.produce(1)
    async with running(bench.loop(handle)):
        [letter] = await bench.dead_letters(1)
        await until(lambda: seen == [1])
    assert letter["dlq.error.reason"] == b"not_a_number"
    assert letter["dlq.value.bytes"] == str(len(huge)).encode()
    assert not letter["value"]
