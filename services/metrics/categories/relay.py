"""Sends what the transactions of custom categories left to be told.

    outbox rows -> broker -> acknowledged -> rows gone, one transaction

A process that dies in between leaves the rows, and they are sent again: readers are idempotent.
"""

import asyncio
from typing import Final

import orjson

from services.metrics.categories.store import CategoryStore, Untold
from shared.broker.kafka import Producer
from shared.broker.record import Outgoing
from shared.contracts import topics
from shared.contracts.envelope import Envelope
from shared.errors import Transient
from shared.telemetry.logging import get_logger

__all__ = ["Relay"]

log = get_logger()

_MOST: Final = 100
_EVERY_SECONDS: Final = 5.0
"""How often what nobody woke us for is looked for: another process's, or what failed before."""


class Relay:
    """Runs until stopped."""

    def __init__(self, store: CategoryStore, producer: Producer) -> None:
        self._store = store
        self._producer = producer
        self._stopping = False
        self._wake = asyncio.Event()
        self._woken: set[str] = set()

    def wake(self, tenant_id: str) -> None:
        """Something of the tenant's was committed: send it at once."""
        self._woken.add(tenant_id)
        self._wake.set()

    def stop(self) -> None:
        """After the records at hand."""
        self._stopping = True
        self._wake.set()

    async def run(self) -> None:
        """Send until stopped; what cannot be sent now is tried again."""
        while not self._stopping:
            try:
                async with asyncio.timeout(_EVERY_SECONDS):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()
            woken, self._woken = self._woken, set()
            try:
                for tenant_id in sorted(woken or await self._store.tenants()):
                    await self._flush_alone(tenant_id)
            except Transient as error:
                log.warning("categories.relay_waits", reason=error.reason)

    async def _flush_alone(self, tenant_id: str) -> None:
        """One tenant's record that cannot be sent must not keep the other tenants' back."""
        try:
            await self.flush(tenant_id)
        except Transient:
            raise
        except Exception as error:
            log.error("categories.relay_failed", exc_info=error)

    async def flush(self, tenant_id: str) -> None:
        """Send all that waits of one tenant. Raises `Transient` where broker or database are away."""
        while True:
            async with self._store.transaction(tenant_id) as transaction:
                untold = await transaction.untold(most=_MOST)
                if untold:
                    await self._producer.send([_record(tenant_id, one) for one in untold])
                    await transaction.told([one.id for one in untold])
            if len(untold) < _MOST:
                return


def _record(tenant_id: str, untold: Untold) -> Outgoing:
    value, headers = Envelope(
        id=untold.id,
        source="/metrics",
        type=untold.type,
        extensions={"tenantid": tenant_id},
        data=orjson.dumps(untold.payload),
    ).to_kafka()
    return Outgoing(topic=untold.topic, key=topics.tenant_key(tenant_id), value=value, headers=headers)
