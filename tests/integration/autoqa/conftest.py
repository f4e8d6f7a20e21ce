"""The autoqa service in this process, on a database and a consumer group of its own."""

from collections.abc import AsyncIterator

import pytest

from deploy.topics import TopicSettings, create, wanted
from shared.settings import KafkaSettings
from tests.integration.autoqa.bench import PARTITIONS, Bench
from tests.stack import TestDatabase, run_elsewhere


@pytest.fixture(scope="session")
def broker(kafka: str) -> KafkaSettings:
    """The run's broker with all topics."""
    run_elsewhere(
        create(
            KafkaSettings(bootstrap_servers=kafka),
            wanted(TopicSettings(bootstrap_servers=kafka, partitions=PARTITIONS)),
        )
    )
    return KafkaSettings(bootstrap_servers=kafka, session_timeout_ms=3000)


@pytest.fixture
async def bench(broker: KafkaSettings, database: TestDatabase) -> AsyncIterator[Bench]:
    """The service with the stub model."""
    bench = Bench(kafka=broker, database=database)
    yield bench
    await bench.close()
