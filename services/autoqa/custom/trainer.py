"""Trains the heads of custom categories when metrics tells of them, and after a change of the model.

    changed | what metrics says now | examples | encode | train | store | tell how good it is

Telling comes last, and a head that is there is only told again: a process that dies in between loses nothing.
"""

import asyncio
from collections.abc import Sequence

import numpy as np

from services.autoqa.custom.records import trained_record
from services.autoqa.custom.store import CategoryStore, Labelled, StoredHead, Wanted
from services.autoqa.custom.training import Trained, train_head, warnings_of
from services.autoqa.embedding import Embedding
from services.autoqa.inference import Inference
from shared.broker.kafka import Producer
from shared.clock import Clock
from shared.contracts.v1.category_changed import CategoryChanged
from shared.contracts.v1.category_trained import CategoryTrained, TrainingState, TrainingWarning
from shared.errors import PruefsteinError
from shared.telemetry.logging import get_logger

__all__ = ["Trainer"]

log = get_logger()


class Trainer:
    """Of one model."""

    def __init__(
        self, *, store: CategoryStore, inference: Inference, producer: Producer, clock: Clock
    ) -> None:
        self._store = store
        self._inference = inference
        self._producer = producer
        self._clock = clock

    async def on_changes(self, changes: Sequence[CategoryChanged]) -> None:
        """Train what has no head yet, forget what is gone. Idempotent."""
        for tenant_id, category_id in dict.fromkeys((c.tenant_id, c.category_id) for c in changes):
            found = await self._store.wanted(tenant_id, category_id)
            if not found:
                await self._store.forget(tenant_id, category_id)
            for category in found:
                await self._renew(tenant_id, category)

    async def renew_all(self) -> None:
        """Heads over this model for all tenants: after new weights there is none yet."""
        count = 0
        for tenant_id in await self._store.tenants():
            for category in await self._store.wanted(tenant_id):
                try:
                    count += await self._renew(tenant_id, category)
                except PruefsteinError:
                    raise
                except Exception as error:
                    # One category that cannot be trained must not keep the service from starting.
                    log.error("autoqa.category.failed", category_id=category.id, exc_info=error)
        if count:
            log.info("autoqa.categories.renewed", heads=count)

    async def _renew(self, tenant_id: str, category: Wanted) -> int:
        """How many heads were trained."""
        revision = self._inference.revision
        count = 0
        for version in category.versions:
            stored = await self._store.head(tenant_id, category.id, version, revision=revision)
            if stored is None:
                examples = await self._store.examples(tenant_id, category, version)
                if not examples:
                    # Another version took its place meanwhile, and its own record follows.
                    continue
                if not self._inference.gives_states:
                    log.error("autoqa.categories.no_states", category_id=category.id)
                    await self._tell_failed(tenant_id, category, version, examples)
                    continue
                stored = await self._train(examples)
                await self._store.save_head(tenant_id, category.id, version, stored, revision=revision)
                count += 1
                log.info("autoqa.category.trained", category_id=category.id, version=version)
            await self._tell(tenant_id, category, version, stored)
        if category.active_version is not None:
            await self._store.forget(tenant_id, category.id, before=category.active_version)
        return count

    async def _train(self, examples: Sequence[Labelled]) -> StoredHead:
        read = await self._inference.embed([example.message for example in examples])
        positive = [example.positive for example in examples]
        made = await asyncio.to_thread(_trained, [embedding for _, embedding in read], positive)
        return StoredHead(head=made.head, quality=made.quality, trained_at=self._clock.now())

    async def _tell(self, tenant_id: str, category: Wanted, version: int, stored: StoredHead) -> None:
        told = CategoryTrained(
            tenant_id=tenant_id,
            category_id=category.id,
            version=version,
            state=TrainingState.TRAINED,
            model_revision=self._inference.revision,
            precision=stored.quality.precision,
            recall=stored.quality.recall,
            positives=stored.quality.positives,
            negatives=stored.quality.negatives,
            warnings=[TrainingWarning(warning) for warning in warnings_of(stored.quality)],
            trained_at=stored.trained_at,
        )
        await self._producer.send([trained_record(told)])

    async def _tell_failed(
        self, tenant_id: str, category: Wanted, version: int, examples: Sequence[Labelled]
    ) -> None:
        positives = sum(example.positive for example in examples)
        told = CategoryTrained(
            tenant_id=tenant_id,
            category_id=category.id,
            version=version,
            state=TrainingState.FAILED,
            model_revision=self._inference.revision,
            precision=None,
            recall=None,
            positives=positives,
            negatives=len(examples) - positives,
            warnings=[TrainingWarning.NO_STATES],
            trained_at=self._clock.now(),
        )
        await self._producer.send([trained_record(told)])


def _trained(embeddings: Sequence[Embedding], positive: Sequence[bool]) -> Trained:
    return train_head(np.stack([embedding.features() for embedding in embeddings]), np.array(positive))
