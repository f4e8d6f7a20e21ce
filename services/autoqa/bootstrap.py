"""Joins the parts of autoqa into a process."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from services.autoqa.categories.registry import Categories
from services.autoqa.changes import Change, change_of
from services.autoqa.decide import Judgement, OutcomeOf
from services.autoqa.endpoints import Desk, router
from services.autoqa.handlers import Bounds, Scorer
from services.autoqa.inference import Inference
from services.autoqa.model import load_model, predict_outcome
from services.autoqa.policy import Policy
from services.autoqa.predictions import MessageModel, Prediction
from services.autoqa.rate import Rater
from services.autoqa.score_file import score_file
from services.autoqa.settings import AutoqaSettings, ModelSettings, ScoreSettings
from services.autoqa.spelling import Spelling
from services.autoqa.store import Store
from services.autoqa.syllables import load_patterns, syllables
from shared.broker.consume import Batching, ConsumeLoop
from shared.broker.kafka import Producer
from shared.clock import Clock, SystemClock
from shared.contracts import topics
from shared.db.database import Database
from shared.domain.conversation import Role
from shared.domain.labels import Resolved
from shared.domain.scorecard import DEFAULT_SCORECARD
from shared.errors import Stop, Transient
from shared.http.app import create_app, server
from shared.http.auth import Authenticator
from shared.process import run_until_stopped
from shared.telemetry import logging
from shared.telemetry.logging import get_logger

__all__ = ["GROUP", "Autoqa", "Reader", "open_model", "read_file", "serve"]

log = get_logger()

GROUP = "autoqa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """The model with all that turns its words into reviews; what serving and files share."""

    inference: Inference
    rater: Rater
    spelling: Spelling

    @classmethod
    def of(
        cls, model: MessageModel, *, policy: Policy, settings: ModelSettings, outcome: OutcomeOf
    ) -> "Reader":
        """Reads dictionaries and patterns: a second or two."""
        load_patterns()
        spelling = Spelling()
        inference = Inference(
            model, pass_tokens=settings.pass_tokens, max_queued_messages=settings.max_queued_messages
        )
        judgement = Judgement(
            categories=Categories(proofread=spelling.proofread, syllables=syllables),
            outcome=outcome,
            scorecard=DEFAULT_SCORECARD,
            policy=policy,
            model_revision=model.revision,
        )
        return cls(
            inference=inference, rater=Rater(inference=inference, judgement=judgement), spelling=spelling
        )


def open_model(settings: ModelSettings) -> MessageModel:
    """Raises `Stop` with one line where the weights are missing or the runtime is not installed."""
    try:
        return load_model(
            runtime=settings.runtime,
            folder=settings.folder,
            device=settings.device,
            threads=settings.threads,
        )
    except (OSError, ImportError, ValueError, KeyError) as error:
        raise Stop(f"the model cannot be opened: {error}", reason="model") from error


def shipped_outcome(turns: Sequence[tuple[Role, Prediction]]) -> tuple[Mapping[Resolved, float], float]:
    """By the coefficients that ship with the weights."""
    outcome = predict_outcome(turns)
    return outcome.resolved, outcome.csat


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
        """Finish the batch at hand."""
        self._stopping.set()
        self.consumer.stop()

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


async def read_file(settings: ScoreSettings, source: Path, target: Path) -> None:
    """Rate a file. Raises `Stop` at the end where lines were wrong."""
    reader = Reader.of(
        open_model(settings.model), policy=settings.policy, settings=settings.model, outcome=shipped_outcome
    )
    try:
        wrong = await score_file(
            source,
            target,
            rater=reader.rater,
            language_of=reader.spelling.language_of,
            clock=SystemClock(),
        )
    finally:
        await reader.inference.close()
    if wrong:
        raise Stop(f"{wrong} lines were wrong and passed over", reason="wrong_lines")
