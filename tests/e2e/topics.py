"""What stands on the topics, and how far their readers are."""

import asyncio
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

GROUPS: Final = (
    *("ingest", "autoqa", "metrics"),
    *("autoqa-categories", "autoqa-replays", "metrics-categories"),
)
Sent = tuple[bytes | None, bytes | None, Sequence[tuple[str, bytes]]]
"""Key, value and headers of a record."""


async def records(bootstrap: str, *topics: str) -> list[ConsumerRecord[bytes | None, bytes | None]]:
    """Everything on the topics up to now."""
    client = AIOKafkaConsumer(
        *topics, bootstrap_servers=bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await client.start()
    try:
        partitions = list(client.assignment())
        ends = await client.end_offsets(partitions)
        found: list[ConsumerRecord[bytes | None, bytes | None]] = []
        async with asyncio.timeout(60):
            while any([await client.position(tp) < ends[tp] for tp in partitions]):
                for batch in (await client.getmany(timeout_ms=200)).values():
                    found += batch
        return found
    finally:
        await client.stop()


async def write(bootstrap: str, topic: str, sent: Sequence[Sent]) -> None:
    """Put records on a topic as a stranger would."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    try:
        for key, value, headers in sent:
            await producer.send(topic, value=value, key=key, headers=list(headers))
        await producer.flush()
    finally:
        await producer.stop()


async def lag(bootstrap: str) -> dict[str, int]:
    """Records that each group of consumers has not dealt with, where there are any."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    client = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    await client.start()
    try:
        behind: dict[str, int] = {}
        for group in GROUPS:
            committed = {
                tp: offset.offset for tp, offset in (await admin.list_consumer_group_offsets(group)).items()
            }
            ends: dict[TopicPartition, int] = await client.end_offsets(list(committed))
            left = sum(end - committed[tp] for tp, end in ends.items())
            if left:
                behind[group] = left
        return behind
    finally:
        await client.stop()
        await admin.close()
