"""Joins the parts of autoqa into a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from services.autoqa.changes import Change, change_of
from services.autoqa.endpoints import Desk, router
from services.autoqa.handlers import Bounds, Scorer
from services.autoqa.reader import Reader, open_model, shipped_outcome
from services.autoqa.settings import AutoqaSettings
from services.autoqa.store import Store
from shared.broker.consume import Batching, ConsumeLoop
from shared.broker.kafka import Producer
from shared.clock import Clock, SystemClock
from shared.contracts import topics
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
        self.producer = Producer(settings.kafka, client_id=GROUP)
        batch = settings.batch
        self.scorer = Scorer(
            store=Store(self._database),
            rater=reader.rater,
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
        self.app = self._app()

    def _app(self) -> FastAPI:
        @asynccontextmanager
        async def lifespan(_: FastAPI) -> AsyncIterator[None]:
            yield

        app = create_app(
            service="autoqa",
            title="Prüfstein autoqa",
            description="Rates conversations of customer service: categories, flags, sentiment, outcome.",
            lifespan=lifespan,
            checks={
                "broker": self.producer.ping,
                "database": self._database.ping,
                "consumer": self._check_consumer,
                "model": self._reader.inference.ping,
            },
        )
        app.state.authenticator = Authenticator(self._database)
        app.state.desk = Desk(
            rater=self._reader.rater,
            inference=self._reader.inference,
            language_of=self._reader.spelling.language_of,
            clock=self._clock,
            max_body_bytes=self._settings.max_body_bytes,
        )
        app.include_router(router)
        return app

    async def _check_consumer(self) -> None:
        if not self.consumer.is_ready:
            raise Transient("the consumer is joining its group or waiting")

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
    reader = Reader.of(model, policy=settings.policy, settings=settings.model, outcome=shipped_outcome)
    autoqa = Autoqa(settings, reader=reader, clock=SystemClock())
    http = server(autoqa.app, host=settings.host, port=settings.port)

    def stop() -> None:
        http.should_exit = True
        autoqa.stop()

    try:
        await run_until_stopped(
            {"http": http.serve(), "consumer": autoqa.consumer.run(), "sweeper": autoqa.keep_sweeping()},
            stop,
        )
    finally:
        await autoqa.close()
