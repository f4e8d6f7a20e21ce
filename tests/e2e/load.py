"""Many conversations at a time, told by all helpdesks while something breaks."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from deploy.local.feed.payloads import VENDORS, render
from deploy.local.feed.send import Sender
from tests.e2e.system import System
from tests.e2e.talk import CALM_DE, CALM_EN, THREAT, Told, tell
from tests.e2e.waiting import eventually

CONVERSATIONS: Final = 28
_AT_ONCE: Final = 7
_PAUSE: Final = 0.25
_ACCEPTED: Final = (200, 202)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Stories on their way."""

    sender: Sender
    told: tuple[Told, ...]
    deliveries: int
    """How many webhooks they make."""

    async def acknowledged(self, share: float) -> None:
        """Return once so much of it (0..1) was acknowledged."""

        async def check() -> None:
            done = sum(self.sender.answers[status] for status in _ACCEPTED)
            assert done >= share * self.deliveries, f"{done} of {self.deliveries}"

        await eventually(check)

    async def stands(self, system: System) -> None:
        """Everything acknowledged is there, once, and judged; the figures agree."""
        for one in self.told:
            await system.complete(one)
        await system.assert_nothing_doubled()


@asynccontextmanager
async def under_load(system: System) -> AsyncIterator[Load]:
    """Inside, conversations come in; at the end all of them were acknowledged."""
    kinds = itertools.cycle(((CALM_DE, "de"), (CALM_EN, "en"), (THREAT, "en")))
    told = tuple(
        tell(vendor, said, language=language)
        for vendor, (said, language) in zip(
            itertools.islice(itertools.cycle(VENDORS), CONVERSATIONS), kinds, strict=False
        )
    )
    sources = system.demo.sources
    gate = asyncio.Semaphore(_AT_ONCE)
    sender = system.sender()
    webhooks = [render(one.vendor, one.story) for one in told]

    async def bring(number: int) -> bool:
        async with gate:
            return await sender.tell(sources[told[number].vendor], webhooks[number], pause=_PAUSE)

    bringing = asyncio.gather(*(bring(number) for number in range(len(told))))
    try:
        yield Load(sender=sender, told=told, deliveries=sum(map(len, webhooks)))
    except BaseException:
        bringing.cancel()
        await asyncio.gather(bringing, return_exceptions=True)
        raise
    assert all(await bringing)
