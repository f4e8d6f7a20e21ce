"""One stack of real processes for all end-to-end tests; what breaks it puts it together again.

The tests run in the order of their files: gentle ones first, then what kills, then what stops all.
"""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from deploy.local.demo import VENDORS
from deploy.local.errors import StackError
from deploy.local.jars import class_path
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from tests.e2e.samples import secret_of
from tests.e2e.system import System, Tenant
from tests.stack import reachable_folder


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Broker, database and the three services, on free ports."""
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
    with reachable_folder() as home, Stack.on_free_ports(home) as running:
        yield running


@pytest.fixture(scope="session")
async def shared_system(stack: Stack) -> AsyncIterator[System]:
    """The stack with a client."""
    limits = httpx.Limits(max_connections=64)
    async with httpx.AsyncClient(
        base_url=stack.env["INGEST_URL"], timeout=15, limits=limits, trust_env=False
    ) as client:
        system = System(stack=stack, client=client)
        client.event_hooks["response"] = [system.note_answer]
        yield system


@pytest.fixture
async def system(shared_system: System) -> AsyncIterator[System]:
    """The stack, whole at the beginning; at the end nobody may have been answered with a 500."""
    shared_system.repair()
    shared_system.refused_badly.clear()
    yield shared_system
    assert shared_system.refused_badly == []


@pytest.fixture(scope="session")
async def vendors_tenant(shared_system: System) -> Tenant:
    """Another company, whose sources have the secrets of the vendors' samples."""
    return await shared_system.add_tenant("vendors", {name: secret_of(name) for name in VENDORS})
