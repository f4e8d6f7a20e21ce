"""Sends webhooks as a helpdesk would: in order per conversation, again when told to wait."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx

from deploy.local.feed.payloads import Webhook, signed
from shared.clock import Clock

_ATTEMPTS = 30
_LONGEST_WAIT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A webhook source of ingest's."""

    vendor: str
    id: str
    secret: str


@dataclass(slots=True)
class Sender:
    """Posts to one ingest and counts the answers by status; -1 stands for no answer."""

    client: httpx.AsyncClient
    clock: Clock
    answers: Counter[int] = field(default_factory=Counter)

    async def tell(self, source: Source, webhooks: Sequence[Webhook], *, pause: float) -> bool:
        """Send them one after the other, `pause` seconds apart. Whether all were taken in.

        503 and no answer are tried again with growing waits; another refusal ends the conversation.
        """
        for place, webhook in enumerate(webhooks):
            if place and pause:
                await asyncio.sleep(pause)
            if not await self._deliver(source, webhook):
                return False
        return True

    async def _deliver(self, source: Source, webhook: Webhook) -> bool:
        for attempt in range(_ATTEMPTS):
            headers = signed(source.vendor, webhook, secret=source.secret, now=self.clock.now())
            wait = min(0.2 * 2**attempt, _LONGEST_WAIT)
            try:
                answer = await self.client.post(
                    f"/v1/webhooks/{source.id}", content=webhook.body, headers=headers
                )
            except httpx.HTTPError:
                self.answers[-1] += 1
            else:
                self.answers[answer.status_code] += 1
                if answer.is_success:
                    return True
                if answer.status_code not in (429, 503):
                    return False
                with contextlib.suppress(ValueError):
                    wait = min(float(answer.headers.get("Retry-After", wait)), _LONGEST_WAIT)
            await asyncio.sleep(wait)
        return False
