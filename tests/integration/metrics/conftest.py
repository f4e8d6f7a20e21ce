"""The metrics service in this process, on a database of its own."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx
import pytest

from services.metrics.bootstrap import Service, build
from services.metrics.facts.handlers import ConversationRef, on_conversations
from services.metrics.facts.store import FactStore
from services.metrics.keys.handlers import add_key
from services.metrics.keys.store import KeyStore
from services.metrics.settings import MetricsSettings
from shared.clock import FrozenClock
from shared.db.database import Database
from shared.http.auth import KeyRole
from tests.integration.metrics.world import World
from tests.stack import TestDatabase

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metrics:
    """The service with its database and a way to hand it news."""

    service: Service
    database: Database
    clock: FrozenClock
    client: httpx.AsyncClient

    async def news(self, *conversation_ids: str, tenant_id: str = "a") -> None:
        """As if records named these conversations."""
        await on_conversations(
            [ConversationRef(tenant_id, conversation_id) for conversation_id in conversation_ids],
            store=FactStore(self.database),
            clock=self.clock,
        )

    async def key(self, role: KeyRole = KeyRole.QA_LEAD, *, tenant_id: str = "a") -> dict[str, str]:
        """Headers of a new key."""
        _, token = await add_key(
            KeyStore(self.database), tenant_id=tenant_id, role=role, name=None, clock=self.clock
        )
        return {"Authorization": f"Bearer {token}"}


@pytest.fixture
async def world(database: TestDatabase) -> AsyncIterator[World]:
    """What the other services have stored."""
    connection = await database.connect()
    yield World(connection)
    await connection.close()


@pytest.fixture
async def metrics(database: TestDatabase, world: World) -> AsyncIterator[Metrics]:
    """The service without its consumer: news are handed over by hand."""
    clock = FrozenClock(NOW)
    settings = MetricsSettings(database=database.settings("metrics"), training_wait_seconds=0)
    service = build(settings, clock=clock)
    transport = httpx.ASGITransport(service.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:
        yield Metrics(service=service, database=service.database, clock=clock, client=client)
    await service.database.close()
