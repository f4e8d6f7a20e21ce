"""Told to stop, the service ends within one pass of the model and loses nothing."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from services.autoqa.predictions import MessageInput, Prediction
from shared.errors import Transient
from tests.integration.autoqa.bench import Bench, until
from tests.stub_model import StubModel

LONG = "customer: " + "wort " * 1500 + "[churn]"
"""Two of these do not fit into one pass."""


class SlowModel(StubModel):
    """Its first pass lasts until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.has_begun = threading.Event()
        self.may_end = threading.Event()

    def predict(self, messages: Sequence[MessageInput]) -> list[Prediction]:
        """One pass."""
        self.has_begun.set()
        self.may_end.wait(60)
        return super().predict(messages)


async def test_a_stop_waits_for_one_pass_and_the_rest_comes_again(bench: Bench) -> None:
    """The batch would need several; the next process scores all of it."""
    changes = [await bench.put(LONG, LONG, of=f"c{number}") for number in range(3)]
    await bench.produce(*changes)
    model = SlowModel()
    stopped = bench.new_autoqa(model)
    task = asyncio.create_task(stopped.consumer.run())
    assert await asyncio.to_thread(model.has_begun.wait, 60)
    stopped.stop()
    model.may_end.set()
    await task
    await stopped.close()
    assert model.passes == 1
    assert await bench.reviews("c2") == []

    next_one = bench.new_autoqa(bench.model)
    task = asyncio.create_task(next_one.consumer.run())

    async def are_all_told() -> bool:
        rows = await bench.rows("select from autoqa.scored where published and tenant_id = $1", bench.tenant)
        return len(rows) == len(changes)

    await until(are_all_told)
    next_one.stop()
    await task
    await next_one.close()
    assert sorted(told.conversation_id for told in await bench.told()) == ["c0", "c1", "c2"]


async def test_a_stopped_service_begins_nothing_more(bench: Bench) -> None:
    """Neither a batch nor a sweep nor an answer; what needs no model included."""
    change = await bench.put("customer: where is it?")
    await bench.score(change)
    await bench.rows("update autoqa.scored set published = false")
    bench.autoqa.stop()
    with pytest.raises(Transient):
        await bench.score(change)
    body = {"messages": [{"role": "customer", "text": "where is it?"}]}
    answer = await bench.client.post("/v1/score", json=body, headers=await bench.key())
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
