"""The fixtures that other tests stand on."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from shared.db.migrate import OWNER
from tests.stack import TestDatabase


async def test_a_new_topic_takes_and_gives_records(
    kafka: str, new_topic: Callable[..., Awaitable[str]]
) -> None:
    """What is sent to a new topic is read from it."""
    topic = await new_topic("fixtures", partitions=2)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"value", key=b"key")
    finally:
        await producer.stop()
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        record = await consumer.getone()
    finally:
        await consumer.stop()
    assert (record.key, record.value) == (b"key", b"value")


async def test_every_test_has_a_database_of_its_own(database: TestDatabase) -> None:
    """The services' roles can log in and are bound by row-level security."""
    for role in ("ingest", "autoqa", "metrics"):
        connection = await database.connect(role)
        try:
            assert await connection.fetchval("select current_database()") == database.name
            row = await connection.fetchrow(
                "select rolsuper, rolbypassrls from pg_roles where rolname = current_user"
            )
            assert tuple(row) == (False, False)
        finally:
            await connection.close()


async def test_the_owner_cannot_log_in(database: TestDatabase) -> None:
    """The role that owns the schemas is no way in, and no superuser."""
    connection = await database.connect()
    try:
        row = await connection.fetchrow(
            "select rolcanlogin, rolsuper, rolbypassrls from pg_roles where rolname = $1", OWNER
        )
    finally:
        await connection.close()
    assert tuple(row) == (False, False, False)


async def test_a_wrong_password_is_refused(database: TestDatabase) -> None:
    """The server asks for passwords on its only address."""
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(
            host=database.server.host,
            port=database.server.port,
            user="ingest",
            password="wrong",
            database=database.name,
            ssl=False,
        )
