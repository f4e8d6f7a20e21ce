"""The door goes first."""

import asyncio
from contextlib import ExitStack

from services.ingest.traffic import CROWD, Traffic


async def test_without_a_crowd_folding_does_not_wait() -> None:
    """However long it worked before."""
    traffic = Traffic()
    with ExitStack() as stack:
        for _ in range(CROWD - 1):
            stack.enter_context(traffic)
        await asyncio.wait_for(traffic.give_way(1000.0), 0.05)


async def test_folding_goes_on_through_any_crowd() -> None:
    """It waits in proportion to what it worked, and never for ever."""
    traffic = Traffic()
    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(traffic)
        waiting = asyncio.create_task(traffic.give_way(1000.0))
        await asyncio.sleep(0)
        assert not waiting.done()
        await asyncio.wait_for(traffic.give_way(0.0), 0.05)
        await asyncio.wait_for(waiting, 5)
