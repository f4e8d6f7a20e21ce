"""Rates past conversations again, step by step, each step a record that names where the next one begins.

    step | is it the one we wait for? | its conversations | rate | the next step's record | keep how far

A step that comes again after a kill finds the state behind or before it: behind, it is done again, which
changes nothing; before it, it is dropped, and so a replay never runs twice beside itself.
"""

from collections.abc import Sequence
from dataclasses import replace

from services.autoqa.custom.records import replay_record
from services.autoqa.custom.store import CategoryStore
from services.autoqa.handlers import Scorer
from shared.broker.kafka import Producer
from shared.clock import Clock
from shared.contracts.v1.category_replay import CategoryReplay
from shared.telemetry.logging import get_logger

__all__ = ["Replayer"]

log = get_logger()


class Replayer:
    """Consumes steps."""

    def __init__(
        self,
        *,
        store: CategoryStore,
        scorer: Scorer,
        producer: Producer,
        clock: Clock,
        at_once: int,
    ) -> None:
        """`at_once` bounds the conversations of one step."""
        self._store = store
        self._scorer = scorer
        self._producer = producer
        self._clock = clock
        self._at_once = at_once

    async def on_steps(self, steps: Sequence[CategoryReplay]) -> None:
        """Do each step and ask for the next."""
        for step in steps:
            await self._do(step)

    async def _do(self, step: CategoryReplay) -> None:
        state = await self._store.begin_replay(step, now=self._clock.now())
        if state.state != "running" or state.after != step.after:
            return
        categories = await self._store.wanted(step.tenant_id, step.category_id)
        if not any(category.enabled for category in categories):
            await self._store.save_replay(step, self._clock.now(), replace(state, state="cancelled"))
            return
        found = await self._store.next_conversations(step, most=self._at_once)
        await self._scorer.on_replay(step.tenant_id, [one.conversation_id for one in found])
        is_last = len(found) < self._at_once
        after = found[-1] if found else step.after
        if not is_last:
            await self._producer.send([replay_record(step.model_copy(update={"after": after}))])
        moved = replace(
            state, state="done" if is_last else "running", done=state.done + len(found), after=after
        )
        await self._store.save_replay(step, self._clock.now(), moved)
        if is_last:
            log.info("autoqa.replay.done", replay_id=step.replay_id, conversations=moved.done)
