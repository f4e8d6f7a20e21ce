"""The ingest service in this process, on a database and a consumer group of its own."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from deploy.topics import TopicSettings, create, wanted
from shared.settings import KafkaSettings
from tests.integration.ingest.bench import Bench
from tests.stack import TestDatabase, run_elsewhere


@pytest.fixture(scope="session")
def broker(kafka: str) -> KafkaSettings:
    """The run's broker with all topics."""
    run_elsewhere(
        create(
            KafkaSettings(bootstrap_servers=kafka),
            wanted(TopicSettings(bootstrap_servers=kafka, partitions=2)),
        )
    )
    return KafkaSettings(bootstrap_servers=kafka, session_timeout_ms=3000)


@pytest.fixture
async def bench(broker: KafkaSettings, database: TestDatabase) -> AsyncIterator[Bench]:
    """The service, with nothing of earlier tests before it."""
    async with AsyncExitStack() as stack:
        bench = Bench(kafka=broker, database=database)
        stack.push_async_callback(bench.close)
        await bench.skip()
        yield bench


NewBench = Callable[..., Bench]


@pytest.fixture
async def new_bench(broker: KafkaSettings, database: TestDatabase) -> AsyncIterator[NewBench]:
    """Makes further services on the same database; `settings` overrides any of theirs."""
    async with AsyncExitStack() as stack:

        def make(kafka: KafkaSettings = broker, **settings: Any) -> Bench:
            bench = Bench(kafka=kafka, database=database, **settings)
            stack.push_async_callback(bench.close)
            return bench

        yield make
