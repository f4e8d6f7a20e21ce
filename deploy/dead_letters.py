"""Looks at dead letters, puts them back: `python -m deploy.dead_letters list|replay --topic ticket-events`.

Reads DEADLETTERS_BOOTSTRAP_SERVERS and the other fields of the Kafka settings with the prefix DEADLETTERS_.
Replaying is safe to repeat: consumers are idempotent, and what was put back is remembered as the committed
offsets of a consumer group, so that it is put back once.
"""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.broker.dead_letter import PREFIX
from shared.broker.kafka import Producer, consumer
from shared.broker.record import Headers, Outgoing
from shared.contracts import topics
from shared.errors import PruefsteinError
from shared.settings import KafkaSettings

GROUP: Final = "dead-letters-replay"
_BATCH: Final = 100


class DeadLetterSettings(KafkaSettings, BaseSettings):
    """The broker."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="DEADLETTERS_", extra="forbid")


def original(topic: str, key: bytes | None, value: bytes | None, headers: Headers) -> Outgoing:
    """The record as it was before it was buried on `topic`.dlq."""
    return Outgoing(
        topic=topic,
        key=key,
        value=value,
        headers=tuple((name, content) for name, content in headers if not name.startswith(PREFIX)),
    )


async def count_reasons(settings: KafkaSettings, topic: str) -> Counter[str]:
    """How many dead letters of `topic` wait, by reason."""
    found: Counter[str] = Counter()
    async with _waiting(settings, topic) as (client, ends):
        async for _, headers, _, _ in _letters(client, ends):
            found[_reason(headers)] += 1
    return found


async def replay(settings: KafkaSettings, topic: str, *, chosen: Callable[[str], bool]) -> tuple[int, int]:
    """Put the waiting dead letters whose reason is `chosen` back on `topic`; how many, and how many stay.

    Those not chosen are put at the end of the dead letters again, so that the group's offsets can move on.
    Raises `Transient` when the broker does not acknowledge; then nothing is forgotten.
    """
    producer = Producer(settings, client_id=GROUP)
    back = kept = 0
    try:
        async with _waiting(settings, topic) as (client, ends):
            batch: list[Outgoing] = []
            async for where, headers, key, value in _letters(client, ends):
                if chosen(_reason(headers)):
                    batch.append(original(topic, key, value, headers))
                    back += 1
                else:
                    batch.append(
                        Outgoing(topic=topics.dead_letters(topic), key=key, value=value, headers=headers)
                    )
                    kept += 1
                if len(batch) >= _BATCH:
                    await producer.send(batch)
                    await client.commit(where)
                    batch = []
            if batch:
                await producer.send(batch)
            await client.commit(ends)
    finally:
        await producer.close()
    return back, kept


Positions = dict[TopicPartition, int]


@asynccontextmanager
async def _waiting(settings: KafkaSettings, topic: str) -> AsyncIterator[tuple[AIOKafkaConsumer, Positions]]:
    """A consumer at the first waiting dead letter, and where they end now."""
    client = consumer(settings, group=GROUP, client_id=GROUP)
    await client.start()
    try:
        letters = topics.dead_letters(topic)
        await client._client.add_topic(letters)
        partitions = [
            TopicPartition(letters, number) for number in client.partitions_for_topic(letters) or ()
        ]
        client.assign(partitions)
        yield client, await client.end_offsets(partitions)
    finally:
        await client.stop()


async def _letters(
    client: AIOKafkaConsumer, ends: Positions
) -> AsyncIterator[tuple[Positions, Headers, bytes | None, bytes | None]]:
    """Each waiting letter with the positions to commit once it is dealt with."""
    done: Positions = {}
    left = {tp for tp, end in ends.items() if await client.position(tp) < end}
    while left:
        for tp, records in (await client.getmany(timeout_ms=500, max_records=_BATCH)).items():
            for record in records:
                if record.offset < ends[tp]:
                    done[tp] = record.offset + 1
                    headers = tuple((name, content or b"") for name, content in record.headers)
                    yield dict(done), headers, record.key, record.value
        left = {tp for tp in left if await client.position(tp) < ends[tp]}


def _reason(headers: Headers) -> str:
    return dict(headers).get(f"{PREFIX}error.reason", b"unknown").decode(errors="replace")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; 1 with one line on standard error when the broker is away."""
    parser = argparse.ArgumentParser(prog="python -m deploy.dead_letters", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    for name, purpose in (("list", "count what waits, by reason"), ("replay", "put it back on its topic")):
        command = commands.add_parser(name, help=purpose)
        command.add_argument("--topic", choices=topics.ALL, required=True)
    commands.choices["replay"].add_argument("--reason", help="only dead letters with this reason")
    options = parser.parse_args(arguments)
    try:
        settings = DeadLetterSettings()
        if options.command == "list":
            for reason, count in sorted(asyncio.run(count_reasons(settings, options.topic)).items()):
                sys.stdout.write(f"{count:8d}  {reason}\n")
            return 0
        back, kept = asyncio.run(
            replay(settings, options.topic, chosen=lambda reason: options.reason in (None, reason))
        )
    except (KafkaError, OSError, PruefsteinError, TimeoutError, ValidationError) as error:
        sys.stderr.write(f"the dead letters cannot be read: {str(error) or type(error).__name__}\n")
        return 1
    sys.stdout.write(f"{back} put back, {kept} left\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
