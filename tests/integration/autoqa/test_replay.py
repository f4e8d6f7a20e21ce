"""Past conversations rated again, step by step."""

import asyncio
from datetime import timedelta

from services.autoqa.custom.records import replay_record
from services.autoqa.custom.replayer import Replayer
from shared.contracts.v1.category_replay import CategoryReplay
from tests.integration.autoqa.bench import NOW, Bench, until

HELP = "customer: where is it?"
VOUCHER = "agent: [greeting] here is a voucher [solution]"


def a_step(bench: Bench, **other: object) -> CategoryReplay:
    return CategoryReplay.model_validate(
        {
            "tenant_id": bench.tenant,
            "replay_id": "rep_1",
            "category_id": "cat_1",
            "opened_from": NOW - timedelta(days=1),
            "opened_before": NOW + timedelta(days=1),
            **other,
        }
    )


def replayer(bench: Bench, *, at_once: int = 2) -> Replayer:
    autoqa = bench.autoqa
    return Replayer(
        store=autoqa.categories,
        scorer=autoqa.scorer,
        producer=autoqa.producer,
        clock=bench.clock,
        at_once=at_once,
    )


async def progress(bench: Bench) -> tuple[str, int, int]:
    query = "select state, done, total from autoqa.replay_v1 where tenant_id = $1"
    (row,) = await bench.rows(query, bench.tenant)
    return row["state"], row["done"], row["total"]


async def five(bench: Bench) -> None:
    """Conversations scored before there was a category, the last one still going on."""
    for number in range(5):
        status = "open" if number == 4 else "solved"
        await bench.score(
            await bench.put(HELP, VOUCHER, of=f"c{number}", status=status, minutes_ago=60 - number)
        )
    await bench.train(await bench.put_category())


async def test_unchanged_conversations_get_a_new_round(bench: Bench) -> None:
    """The review that was given stays as history; the new one is current and told."""
    await five(bench)
    await replayer(bench, at_once=50).on_steps([a_step(bench)])
    for number in range(5):
        first, second = await bench.reviews(f"c{number}")
        assert (first["is_current"], second["is_current"], second["round"]) == (False, True, 2)
        assert first["conversation_version"] == second["conversation_version"] == 1
        assert "cat_1" not in [rating["category"] for rating in first["ratings"]]
        assert "cat_1" in [rating["category"] for rating in second["ratings"]]
    told = [(one.conversation_id, one.round) for one in await bench.told()]
    assert sorted(told) == sorted((f"c{n}", r) for n in range(5) for r in (1, 2))
    assert await progress(bench) == ("done", 5, 5)


async def test_only_the_agents_messages_are_encoded_again(bench: Bench) -> None:
    """What the model said before is still known."""
    await five(bench)
    bench.model.read.clear()
    await replayer(bench).on_steps([a_step(bench, opened_before=NOW - timedelta(minutes=58, seconds=30))])
    assert [message.role for message in bench.model.read] == ["agent", "agent"]
    assert [len(await bench.reviews(f"c{n}")) for n in range(5)] == [2, 2, 1, 1, 1]


async def test_each_step_asks_for_the_next_until_all_are_done(bench: Bench) -> None:
    """Through the topic, by the real consumer; the progress is readable all along."""
    await five(bench)
    worker = replayer(bench)
    await worker.on_steps([a_step(bench)])
    assert await progress(bench) == ("running", 2, 5)
    (step,) = await bench.told_steps()
    await worker.on_steps([step])
    assert await progress(bench) == ("running", 4, 5)
    step = (await bench.told_steps())[-1]
    await worker.on_steps([step])
    assert await progress(bench) == ("done", 5, 5)
    assert len(await bench.told_steps()) == 2


async def test_a_step_that_comes_again_after_a_kill_doubles_nothing(bench: Bench) -> None:
    """Killed before its progress was kept, it is done again; killed after, it is dropped."""
    await five(bench)
    worker = replayer(bench)
    await worker.on_steps([a_step(bench)])
    before = [await bench.reviews(f"c{n}") for n in range(5)]
    # As if it had died before it kept how far it came: the state is behind the step.
    await bench.rows(
        "update autoqa.replay set done = 0, after_opened_at = null, after_conversation_id = null"
    )
    await worker.on_steps([a_step(bench)])
    assert [await bench.reviews(f"c{n}") for n in range(5)] == before
    assert await progress(bench) == ("running", 2, 5)
    # And as if it had died before the offset was committed: the state is before the step.
    await worker.on_steps([a_step(bench), a_step(bench)])
    assert len(await bench.told_steps()) == 2
    first, second = await bench.told_steps()
    assert first == second
    await worker.on_steps([first, second])
    assert await progress(bench) == ("running", 4, 5)
    await worker.on_steps(await bench.told_steps())
    assert await progress(bench) == ("done", 5, 5)
    assert [len(await bench.reviews(f"c{n}")) for n in range(5)] == [2] * 5


async def test_a_replay_goes_through_the_real_consumer(bench: Bench) -> None:
    """From the record that metrics writes to the end, across a restart of the process."""
    await five(bench)
    await bench.autoqa.producer.send([replay_record(a_step(bench))])
    for at_once in (1, 50):
        batch = bench.settings.batch.model_copy(update={"replayed_at_once": at_once})
        bench.settings = bench.settings.model_copy(update={"batch": batch})
        worker = bench.new_autoqa(bench.model)
        task = asyncio.create_task(worker.consume(worker.replays))

        async def has_moved(goal: int = 1 if at_once == 1 else 5) -> bool:
            query = "select from autoqa.replay where tenant_id = $1 and done >= $2"
            return bool(await bench.rows(query, bench.tenant, goal))

        await until(has_moved)
        worker.stop()
        await task
        await worker.close()
    assert await progress(bench) == ("done", 5, 5)
    assert [len(await bench.reviews(f"c{n}")) for n in range(5)] == [2] * 5


async def test_a_second_replay_that_finds_the_same_adds_no_round(bench: Bench) -> None:
    """The same events, model and scorecard give the same review."""
    await five(bench)
    for replay_id in ("rep_1", "rep_2"):
        await replayer(bench, at_once=50).on_steps([a_step(bench, replay_id=replay_id)])
    assert [len(await bench.reviews(f"c{n}")) for n in range(5)] == [2] * 5


async def test_a_replay_of_a_category_that_is_gone_stops(bench: Bench) -> None:
    """Nothing more is rated."""
    await five(bench)
    await bench.rows("delete from metrics.category")
    await replayer(bench).on_steps([a_step(bench)])
    assert await progress(bench) == ("cancelled", 0, 5)
    assert await bench.told_steps() == []


async def test_another_tenants_conversations_are_not_touched(bench: Bench) -> None:
    """A step names its tenant; the other's conversations of that time stay as they are."""
    await bench.score(await bench.put(HELP, VOUCHER, tenant="other"))
    await five(bench)
    await replayer(bench, at_once=50).on_steps([a_step(bench)])
    assert await progress(bench) == ("done", 5, 5)
    assert len(await bench.reviews("c1", tenant="other")) == 1
