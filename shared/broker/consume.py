"""The loop that every consumer runs.

    getmany -> decode each -> handle the batch -> commit
                  │                 ├── Transient: back off, the same batch again
                  │                 └── anything else: the records one by one, the guilty ones...
                  └── Rejected ──────────────────────────────────────> ...to the dead letters

Delivery is at least once: `handle` must be idempotent, since a batch may be handed over again whole or in
parts. Offsets are committed after `handle` returned and the dead letters were acknowledged.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Generic, TypeVar

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.abc import ConsumerRebalanceListener
from aiokafka.errors import KafkaError

from shared.broker.dead_letter import dead_letter, without_value
from shared.broker.kafka import Producer, consumer
from shared.broker.record import Outgoing, Record
from shared.clock import Clock
from shared.errors import PruefsteinError, Rejected, Stop, TooLarge, Transient
from shared.settings import KafkaSettings
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

log = get_logger()

T = TypeVar("T")

ATTEMPTS: Final = 3
"""How often an unexpected error is tried before the record becomes a dead letter."""

UNEXPECTED_LIMIT: Final = 20
"""So many unexpected dead letters in a row are our fault, not the records': the process stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """A batch closes at `max_records`, or when nothing more arrived within `wait_ms`."""

    max_records: int = 200
    wait_ms: int = 50


class ConsumeLoop(Generic[T]):
    """Reads topics for one group until told to stop."""

    def __init__(
        self,
        *,
        settings: KafkaSettings,
        topics: Sequence[str],
        group: str,
        decode: Callable[[Record], T],
        handle: Callable[[Sequence[T]], Awaitable[None]],
        producer: Producer,
        clock: Clock,
        batching: Batching = Batching(),
    ) -> None:
        """`decode` raises `Rejected` for a record that can never be read; it runs in a worker thread.

        `handle` is all or nothing.
        """
        self._settings = settings
        self._topics = topics
        self._group = group
        self._decode = decode
        self._handle = handle
        self._producer = producer
        self._clock = clock
        self._batching = batching
        self._handling = asyncio.Lock()
        self._unexpected_in_a_row = 0
        self._stopping = asyncio.Event()
        self.is_ready = False
        """Joined its group and able to work."""

    def stop(self) -> None:
        """Finish the batch at hand, commit it, leave the group."""
        self._stopping.set()

    async def check(self) -> None:
        """Raises `Transient` while joining its group, or waiting for what `handle` depends on."""
        if not self.is_ready:
            raise Transient("the consumer is joining its group or waiting", reason="consumer")

    async def run(self) -> None:
        """Consume until `stop`. Raises `Stop` after a run of unexpected failures."""
        client = await self._join()
        if client is None:
            return
        try:
            while not self._stopping.is_set():
                await self._once(client)
        except _Abandoned:
            log.info("consumer.batch_abandoned", group=self._group)
        finally:
            self.is_ready = False
            owned = client.assignment()
            await client.stop()
            for tp in owned:
                _forget_lag(tp)

    async def _join(self) -> AIOKafkaConsumer | None:
        """Connect, however long the broker is away; None when stopped meanwhile."""
        attempt = 0
        while not self._stopping.is_set():
            client = consumer(self._settings, group=self._group, client_id=self._group)
            client.subscribe(list(self._topics), listener=_WaitForBatch(self._handling))
            try:
                await client.start()
            except (KafkaError, OSError) as error:
                await client.stop()
                log.warning("consumer.broker_away", group=self._group, error_class=type(error).__name__)
                attempt += 1
                await self._back_off(attempt)
            else:
                self.is_ready = True
                return client
        return None

    async def _once(self, client: AIOKafkaConsumer) -> None:
        try:
            fetched = await client.getmany(
                timeout_ms=self._batching.wait_ms, max_records=self._batching.max_records
            )
        except KafkaError as error:
            log.warning("consumer.fetch_failed", group=self._group, error_class=type(error).__name__)
            await self._back_off(1)
            return
        if not fetched:
            return
        async with self._handling:
            # A rebalance may have taken partitions away between the fetch and the lock.
            owned = {tp: records for tp, records in fetched.items() if tp in client.assignment()}
            records = [_record(raw) for batch in owned.values() for raw in batch]
            if not records:
                return
            await self._process(records)
            await self._commit(client, {tp: batch[-1].offset + 1 for tp, batch in owned.items()})
            self._observe(client, records)

    async def _process(self, records: Sequence[Record]) -> None:
        # Parsing may take long, and the heartbeat, the HTTP side and the stop signal share the event loop.
        decoded, refused = await asyncio.to_thread(self._decode_all, records)
        for record, error, _ in refused:
            if not isinstance(error, Rejected):
                log.error("consumer.decode_failed", group=self._group, offset=record.offset, exc_info=error)
                self._count_unexpected()
        by_topic: defaultdict[str, int] = defaultdict(int)
        for record in records:
            by_topic[record.topic] += 1
        started = asyncio.get_running_loop().time()
        if decoded:
            try:
                await self._until_available([item for _, item in decoded])
            except Stop:
                raise
            except Exception as error:
                log.warning("consumer.batch_failed", group=self._group, records=len(decoded), exc_info=error)
                refused += await self._one_by_one(decoded)
            else:
                self._unexpected_in_a_row = 0
        seconds = asyncio.get_running_loop().time() - started
        for topic, count in by_topic.items():
            metrics.BATCH_RECORDS.labels(topic).observe(count)
            metrics.BATCH_SECONDS.labels(topic).observe(seconds)
            metrics.RECORDS_CONSUMED.labels(topic).inc(count)
        await self._bury(refused)

    def _decode_all(
        self, records: Sequence[Record]
    ) -> tuple[list[tuple[Record, T]], list[tuple[Record, Exception, int]]]:
        """In a worker thread. What is refused comes with its error and the number of attempts."""
        decoded: list[tuple[Record, T]] = []
        refused: list[tuple[Record, Exception, int]] = []
        for record in records:
            try:
                decoded.append((record, self._decode(record)))
            except Exception as error:  # a poison record must not stop the partition
                refused.append((record, error, 1))
        return decoded, refused

    async def _one_by_one(self, decoded: Sequence[tuple[Record, T]]) -> list[tuple[Record, Exception, int]]:
        refused: list[tuple[Record, Exception, int]] = []
        for record, item in decoded:
            for attempt in range(1, ATTEMPTS + 1):
                try:
                    await self._until_available([item])
                except Stop:
                    raise
                except Rejected as error:
                    refused.append((record, error, attempt))
                    break
                except Exception as error:
                    if attempt == ATTEMPTS:
                        log.error(
                            "consumer.record_failed", group=self._group, offset=record.offset, exc_info=error
                        )
                        refused.append((record, error, attempt))
                        self._count_unexpected()
                    else:
                        await self._back_off(attempt)
                else:
                    self._unexpected_in_a_row = 0
                    break
        return refused

    def _count_unexpected(self) -> None:
        self._unexpected_in_a_row += 1
        if self._unexpected_in_a_row >= UNEXPECTED_LIMIT:
            raise Stop("too many records in a row failed unexpectedly", reason="unexpected_limit")

    async def _until_available(self, items: Sequence[T]) -> None:
        await self._retrying(lambda: self._handle(items))

    async def _bury(self, refused: Sequence[tuple[Record, Exception, int]]) -> None:
        if not refused:
            return
        letters = [
            dead_letter(record, error, group=self._group, attempts=attempts, now=self._clock.now())
            for record, error, attempts in refused
        ]
        await self._retrying(lambda: self._send(letters))
        for record, error, _ in refused:
            reason = error.reason if isinstance(error, PruefsteinError) else "unexpected"
            metrics.DEAD_LETTERS.labels(record.topic, reason).inc()
            log.warning(
                "consumer.dead_letter",
                topic=record.topic,
                partition=record.partition,
                offset=record.offset,
                reason=reason,
            )

    async def _send(self, letters: Sequence[Outgoing]) -> None:
        """Send dead letters; one that does not fit keeps its reason and its origin, but not its value."""
        try:
            await self._producer.send(letters)
        except TooLarge:
            for letter in letters:
                try:
                    await self._producer.send([letter])
                except TooLarge:
                    await self._producer.send([without_value(letter)])

    async def _retrying(self, action: Callable[[], Awaitable[None]]) -> None:
        """Try until it is available. Meanwhile nothing is polled, so nothing piles up.

        Stopped meanwhile, the batch is left uncommitted and comes again.
        """
        attempt = 0
        while True:
            try:
                await action()
            except Transient as error:
                attempt += 1
                self.is_ready = False
                metrics.RETRIES.labels(self._topics[0], error.reason).inc()
                log.warning("consumer.waiting", group=self._group, reason=error.reason, attempt=attempt)
                await self._back_off(attempt)
                if self._stopping.is_set():
                    raise _Abandoned("stopped while waiting") from error
            else:
                self.is_ready = True
                return

    async def _back_off(self, attempt: int) -> None:
        """Wait 0.1 s doubling up to 5 s, with jitter, or until stopped."""
        delay = min(5.0, 0.1 * 2 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311 (jitter)
        try:
            await asyncio.wait_for(self._stopping.wait(), timeout=delay)
        except TimeoutError:
            return

    async def _commit(self, client: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
        try:
            await client.commit(offsets)
        except KafkaError as error:
            # What was handled comes again after a restart and changes nothing.
            log.warning("consumer.commit_failed", group=self._group, error_class=type(error).__name__)

    def _observe(self, client: AIOKafkaConsumer, records: Sequence[Record]) -> None:
        for topic, partition in {(record.topic, record.partition) for record in records}:
            tp = TopicPartition(topic, partition)
            high = client.highwater(tp)
            last = max(r.offset for r in records if r.topic == topic and r.partition == partition)
            if high is not None:
                metrics.CONSUMER_LAG.labels(topic, str(partition)).set(max(0, high - last - 1))


class _Abandoned(Stop):
    """Told to stop while something we depend on was away."""


class _WaitForBatch(ConsumerRebalanceListener):  # type: ignore[misc]  # the client has no types
    """A partition moves on only after the batch at hand was committed; its lag is told by who has it then."""

    def __init__(self, handling: asyncio.Lock) -> None:
        self._handling = handling

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        async with self._handling:
            for tp in revoked:
                _forget_lag(tp)

    async def on_partitions_assigned(self, assigned: object) -> None:
        return


def _forget_lag(tp: TopicPartition) -> None:
    metrics.CONSUMER_LAG.remove(tp.topic, str(tp.partition))


def _record(raw: ConsumerRecord[bytes | None, bytes | None]) -> Record:
    return Record(
        topic=raw.topic,
        partition=raw.partition,
        offset=raw.offset,
        key=raw.key,
        value=raw.value,
        headers=tuple((name, value or b"") for name, value in raw.headers),
        at=datetime.fromtimestamp(raw.timestamp / 1000, UTC),
    )
