"""Joins the parts of autoqa into a process."""

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import FastAPI

from services.autoqa.changes import Change, change_of
from services.autoqa.custom.catalogue import Catalogue
from services.autoqa.custom.records import changed_category, replay_step
from services.autoqa.custom.replayer import Replayer
from services.autoqa.custom.store import CategoryStore
from services.autoqa.custom.trainer import Trainer
from services.autoqa.endpoints import Desk, router
from services.autoqa.floors import stored_floors
from services.autoqa.handlers import Bounds, Scorer
from services.autoqa.reader import Reader, open_model, shipped_outcome
from services.autoqa.settings import AutoqaSettings
from services.autoqa.store import Store
from shared.broker.consume import Batching, ConsumeLoop
from shared.broker.kafka import Producer
from shared.clock import Clock, SystemClock
from shared.contracts import topics
from shared.contracts.v1.category_changed import CategoryChanged
from shared.contracts.v1.category_replay import CategoryReplay
from shared.db.database import Database
from shared.errors import Transient
from shared.http.app import create_app, server
from shared.http.auth import Authenticator
from shared.process import run_until_stopped
from shared.telemetry import logging
from shared.telemetry.logging import get_logger

__all__ = ["GROUP", "Autoqa", "serve"]

log = get_logger()

GROUP = "autoqa"


class Autoqa:
    """The parts of one process. Nothing connects before it is used; `close` gives everything back."""

    def __init__(self, settings: AutoqaSettings, *, reader: Reader, clock: Clock, group: str = GROUP) -> None:
        """`group` names the consumers that share the work."""
        self._settings = settings
        self._clock = clock
        self._reader = reader
        self._database = Database(settings.database)
        self._stopping = asyncio.Event()
        self._renewing = asyncio.Lock()
        self._is_renewed = False
        self.producer = Producer(settings.kafka, client_id=GROUP)
        batch = settings.batch
        self.categories = CategoryStore(self._database)
        self.catalogue = Catalogue(self.categories, revision=reader.inference.revision)
        self.scorer = Scorer(
            store=Store(self._database),
            rater=reader.rater,
            catalogue=self.catalogue,
            producer=self.producer,
            clock=clock,
            bounds=Bounds(messages_at_once=batch.messages_at_once, messages_of_one=batch.messages_of_one),
        )
        self.consumer: ConsumeLoop[Change] = ConsumeLoop(
            settings=settings.kafka,
            topics=[topics.CONVERSATIONS_CHANGED],
            group=group,
            decode=change_of,
            handle=self.scorer.on_changes,
            producer=self.producer,
            clock=clock,
            batching=Batching(max_records=batch.max_records, wait_ms=batch.wait_ms),
        )
        self.trainer = Trainer(
            store=self.categories, inference=reader.inference, producer=self.producer, clock=clock
        )
        self.replayer = Replayer(
            store=self.categories,
            scorer=self.scorer,
            producer=self.producer,
            clock=clock,
            at_once=batch.replayed_at_once,
        )
        # Apart from the conversations and from each other: a person waits for a training.
        self.trainings: ConsumeLoop[CategoryChanged] = ConsumeLoop(
            settings=settings.kafka,
            topics=[topics.CATEGORIES_CHANGED],
            group=f"{group}-categories",
            decode=changed_category,
            handle=self.trainer.on_changes,
            producer=self.producer,
            clock=clock,
            batching=Batching(max_records=20, wait_ms=10),
        )
        self.replays: ConsumeLoop[CategoryReplay] = ConsumeLoop(
            settings=settings.kafka,
            topics=[topics.CATEGORY_REPLAYS],
            group=f"{group}-replays",
            decode=replay_step,
            handle=self.replayer.on_steps,
            producer=self.producer,
            clock=clock,
            batching=Batching(max_records=1, wait_ms=100),
        )
        self.app = self._app()

    def _app(self) -> FastAPI:
        app = create_app(
            service="autoqa",
            title="Prüfstein autoqa",
            description="Rates conversations of customer service: categories, flags, sentiment, outcome.",
            checks={
                "broker": self.producer.ping,
                "database": self._database.ping,
                "consumer": self._check_consumers,
                "model": self._reader.inference.ping,
            },
        )
        app.state.authenticator = Authenticator(self._database)
        app.state.desk = Desk(
            rater=self._reader.rater,
            catalogue=self.catalogue,
            inference=self._reader.inference,
            language_of=self._reader.spelling.language_of,
            clock=self._clock,
            max_body_bytes=self._settings.max_body_bytes,
        )
        app.include_router(router)
        return app

    async def _check_consumers(self) -> None:
        for loop in (self.consumer, self.trainings, self.replays):
            await loop.check()

    async def consume(self, loop: ConsumeLoop[Any]) -> None:
        """Run one of the consumers, once the custom categories have heads over this model."""
        async with self._renewing:
            if not self._is_renewed:
                await self._renew()
        await loop.run()

    async def _renew(self) -> None:
        attempt = 0
        while not (self._is_renewed or self._stopping.is_set()):
            try:
                await self.trainer.renew_all()
                self._is_renewed = True
            except Transient as error:
                attempt += 1
                log.warning("autoqa.categories.renewal_waits", reason=error.reason, attempt=attempt)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._stopping.wait(), timeout=min(5.0, 0.1 * 2**attempt))

    async def keep_sweeping(self) -> None:
        """Rate again what time alone has changed, regularly, until stopped."""
        while not self._stopping.is_set():
            try:
                await asyncio.wait_for(
                    self._stopping.wait(), timeout=self._settings.sweep_every.total_seconds()
                )
            except TimeoutError:
                await self._sweep()

    async def _sweep(self) -> None:
        try:
            await self.scorer.on_time_passed()
        except Transient as error:
            log.warning("autoqa.sweep_waits", reason=error.reason)
        except Exception as error:
            # One conversation that cannot be rated must not end the service, minute by minute.
            log.error("autoqa.sweep_failed", exc_info=error)

    def stop(self) -> None:
        """Finish the pass at hand and what it completes; the rest of the batch is left uncommitted.

        A batch may hold minutes of work for the model, and whoever stops us waits for seconds.
        """
        self._stopping.set()
        self.consumer.stop()
        self.trainings.stop()
        self.replays.stop()
        self.scorer.stop()
        self._reader.inference.stop()

    async def close(self) -> None:
        """Flush and disconnect."""
        await self._reader.inference.close()
        await self.producer.close()
        await self._database.close()


async def serve(settings: AutoqaSettings) -> None:
    """Run the service until a signal."""
    logging.configure(service="autoqa", level=settings.log_level)
    model = open_model(settings.model)
    policy = settings.policy.with_floors(stored_floors(settings.model.folder))
    reader = Reader.of(model, policy=policy, settings=settings.model, outcome=shipped_outcome)
    autoqa = Autoqa(settings, reader=reader, clock=SystemClock())
    http = server(autoqa.app, host=settings.host, port=settings.port)

    def stop() -> None:
        http.should_exit = True
        autoqa.stop()

    try:
        await run_until_stopped(
            {
                "http": http.serve(),
                "consumer": autoqa.consume(autoqa.consumer),
                "trainings": autoqa.consume(autoqa.trainings),
                "replays": autoqa.consume(autoqa.replays),
                "sweeper": autoqa.keep_sweeping(),
            },
            stop,
        )
    finally:
        await autoqa.close()
