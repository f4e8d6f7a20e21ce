"""The model off the event loop."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from services.autoqa.inference import Inference
from services.autoqa.predictions import MessageInput, Prediction
from shared.errors import Transient
from tests.stub_model import StubModel, predict_one


def messages(*texts: str) -> list[MessageInput]:
    return [MessageInput(role="customer", channel=None, text=text) for text in texts]


class GatedModel(StubModel):
    """Waits at each pass until let through; keeps the texts of its passes."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = threading.Semaphore(0)
        self.entered = threading.Semaphore(0)
        self.texts: list[list[str]] = []
        self.running = 0

    def predict(self, messages: Sequence[MessageInput]) -> list[Prediction]:
        """One pass."""
        self.running += 1
        assert self.running == 1
        self.texts.append([message.text for message in messages])
        self.entered.release()
        self.gate.acquire()
        self.running -= 1
        return super().predict(messages)


class BrokenModel(StubModel):
    """Fails at passes that hold the text `bad`."""

    def predict(self, messages: Sequence[MessageInput]) -> list[Prediction]:
        """One pass."""
        if any(message.text == "bad" for message in messages):
            raise RuntimeError("broken")
        return super().predict(messages)


async def test_answers_come_in_order() -> None:
    """Whatever the passes were."""
    inference = Inference(StubModel(), pass_tokens=5, max_queued_messages=100)
    asked = messages(*(f"[churn=0.{n}] word" for n in range(1, 10)))
    assert await inference.predict(asked) == [predict_one(message) for message in asked]
    assert await inference.predict([]) == []
    await inference.close()


async def test_a_small_request_waits_for_one_pass_only() -> None:
    """A bulk job takes turns with a newcomer; passes never overlap."""
    model = GatedModel()
    inference = Inference(model, pass_tokens=4, max_queued_messages=100)
    bulk = asyncio.create_task(inference.predict(messages(*(f"bulk{n}" for n in range(10)))))
    await asyncio.to_thread(model.entered.acquire)
    fresh = asyncio.create_task(inference.predict(messages("fresh")))
    while inference.queued != 11:
        await asyncio.sleep(0)
    model.gate.release(20)
    assert len(await fresh) == 1
    await bulk
    assert "fresh" in model.texts[1]
    assert all(len(texts) <= 2 for texts in model.texts)
    await inference.close()


async def test_requests_share_passes() -> None:
    """Many small ones become one batch."""
    model = GatedModel()
    inference = Inference(model, pass_tokens=100, max_queued_messages=100)
    first = asyncio.create_task(inference.predict(messages("first")))
    await asyncio.to_thread(model.entered.acquire)
    others = [asyncio.create_task(inference.predict(messages(f"m{n}"))) for n in range(5)]
    while inference.queued != 6:
        await asyncio.sleep(0)
    model.gate.release(2)
    await asyncio.gather(first, *others)
    assert [len(texts) for texts in model.texts] == [1, 5]
    await inference.close()


async def test_an_error_reaches_its_own_pass_alone() -> None:
    """Others go on."""
    inference = Inference(BrokenModel(), pass_tokens=100, max_queued_messages=100)
    with pytest.raises(RuntimeError, match="broken"):
        await inference.predict(messages("bad", "good"))
    assert len(await inference.predict(messages("good"))) == 1
    assert inference.queued == 0
    await inference.close()


async def test_a_full_queue_says_so() -> None:
    """Readiness and new requests wait; what is queued when it closes is refused."""
    model = GatedModel()
    inference = Inference(model, pass_tokens=1, max_queued_messages=2)
    await inference.ping()
    jobs = [asyncio.create_task(inference.predict(messages(text))) for text in ("a", "b", "c")]
    await asyncio.to_thread(model.entered.acquire)
    while inference.queued != 3:
        await asyncio.sleep(0)
    with pytest.raises(Transient):
        await inference.ping()
    model.gate.release(3)
    await inference.close()
    results = await asyncio.gather(*jobs, return_exceptions=True)
    assert sum(isinstance(result, Transient) for result in results) >= 1
