"""Use cases: conversations changed, time passed, somebody asks.

    changes | newest of each | minus what is settled | load | rate | store | publish | mark as published

A publication that fails makes the batch come again; since it is not marked, it is published again even
though nothing changes in the store. The same holds for a process that dies in between.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from services.autoqa.changes import Change
from services.autoqa.custom.catalogue import Catalogue
from services.autoqa.custom.category import Custom
from services.autoqa.rate import CustomWork, Rater
from services.autoqa.scored_record import scored_record
from services.autoqa.store import Store
from services.autoqa.stored import Judged, Loaded, Saved, Withdrawn
from shared.broker.kafka import Producer
from shared.clock import Clock
from shared.errors import PruefsteinError, Transient
from shared.telemetry import metrics
from shared.telemetry.logging import get_logger

__all__ = ["Bounds", "Scorer"]

log = get_logger()

_UNTOLD_AFTER: Final = timedelta(minutes=1)
"""What is not published by then was left by a process that ended in between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What one step holds in memory at most."""

    messages_at_once: int = 2000
    """Messages of one step, unless a single conversation has more."""
    messages_of_one: int = 1000
    """The newest messages of a conversation that are read."""


class Scorer:
    """Keeps the stored reviews in step with the conversations."""

    def __init__(
        self,
        *,
        store: Store,
        rater: Rater,
        catalogue: Catalogue,
        producer: Producer,
        clock: Clock,
        bounds: Bounds = Bounds(),
    ) -> None:
        self._store = store
        self._rater = rater
        self._catalogue = catalogue
        self._producer = producer
        self._clock = clock
        self._bounds = bounds
        self._is_stopping = False

    def stop(self) -> None:
        """Begin no other step: calls under way raise `Transient`, and what they left undone comes again."""
        self._is_stopping = True

    def _judged(self, custom: Custom) -> Judged:
        judgement = self._rater.judgement
        scorecard = custom.scorecard if custom.categories else judgement.scorecard
        return Judged(scorecard=scorecard, model_revision=judgement.model_revision)

    async def on_changes(self, changes: Sequence[Change]) -> None:
        """Rate the conversations that changed. Idempotent."""
        by_tenant: dict[str, dict[str, Change]] = defaultdict(dict)
        for change in changes:
            newest = by_tenant[change.tenant_id].get(change.conversation_id)
            if newest is None or change.version > newest.version:
                by_tenant[change.tenant_id][change.conversation_id] = change
        for tenant_id, wanted in by_tenant.items():
            custom = await self._catalogue.of(tenant_id)
            judged = self._judged(custom)
            scored = await self._store.scored(tenant_id, list(wanted))
            open_changes = {
                of: change
                for of, change in wanted.items()
                if of not in scored or not scored[of].settles(change.version, judged)
            }
            await self._score(tenant_id, open_changes, custom, is_new=True)

    async def on_time_passed(self, *, most: int = 500) -> int:
        """Rate again what time alone has changed, and tell what nobody was told. How many it was.

        All of it, in chunks of at most `most`; what cannot be rated is left out and logged.
        """
        count = 0
        now = self._clock.now()
        for tenant_id in await self._store.tenants():
            seen: set[str] = set()
            while True:
                due = await self._store.due(
                    tenant_id, now=now, unpublished_before=now - _UNTOLD_AFTER, most=most
                )
                fresh = [of for of in due if of not in seen]
                if not fresh:
                    break
                seen.update(fresh)
                await self._rate_what_can_be(tenant_id, fresh)
            count += len(seen)
        if count:
            log.info("autoqa.time_passed", conversations=count)
        return count

    async def on_replay(self, tenant_id: str, conversation_ids: Sequence[str]) -> None:
        """Rate again whatever was rated before; what is found anew begins the next round. Idempotent."""
        await self._rate_again(tenant_id, conversation_ids, is_replay=True)

    async def _rate_what_can_be(self, tenant_id: str, conversation_ids: Sequence[str]) -> None:
        """Together, or one by one where that fails: one must not keep all others, other tenants' too."""
        try:
            await self._rate_again(tenant_id, conversation_ids)
        except PruefsteinError:
            raise
        except Exception as error:
            if len(conversation_ids) == 1:
                log.error("autoqa.sweep_failed", conversation_id=conversation_ids[0], exc_info=error)
                return
            for one in conversation_ids:
                await self._rate_what_can_be(tenant_id, [one])

    async def _rate_again(
        self, tenant_id: str, conversation_ids: Sequence[str], *, is_replay: bool = False
    ) -> None:
        loaded = await self._store.headers(tenant_id, conversation_ids)
        changes = {
            of: Change(key=c.key, tenant_id=tenant_id, conversation_id=of, version=c.conversation.version)
            for of, c in loaded.items()
        }
        custom = await self._catalogue.of(tenant_id)
        await self._score(tenant_id, changes, custom, is_new=False, is_replay=is_replay)

    async def _score(
        self,
        tenant_id: str,
        changes: Mapping[str, Change],
        custom: Custom,
        *,
        is_new: bool,
        is_replay: bool = False,
    ) -> None:
        if not changes:
            return
        headers = await self._store.headers(tenant_id, list(changes))
        eligible = [h for h in headers.values() if h.conversation.status.is_eligible and h.message_count]
        rest = [change for of, change in changes.items() if of not in {e.conversation.id for e in eligible}]
        withdrawn = [_withdrawn(change, headers.get(change.conversation_id)) for change in rest]
        if withdrawn:
            await self._save(tenant_id, [], withdrawn, custom, is_new=is_new)
        for step in self._steps(eligible):
            await self._save(tenant_id, step, [], custom, is_new=is_new, is_replay=is_replay)

    def _steps(self, headers: Sequence[Loaded]) -> Iterator[list[Loaded]]:
        step: list[Loaded] = []
        size = 0
        for loaded in headers:
            count = min(loaded.message_count, self._bounds.messages_of_one)
            if step and size + count > self._bounds.messages_at_once:
                yield step
                step, size = [], 0
            step.append(loaded)
            size += count
        if step:
            yield step

    async def _save(
        self,
        tenant_id: str,
        headers: Sequence[Loaded],
        withdrawn: Sequence[Withdrawn],
        custom: Custom,
        *,
        is_new: bool,
        is_replay: bool = False,
    ) -> None:
        if self._is_stopping:
            raise Transient("the service is stopping", reason="stopping")
        now = self._clock.now()
        ids = [loaded.conversation.id for loaded in headers]
        loaded = await self._with_messages(tenant_id, headers, ids)
        judged = self._judged(custom)
        known = await self._store.readings(tenant_id, ids, revision=judged.model_revision)
        work = CustomWork(
            custom=custom,
            known=await self._store.category_readings(tenant_id, ids, custom, revision=judged.model_revision),
        )
        rated = await self._rater.rate(
            [item.conversation for item in loaded], known=known, now=now, work=work
        )
        saved = await self._store.save(
            tenant_id,
            list(zip(loaded, rated, strict=True)),
            withdrawn,
            judged=judged,
            versions={category.id: category.version for category in custom.categories},
            now=now,
            is_replay=is_replay,
        )
        await self._publish(tenant_id, saved, loaded if is_new else [])

    async def _with_messages(
        self, tenant_id: str, headers: Sequence[Loaded], ids: Sequence[str]
    ) -> list[Loaded]:
        messages = await self._store.messages(tenant_id, ids, most=self._bounds.messages_of_one)
        return [
            replace(
                item, conversation=replace(item.conversation, messages=tuple(messages[item.conversation.id]))
            )
            for item in headers
        ]

    async def _publish(self, tenant_id: str, saved: Saved, new: Sequence[Loaded]) -> None:
        if not saved.publishable:
            return
        await self._producer.send([scored_record(found) for found in saved.publishable])
        now = self._clock.now()
        for item in new:
            metrics.EVENT_TO_SCORE_SECONDS.observe(max(0.0, (now - item.received_at).total_seconds()))
        await self._store.mark_published(
            tenant_id, {found.conversation_id: found.version for found in saved.publishable}
        )
        for found in saved.publishable:
            metrics.REVIEWS.labels(found.review.state).inc()
        for kind in saved.new_flags:
            metrics.FLAGS_RAISED.labels(kind).inc()


def _withdrawn(change: Change, known: Loaded | None) -> Withdrawn:
    """One that ingest no longer knows at all keeps the version that the change names."""
    version = change.version if known is None else known.conversation.version
    key = change.key if known is None else known.key
    return Withdrawn(conversation_id=change.conversation_id, version=version, key=key)
