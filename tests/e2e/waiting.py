"""Waiting for what the services do in their own time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import httpx

PATIENCE: Final = 90.0
"""Seconds; a bound for what hangs, not a promise of speed."""
_T = TypeVar("_T")


async def eventually(check: Callable[[], Awaitable[_T]], *, within: float = PATIENCE) -> _T:
    """What `check` returns, once it stops failing; its last failure when it never does."""
    deadline = time.monotonic() + within
    while True:
        try:
            return await check()
        except (AssertionError, httpx.TransportError):
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(0.25)
