"""Dead letters can be put back, once, against the real broker."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer

from deploy.dead_letters import count_reasons, replay
from shared.broker.dead_letter import dead_letter
from shared.broker.kafka import Producer
from shared.broker.record import Record
from shared.errors import Rejected
from shared.settings import KafkaSettings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


async def test_dead_letters_go_back_unchanged_and_only_once(
    kafka: str, new_topic: Callable[..., Awaitable[str]]
) -> None:
    """Those with another reason stay; a second replay finds only them."""
    settings = KafkaSettings(bootstrap_servers=kafka)
    topic = await new_topic("letters")
    producer = Producer(settings, client_id="test")
    records = [
        Record(
            topic=topic,
            partition=0,
            offset=offset,
            key=b"k",
            value=str(offset).encode(),
            headers=(("ce_id", b"1"),),
            at=NOW,
        )
        for offset in range(3)
    ]
    reasons = ["schema", "schema", "no_tenant"]
    await producer.send(
        [
            dead_letter(record, Rejected("x", reason=reason), group="g", attempts=1, now=NOW)
            for record, reason in zip(records, reasons, strict=True)
        ]
    )
    await producer.close()

    assert await count_reasons(settings, topic) == {"schema": 2, "no_tenant": 1}
    assert await replay(settings, topic, chosen=lambda reason: reason == "schema") == (2, 1)
    assert await replay(settings, topic, chosen=lambda reason: reason == "schema") == (0, 1)

    client = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await client.start()
    back = [await client.getone() for _ in range(2)]
    await client.stop()
    assert [(record.key, record.value, record.headers) for record in back] == [
        (b"k", b"0", (("ce_id", b"1"),)),
        (b"k", b"1", (("ce_id", b"1"),)),
    ]
