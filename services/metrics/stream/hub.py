"""The listeners of this process, each with a bounded queue of its tenant's events."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from services.metrics.stream.events import Notice, StreamEvent
from shared.errors import Transient
from shared.telemetry.logging import get_logger

log = get_logger()


class Subscription:
    """One listener's queue; iterating it ends when the hub closes or the listener is too far behind."""

    def __init__(self, size: int) -> None:
        """Hold at most `size` events."""
        self._queue: asyncio.Queue[StreamEvent | None] = asyncio.Queue(size)

    def put(self, event: StreamEvent) -> bool:
        """Queue an event; False, and the end, where there is no room."""
        try:
            self._queue.put_nowait(event)
        except asyncio.QueueFull:
            self.end()
            return False
        return True

    def end(self) -> None:
        """Let go of what is queued and end."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        """The events, as they come."""
        while (event := await self._queue.get()) is not None:
            yield event


class Hub:
    """Hands every notice to the listeners of its tenant."""

    def __init__(self, *, queue_size: int, max_listeners: int) -> None:
        """Both at least 1."""
        self._queue_size = queue_size
        self._max_listeners = max_listeners
        self._by_tenant: defaultdict[str, set[Subscription]] = defaultdict(set)
        self._closed = False

    def require_room(self) -> None:
        """Raises `Transient` when full or closing."""
        if self._closed or sum(map(len, self._by_tenant.values())) >= self._max_listeners:
            raise Transient("no room for another listener", reason="too_many_listeners")

    @contextmanager
    def subscribe(self, tenant_id: str) -> Iterator[Subscription]:
        """Listen to one tenant. Raises `Transient` when full or closing."""
        self.require_room()
        subscription = Subscription(self._queue_size)
        self._by_tenant[tenant_id].add(subscription)
        try:
            yield subscription
        finally:
            self._by_tenant[tenant_id].discard(subscription)
            if not self._by_tenant[tenant_id]:
                del self._by_tenant[tenant_id]

    def publish(self, notice: Notice) -> None:
        """Queue it; a listener without room is disconnected, it would slow nobody but miss events."""
        for subscription in list(self._by_tenant.get(notice.tenant_id, ())):
            if not subscription.put(notice.event):
                log.info("stream.listener_too_slow")
                self._by_tenant[notice.tenant_id].discard(subscription)

    def close(self) -> None:
        """End all streams and take no more."""
        self._closed = True
        for subscriptions in self._by_tenant.values():
            for subscription in subscriptions:
                subscription.end()
