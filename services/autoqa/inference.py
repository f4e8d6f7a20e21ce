"""The model off the event loop: one pass at a time, filled fairly from all who ask.

    predict(a) ──┐
    predict(b) ──┼─> jobs, in turn, up to a token budget ─> the model in one thread ─> answers
    embed(c)   ──┘

A small request never waits for a whole bulk import, only for the pass at hand.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from services.autoqa.embedding import Embedding, ReadingModel
from services.autoqa.predictions import MessageInput, Prediction
from shared.errors import Stop, Transient
from shared.telemetry import metrics

__all__ = ["Inference"]


_Answer = tuple[Prediction, Embedding | None]


@dataclass(slots=True, kw_only=True)
class _Job:
    messages: Sequence[MessageInput]
    tokens: Sequence[int]
    #: Short ones first: messages of one length in a pass need no padding.
    order: Sequence[int]
    done: asyncio.Future[list[_Answer]]
    answers: list[_Answer | None]
    is_embedded: bool
    taken: int = 0
    missing: int = field(default=0)


class Inference:
    """Opened with the process, closed with it. Belongs to one event loop."""

    def __init__(self, model: ReadingModel, *, pass_tokens: int, max_queued_messages: int) -> None:
        """`pass_tokens` bounds one pass, and so the wait of a newcomer."""
        self._model = model
        self._pass_tokens = pass_tokens
        self._max_queued = max_queued_messages
        self.queued = 0
        """Messages that wait for an answer."""
        self._jobs: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="model")
        self._is_closing = False
        self._worker: asyncio.Task[None] | None = None

    @property
    def revision(self) -> str:
        """The model's."""
        return self._model.revision

    @property
    def is_busy(self) -> bool:
        """So much is queued that callers who can wait should."""
        return self.queued >= self._max_queued

    @property
    def gives_states(self) -> bool:
        """Whether `embed` may be called."""
        return self._model.gives_states

    async def predict(self, messages: Sequence[MessageInput]) -> list[Prediction]:
        """One prediction a message, in order. Raises what the model raised, to its own pass alone.

        Raises `Transient` once stopped.
        """
        return [prediction for prediction, _ in await self._ask(messages, is_embedded=False)]

    async def embed(self, messages: Sequence[MessageInput]) -> list[tuple[Prediction, Embedding]]:
        """As `predict`, with each message's embedding. Raises `Stop` where the model gives no states."""
        if messages and not self.gives_states:
            # Before it is queued: the others of its pass must not fail with it.
            raise Stop("the model gives no states for custom categories", reason="model")
        answers = await self._ask(messages, is_embedded=True)
        return [(prediction, embedding) for prediction, embedding in answers if embedding is not None]

    async def _ask(self, messages: Sequence[MessageInput], *, is_embedded: bool) -> list[_Answer]:
        if not messages:
            return []
        tokens = await asyncio.to_thread(self._model.token_counts, messages)
        if self._is_closing:
            raise _stopping()
        done: asyncio.Future[list[_Answer]] = asyncio.get_running_loop().create_future()
        job = _Job(
            messages=messages,
            tokens=tokens,
            order=sorted(range(len(messages)), key=tokens.__getitem__),
            done=done,
            answers=[None] * len(messages),
            is_embedded=is_embedded,
            missing=len(messages),
        )
        self.queued += len(messages)
        self._jobs.append(job)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="inference")
        self._wake.set()
        return await done

    async def ping(self) -> None:
        """Raises `Transient` while more waits for the model than `max_queued_messages`."""
        if self.is_busy:
            raise Transient("too many messages wait for the model", reason="busy")

    def stop(self) -> None:
        """Begin no other pass; what still waits for one is refused at once."""
        self._is_closing = True
        self._wake.set()
        for job in self._jobs:
            if not job.done.done():
                job.done.set_exception(_stopping())

    async def close(self) -> None:
        """Stop, and finish the pass at hand."""
        self.stop()
        if self._worker is not None:
            await self._worker
        await asyncio.to_thread(self._threads.shutdown)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._wake.wait()
            if self._is_closing:
                return
            chosen, tokens = self._next_pass()
            if not chosen:
                self._wake.clear()
                continue
            started = time.perf_counter()
            inputs = [(job.messages[place], job.is_embedded) for job, place in chosen]
            try:
                answers = await loop.run_in_executor(self._threads, self._pass, inputs)
            except Exception as error:
                for job in {id(job): job for job, _ in chosen}.values():
                    if not job.done.done():
                        job.done.set_exception(error)
                continue
            finally:
                self.queued -= len(chosen)
            metrics.ENCODE_SECONDS.observe(time.perf_counter() - started)
            metrics.ENCODE_TOKENS.observe(tokens)
            metrics.MESSAGES_ENCODED.inc(len(chosen))
            for (job, place), answer in zip(chosen, answers, strict=True):
                _answer(job, place, answer)

    def _pass(self, inputs: Sequence[tuple[MessageInput, bool]]) -> list[_Answer]:
        """In the model's thread. Embeddings cost memory, so only those get them who asked."""
        asked = [message for message, is_embedded in inputs if is_embedded]
        others = [message for message, is_embedded in inputs if not is_embedded]
        embedded = iter(self._model.embed(asked) if asked else ())
        told = iter(self._model.predict(others) if others else ())
        return [next(embedded) if is_embedded else (next(told), None) for _, is_embedded in inputs]

    def _next_pass(self) -> tuple[list[tuple[_Job, int]], int]:
        """Messages of the jobs in turn, at least one, up to the budget."""
        chosen: list[tuple[_Job, int]] = []
        tokens = 0
        while self._jobs:
            job = self._jobs[0]
            if job.done.done():
                # Its caller went away, or an earlier pass of it failed.
                self._jobs.popleft()
                self.queued -= len(job.messages) - job.taken
                continue
            place = job.order[job.taken]
            cost = job.tokens[place]
            if chosen and tokens + cost > self._pass_tokens:
                break
            chosen.append((job, place))
            tokens += cost
            job.taken += 1
            self._jobs.popleft()
            if job.taken < len(job.messages):
                self._jobs.append(job)
        return chosen, tokens


def _stopping() -> Transient:
    return Transient("the service is stopping", reason="stopping")


def _answer(job: _Job, place: int, answer: _Answer) -> None:
    job.answers[place] = answer
    job.missing -= 1
    if not job.missing and not job.done.done():
        job.done.set_result([answer for answer in job.answers if answer is not None])
