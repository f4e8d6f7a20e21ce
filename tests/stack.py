"""The embedded broker and database as the tests see them."""

import asyncio
import os
import secrets
import shutil
import tempfile
from collections.abc import Coroutine, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

import asyncpg
from aiokafka.admin import NewTopic
from pydantic import SecretStr

from deploy.local.settings import LocalSettings
from deploy.migrate import MigrateSettings, create_database, create_roles, run_migrations
from deploy.topics import create
from shared.settings import DatabaseSettings, KafkaSettings

Role = Literal["ingest", "autoqa", "metrics", "postgres"]
"""The services' roles, and the superuser who runs migrations."""

CACHE: Final[Path] = LocalSettings().cache
TEMPLATE: Final = "template_pruefstein"
_T = TypeVar("_T")


@contextmanager
def reachable_folder() -> Iterator[Path]:
    """A folder that every user can enter, gone afterwards.

    Pytest's own are closed to others (and closed again by every other session), while the database runs as
    nobody where root starts it.
    """
    folder = Path(tempfile.mkdtemp(prefix="pruefstein-test-"))
    folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run_elsewhere(work: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine to its end in a loop of its own, whether or not one runs here."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresServer:
    """The server of the test run, with the passwords of all roles."""

    host: str
    port: int
    passwords: dict[str, str]

    def settings(self, role: Role, *, database: str, pool_size: int = 4) -> DatabaseSettings:
        """How `role` reaches `database`."""
        return DatabaseSettings(
            host=self.host,
            port=self.port,
            name=database,
            user=role,
            password=SecretStr(self.passwords[role]),
            pool_size=pool_size,
        )

    async def connect(self, role: Role = "postgres", *, database: str = "postgres") -> asyncpg.Connection:
        """A plain connection."""
        return await asyncpg.connect(
            host=self.host,
            port=self.port,
            user=role,
            password=self.passwords[role],
            database=database,
            ssl=False,
        )

    async def make_template(self) -> None:
        """Create the roles and the migrated database that every test's own is cloned from."""
        connection = await self.connect()
        try:
            await create_roles(
                connection, {role: self.passwords[role] for role in ("ingest", "autoqa", "metrics")}
            )
            await create_database(connection, TEMPLATE)
        finally:
            await connection.close()
        await run_migrations(self.settings("postgres", database=TEMPLATE))

    async def clone(self) -> "TestDatabase":
        """A fresh database with all tables and no rows."""
        name = f"test_{secrets.token_hex(6)}"
        connection = await self.connect()
        try:
            await connection.execute(f"create database {name} template {TEMPLATE}")
        finally:
            await connection.close()
        return TestDatabase(server=self, name=name)

    async def drop(self, name: str) -> None:
        """Remove a clone, with whoever is still connected to it."""
        connection = await self.connect()
        try:
            await connection.execute(f"drop database if exists {name} with (force)")
        finally:
            await connection.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class TestDatabase:
    """One test's own database."""

    __test__ = False  # not a test class, whatever its name

    server: PostgresServer
    name: str

    def settings(self, role: Role, *, pool_size: int = 4) -> DatabaseSettings:
        """What `shared.db.Database` and a service's settings take."""
        return self.server.settings(role, database=self.name, pool_size=pool_size)

    def environment(self, role: Role) -> dict[str, str]:
        """For a service's process: `INGEST_DATABASE__HOST` and so on."""
        prefix = f"{role.upper()}_DATABASE__"
        values = {
            "HOST": self.server.host,
            "PORT": str(self.server.port),
            "NAME": self.name,
            "USER": role,
            "PASSWORD": self.server.passwords[role],
        }
        return {f"{prefix}{name}": value for name, value in values.items()}

    async def connect(self, role: Role = "postgres") -> asyncpg.Connection:
        """A plain connection; the superuser's sees every tenant."""
        return await self.server.connect(role, database=self.name)


async def new_topic(
    bootstrap: str, prefix: str = "topic", *, partitions: int = 1, max_message_bytes: int = 5 * 1024 * 1024
) -> str:
    """Create a topic under a name that no other test has, with its dead letters; the name."""
    name = f"{prefix}-{secrets.token_hex(4)}"
    limit = {"max.message.bytes": str(max_message_bytes)}
    new = [
        NewTopic(name, partitions, 1, topic_configs=limit),
        NewTopic(f"{name}.dlq", 1, 1, topic_configs=limit),
    ]
    await create(KafkaSettings(bootstrap_servers=bootstrap), new)
    return name


def migrate_settings(server: PostgresServer, database: str) -> MigrateSettings:
    """For tests of the migrations themselves."""
    return MigrateSettings.model_validate(
        {
            "database": server.settings("postgres", database=database),
            **{f"{role}_password": server.passwords[role] for role in ("ingest", "autoqa", "metrics")},
        }
    )


def child_environment(values: Mapping[str, str]) -> dict[str, str]:
    """A child's environment: ours without any service's settings, plus `values`."""
    prefixes = ("INGEST_", "AUTOQA_", "METRICS_", "MIGRATE_", "TOPICS_", "PG")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    return {**kept, **values}
