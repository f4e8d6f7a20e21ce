"""Fixtures of all tests: Kafka and PostgreSQL, each started once a run, when the first test asks for it."""

import secrets
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

import pytest

from deploy.local.errors import StackError
from deploy.local.jars import class_path
from deploy.local.kafka import Kafka
from deploy.local.ports import HOST, free_ports
from deploy.local.postgres import Postgres
from deploy.local.settings import LocalSettings
from tests.stack import PostgresServer, TestDatabase, new_topic, reachable_folder, run_elsewhere


class NewTopic(Protocol):
    """Creates a topic (and its `.dlq`) under a unique name; `await new_topic("events", partitions=3)`."""

    def __call__(self, prefix: str = "topic", *, partitions: int = 1) -> Awaitable[str]:
        """Return the topic's name."""
        ...


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """The broker of this run."""
    folder = tmp_path_factory.mktemp("kafka")
    settings = LocalSettings()
    try:
        class_path(
            cache=settings.cache,
            kafka_home=settings.kafka_home,
            repository=settings.maven_repository,
            say=lambda _: None,
        )
    except StackError as error:
        pytest.skip(f"no broker: {error}")
    (port,) = free_ports(1)
    server = Kafka(
        data_dir=folder / "data",
        port=port,
        log_file=folder / "kafka.log",
        cache=settings.cache,
        kafka_home=settings.kafka_home,
        repository=settings.maven_repository,
    )
    with server:
        yield server


@pytest.fixture(scope="session")
def kafka(kafka_server: Kafka) -> str:
    """Bootstrap servers of this run's broker."""
    return kafka_server.bootstrap


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The database server of this run, with roles and a migrated template."""
    passwords = {role: secrets.token_hex(8) for role in ("postgres", "ingest", "autoqa", "metrics")}
    (port,) = free_ports(1)
    with reachable_folder() as folder:
        server = Postgres(
            data_dir=folder / "data",
            port=port,
            password=passwords["postgres"],
            log_file=folder / "postgres.log",
            durable=False,
        )
        with server:
            shown = PostgresServer(host=HOST, port=port, passwords=passwords)
            run_elsewhere(shown.make_template())
            yield shown


@pytest.fixture
def database(postgres: PostgresServer) -> Iterator[TestDatabase]:
    """A fresh database with all migrations applied and no rows; dropped after the test."""
    clone = run_elsewhere(postgres.clone())
    yield clone
    run_elsewhere(postgres.drop(clone.name))


@pytest.fixture(name="new_topic")
def new_topic_fixture(kafka: str) -> Callable[..., Awaitable[str]]:
    """Creates topics under unique names on this run's broker."""

    async def make(prefix: str = "topic", *, partitions: int = 1) -> str:
        return await new_topic(kafka, prefix, partitions=partitions)

    return make
