"""Joins the parts of the service."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from fastapi import FastAPI

from services.metrics.categories import endpoints as categories
from services.metrics.categories.handlers import Categories
from services.metrics.categories.relay import Relay
from services.metrics.categories.store import CategoryStore
from services.metrics.categories.trained import decode as decode_trained
from services.metrics.categories.trained import on_trained
from services.metrics.facts.handlers import ConversationRef, on_conversations
from services.metrics.facts.records import decode
from services.metrics.facts.store import FactStore
from services.metrics.flags import endpoints as flags
from services.metrics.flags.store import FlagStore
from services.metrics.kpis import endpoints as kpis
from services.metrics.kpis.gauges import Gauges
from services.metrics.kpis.store import KpiStore
from services.metrics.scores import endpoints as scores
from services.metrics.scores.store import ScoreStore
from services.metrics.settings import MetricsSettings
from services.metrics.stream import endpoints as stream
from services.metrics.stream.hub import Hub
from services.metrics.stream.listener import Listener
from shared.broker.consume import Batching, ConsumeLoop
from shared.broker.kafka import Producer
from shared.clock import Clock, SystemClock
from shared.contracts import topics
from shared.contracts.v1.category_trained import CategoryTrained
from shared.db.database import Database
from shared.domain.kpi import metrics as known_metrics
from shared.http.app import create_app, server
from shared.http.auth import Authenticator
from shared.process import run_until_stopped

GROUP = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The parts that live as long as the process."""

    app: FastAPI
    database: Database
    hub: Hub
    listener: Listener
    gauges: Gauges
    loop: ConsumeLoop[ConversationRef]
    trainings: ConsumeLoop[CategoryTrained]
    relay: Relay
    producer: Producer


def build(
    settings: MetricsSettings,
    *,
    clock: Clock,
    consumed: Sequence[str] = (topics.CONVERSATIONS_CHANGED, topics.CONVERSATIONS_SCORED),
) -> Service:
    """Make the parts; nothing connects yet."""
    database = Database(settings.database)
    producer = Producer(settings.kafka, client_id=GROUP)
    hub = Hub(queue_size=settings.stream_queue, max_listeners=settings.stream_clients)
    listener = Listener(settings.database, hub)
    kpi_store = KpiStore(database)
    loop = ConsumeLoop(
        settings=settings.kafka,
        topics=consumed,
        group=GROUP,
        decode=decode,
        handle=partial(on_conversations, store=FactStore(database), clock=clock),
        producer=producer,
        clock=clock,
    )
    category_store = CategoryStore(database)
    relay = Relay(category_store, producer)
    # Apart from the facts: a person waits for it, and many conversations must not come first.
    trainings = ConsumeLoop(
        settings=settings.kafka,
        topics=[topics.CATEGORIES_TRAINED],
        group=f"{GROUP}-categories",
        decode=decode_trained,
        handle=partial(on_trained, store=category_store, clock=clock),
        producer=producer,
        clock=clock,
        batching=Batching(max_records=50, wait_ms=10),
    )
    gauges = Gauges(
        kpi_store,
        clock,
        metrics=known_metrics(settings.fcr),
        teams=settings.gauge_teams,
        days=settings.gauge_days,
        seconds=settings.gauge_seconds,
    )

    app = create_app(
        service=GROUP,
        title="Prüfstein metrics",
        description="Scores, flags and KPIs of every conversation. Keys go in `Authorization: Bearer`; lists"
        " answer `items` and `next_cursor`; errors are problem+json (RFC 9457).",
        checks={
            "database": database.ping,
            "broker": producer.ping,
            "consumer": loop.check,
            "trainings": trainings.check,
            "stream": listener.check,
        },
    )
    app.state.authenticator = Authenticator(database)
    app.include_router(scores.router(ScoreStore(database)))
    app.include_router(flags.router(FlagStore(database), clock))
    app.include_router(kpis.router(kpi_store, settings.fcr))
    app.include_router(
        categories.router(
            Categories(
                store=category_store,
                relay=relay,
                clock=clock,
                wait_seconds=settings.training_wait_seconds,
            )
        )
    )
    app.include_router(stream.router(hub, heartbeat_seconds=settings.heartbeat_seconds))
    return Service(
        app=app,
        database=database,
        hub=hub,
        listener=listener,
        gauges=gauges,
        loop=loop,
        trainings=trainings,
        relay=relay,
        producer=producer,
    )


async def serve(settings: MetricsSettings) -> None:
    """Run the service until a signal."""
    service = build(settings, clock=SystemClock())
    http = server(service.app, host=settings.host, port=settings.port)

    def stop() -> None:
        # Open streams would keep the server until its grace is over.
        service.hub.close()
        http.should_exit = True
        service.loop.stop()
        service.trainings.stop()
        service.relay.stop()
        service.listener.stop()
        service.gauges.stop()

    try:
        await run_until_stopped(
            {
                "http": http.serve(),
                "consumer": service.loop.run(),
                "trainings": service.trainings.run(),
                "relay": service.relay.run(),
                "listener": service.listener.run(),
                "gauges": service.gauges.run(),
            },
            stop,
        )
    finally:
        await service.producer.close()
        await service.database.close()
