"""Which source an id in a webhook's address belongs to, remembered for a short while."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from shared.errors import NotFound, Transient

REMEMBER_SECONDS: Final = 15.0
"""A removed source is refused, and a new one let in, after this long at the latest."""
OUTAGE_SECONDS: Final = 600.0
"""So long a known source is trusted while the database is away; not every helpdesk sends again."""
_ANSWER_SECONDS = 1.0
"""Longer the database is not waited for: helpdesks give up after a few seconds."""
_ASK_AGAIN_SECONDS: Final = 2.0
_SIZE: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSource:
    """A helpdesk that may send webhooks, and how it proves who it is."""

    id: str
    tenant_id: str
    vendor: str
    account_id: str | None
    secret: str


class SourceDirectory:
    """Looks sources up, unknown ids too, with a bounded memory."""

    def __init__(
        self,
        find: Callable[[str], Awaitable[WebhookSource | None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`find` asks the database; `monotonic` gives seconds."""
        self._find = find
        self._monotonic = monotonic
        #: Until when an answer is fresh, until when it may be trusted in an outage, the answer.
        self._known: dict[str, tuple[float, float, WebhookSource | None]] = {}
        self._asking = asyncio.Lock()

    async def source(self, source_id: str) -> WebhookSource:
        """Raises `NotFound` for an unknown id, `Transient` when the database is away and nothing is known."""
        if "\x00" in source_id:  # the database cannot even be asked
            raise NotFound("no such webhook source")
        known = self._known.get(source_id)
        now = self._monotonic()
        is_fresh = known is not None and known[0] > now
        # While somebody waits for the database, an answer that may still be trusted beats the queue.
        is_trusted = known is not None and known[1] > now and self._asking.locked()
        if known is None or not (is_fresh or is_trusted):
            known = await self._ask(source_id)
        if known[2] is None:
            raise NotFound("no such webhook source")
        return known[2]

    async def _ask(self, source_id: str) -> tuple[float, float, WebhookSource | None]:
        # One at a time: a flood of unknown ids holds one connection, not all.
        async with self._asking:
            now = self._monotonic()
            known = self._known.get(source_id)
            if known is not None and known[0] > now:
                return known
            try:
                async with asyncio.timeout(_ANSWER_SECONDS):
                    found = await self._find(source_id)
            except (Transient, TimeoutError):
                if known is None or known[1] <= now:
                    raise Transient("the database does not answer", reason="database") from None
                answer = (now + _ASK_AGAIN_SECONDS, known[1], known[2])
            else:
                answer = (now + REMEMBER_SECONDS, now + OUTAGE_SECONDS, found)
            if len(self._known) >= _SIZE and source_id not in self._known:
                self._forget(now)
            self._known[source_id] = answer
            return answer

    def _forget(self, now: float) -> None:
        """Make room: unknown ids first, since they can be made up without end."""
        self._known = {key: known for key, known in self._known.items() if known[2] is not None}
        if len(self._known) >= _SIZE:
            self._known = {key: known for key, known in self._known.items() if known[0] > now}
        if len(self._known) >= _SIZE:
            self._known.clear()
