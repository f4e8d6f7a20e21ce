"""Joins the parts of ingest into a process."""

import asyncio
import gc
from functools import partial

from fastapi import FastAPI

from services.ingest.directory import SourceDirectory
from services.ingest.endpoints import WEBHOOK_ROUTE, Doors, document_webhook, router
from services.ingest.handlers import GRACE, Folder, republish
from services.ingest.language import LanguageDetector
from services.ingest.records import arrivals_of
from services.ingest.refold import Arrival
from services.ingest.settings import IngestSettings
from services.ingest.store import Store
from services.ingest.traffic import Traffic
from shared.broker.consume import ConsumeLoop
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

log = get_logger()

GROUP = "ingest"


class Ingest:
    """The parts of one process. Nothing connects before it is used; `close` gives everything back."""

    def __init__(self, settings: IngestSettings, *, clock: Clock, group: str = GROUP) -> None:
        """`group` names the consumers that share the work."""
        self._settings = settings
        self._clock = clock
        self._database = Database(settings.database)
        self._stopping = asyncio.Event()
        self.store = Store(self._database)
        self.producer = Producer(settings.kafka, client_id=GROUP, timeout=settings.acknowledge_seconds)
        self._languages = LanguageDetector(settings.languages)
        self._traffic = Traffic()
        folder = Folder(
            store=self.store,
            producer=self.producer,
            languages=self._languages,
            traffic=self._traffic,
            clock=clock,
        )
        self.consumer: ConsumeLoop[tuple[Arrival, ...]] = ConsumeLoop(
            settings=settings.kafka,
            topics=[topics.TICKET_EVENTS],
            group=group,
            decode=partial(arrivals_of, default_tenant=settings.default_tenant),
            handle=folder.on_arrivals,
            producer=self.producer,
            clock=clock,
        )
        self.app = self._app()

    def _app(self) -> FastAPI:
        app = create_app(
            service="ingest",
            title="Prüfstein ingest",
            description="Takes in what helpdesks and other systems tell of conversations.",
            checks={
                "broker": self.producer.ping,
                "database": self._database.ping,
                "consumer": self.consumer.check,
            },
        )
        app.state.authenticator = Authenticator(self._database)
        app.state.doors = Doors(
            settings=self._settings,
            directory=SourceDirectory(self.store.webhook_source),
            producer=self.producer,
            traffic=self._traffic,
            clock=self._clock,
        )
        # First, since every webhook passes the routes in their order.
        app.router.routes.insert(0, WEBHOOK_ROUTE)
        app.include_router(router)
        document_webhook(app)
        return app

    async def consume(self) -> None:
        """Fold until stopped."""
        # Loads the models: the first message should not wait for them.
        await asyncio.to_thread(self._languages.detect, "Guten Tag, hello")
        # What was loaded stays for ever; the collector need not walk through it again and again.
        gc.collect()
        gc.freeze()
        await self.consumer.run()

    async def keep_republishing(self) -> None:
        """Look for what nobody scored, at once and then regularly, until stopped."""
        started_at = self._clock.now()
        at_start = True
        while not self._stopping.is_set():
            # What was too young to be looked at when the process started has come of age by then.
            is_last_look = self._clock.now() - started_at > GRACE
            try:
                await republish(
                    store=self.store,
                    producer=self.producer,
                    clock=self._clock,
                    at_start=at_start,
                    started_at=started_at,
                )
                at_start = at_start and not is_last_look
            except Transient as error:
                log.warning("ingest.republish_waits", reason=error.reason)
            pause = 10.0 if at_start else self._settings.republish_seconds
            try:
                await asyncio.wait_for(self._stopping.wait(), timeout=pause)
            except TimeoutError:
                continue

    def stop(self) -> None:
        """Finish the batch at hand."""
        self._stopping.set()
        self.consumer.stop()

    async def close(self) -> None:
        """Flush and disconnect."""
        await self.producer.close()
        await self._database.close()


async def serve(settings: IngestSettings) -> None:
    """Run the service until a signal."""
    logging.configure(service="ingest", level=settings.log_level)
    ingest = Ingest(settings, clock=SystemClock())
    http = server(ingest.app, host=settings.host, port=settings.port)

    def stop() -> None:
        http.should_exit = True
        ingest.stop()

    try:
        await run_until_stopped(
            {
                "http": http.serve(),
                "consumer": ingest.consume(),
                "republish": ingest.keep_republishing(),
            },
            stop,
        )
    finally:
        await ingest.close()
