"""The life of a service's process: run its parts together, stop them together."""

import asyncio
import signal
import sys
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import uvloop

from shared.errors import Stop
from shared.telemetry.logging import get_logger

log = get_logger()


async def run_until_stopped(
    parts: Mapping[str, Coroutine[Any, Any, None]], stop: Callable[[], Awaitable[None] | None]
) -> None:
    """Run all parts; SIGTERM, SIGINT or the end of any part calls `stop`, then all are awaited.

    Raises what the first failed part raised.
    """
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stopping.set)
    tasks = [asyncio.create_task(part, name=name) for name, part in parts.items()]
    waiter = asyncio.create_task(stopping.wait(), name="signal")
    await asyncio.wait([*tasks, waiter], return_when=asyncio.FIRST_COMPLETED)
    waiter.cancel()
    outcome = stop()
    if outcome is not None:
        await outcome
    results = await asyncio.gather(*tasks, return_exceptions=True)
    for task, result in zip(tasks, results, strict=True):
        if isinstance(result, BaseException) and not isinstance(result, asyncio.CancelledError):
            log.error("process.part_failed", part=task.get_name(), exc_info=result)
            raise result


def main(entry: Callable[[], Coroutine[Any, Any, None]]) -> int:
    """Run `entry` to its end; the exit code is 1 after `Stop`, with one line on standard error."""
    try:
        uvloop.run(entry())
    except Stop as error:
        sys.stderr.write(f"{error.detail}\n")
        return 1
    return 0
