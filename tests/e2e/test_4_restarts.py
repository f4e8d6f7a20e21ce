"""Services that are stopped or killed under load."""

import asyncio

import pytest

from deploy.local.stack import SERVICES, ServiceName
from tests.e2e.load import under_load
from tests.e2e.system import System


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_stopped_under_load_loses_and_doubles_nothing(
    system: System, name: ServiceName
) -> None:
    """SIGTERM: it ends by itself, and after its restart everything acknowledged is there once."""
    async with under_load(system) as load:
        await load.acknowledged(0.3)
        assert await asyncio.to_thread(system.stack.services[name].stop, timeout=15), "had to be killed"
        await asyncio.to_thread(system.stack.restart_service, name)
    await load.stands(system)


@pytest.mark.parametrize("name", SERVICES)
async def test_a_service_killed_under_load_loses_and_doubles_nothing(
    system: System, name: ServiceName
) -> None:
    """SIGKILL in the middle of everything, twice."""
    async with under_load(system) as load:
        for share in (0.2, 0.5):
            await load.acknowledged(share)
            await asyncio.to_thread(system.stack.kill_service, name)
            await asyncio.to_thread(system.stack.restart_service, name)
    await load.stands(system)
