"""From a changed conversation to its stored and published review."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from services.autoqa.changes import Change
from shared.errors import Transient
from tests.integration.autoqa.bench import NOW, Bench, kinds, until
from tests.stub_model import StubModel

HELP = "customer: where is it? [churn]"
REPLY = "agent: [greeting] here [solution]"


async def test_a_change_on_the_topic_becomes_a_score_on_the_next(bench: Bench) -> None:
    """Through the real consumer: stored, published under the record's key, committed."""
    change = await bench.put(HELP, REPLY)
    await bench.produce(change)
    worker = bench.new_autoqa(bench.model)
    task = asyncio.create_task(worker.consumer.run())

    async def is_published() -> bool:
        return bool(
            await bench.rows("select from autoqa.scored where published and tenant_id=$1", bench.tenant)
        )

    await until(is_published)
    worker.stop()
    await task
    await worker.close()
    (told,) = await bench.told()
    (review,) = await bench.reviews()
    assert (told.conversation_id, told.version, told.round, told.state) == ("c1", 1, 1, "provisional")
    assert [flag.kind for flag in told.flags] == ["churn"]
    assert review["score"] == told.score
    assert review["scored_at"] == told.scored_at == NOW
    assert review["ratings"] == [rating.model_dump(mode="json") for rating in told.ratings]


async def test_the_same_change_again_changes_nothing(bench: Bench) -> None:
    """Neither rows nor records, and the model is not asked."""
    change = await bench.put(HELP, REPLY)
    await bench.score(change)
    before, read = await bench.reviews(), len(bench.model.read)
    bench.clock.advance(timedelta(minutes=1))
    await bench.score(change, change)
    assert await bench.reviews() == before
    assert len(bench.model.read) == read
    assert len(await bench.told()) == 1


async def test_an_older_version_is_ignored(bench: Bench) -> None:
    """What is stored and told stays the newest."""
    newest = await bench.put(HELP, REPLY, version=3)
    await bench.score(newest)
    await bench.score(replace(newest, version=2))
    assert [told.version for told in await bench.told()] == [3]


async def test_a_batch_reads_each_conversation_once(bench: Bench) -> None:
    """Several changes of one conversation give one review, of its newest version."""
    change = await bench.put(HELP, REPLY, version=3)
    other = await bench.put(HELP, of="c2")
    await bench.score(replace(change, version=1), other, replace(change, version=2), change)
    assert sorted((told.conversation_id, told.version) for told in await bench.told()) == [
        ("c1", 3),
        ("c2", 1),
    ]
    assert len(bench.model.read) == 3


async def test_each_message_is_read_once_per_revision(bench: Bench) -> None:
    """A growing conversation costs only its new messages; an edited one costs itself and what follows."""
    await bench.score(await bench.put(HELP))
    await bench.score(await bench.put(HELP, REPLY, version=2))
    assert [message.text for message in bench.model.read] == [HELP[10:], REPLY[7:]]
    await bench.score(await bench.put(HELP + " edited", REPLY, version=3))
    assert len(bench.model.read) == 4
    next_model = StubModel("stub-2")
    renewed = bench.new_autoqa(next_model)
    await renewed.scorer.on_changes([await bench.put(HELP + " edited", REPLY, version=3)])
    await renewed.close()
    assert len(next_model.read) == 2
    (review,) = await bench.reviews()
    assert review["model_revision"] == "stub-2"


async def test_an_agents_poor_tone_is_looked_at_twice_and_remembered(bench: Bench) -> None:
    """Once as the agent's, once as anybody's; both are kept."""
    rude = "agent: idiot [poor] [abuse] [solution]"
    await bench.score(await bench.put(HELP, rude))
    await bench.score(await bench.put(HELP, rude, "customer: ok", version=2))
    assert [message.role for message in bench.model.read] == ["customer", "agent", "customer", "customer"]
    (review,) = await bench.reviews()
    assert "agent_abuse" in kinds(review["flags"])


async def test_a_reopening_begins_a_new_round(bench: Bench) -> None:
    """The final review stays as history, the new one is current, until it is final itself."""
    await bench.score(await bench.put(HELP, REPLY, status="solved"))
    await bench.score(await bench.put(HELP, REPLY, HELP, version=2, status="open", reopened=1))
    first, second = await bench.reviews()
    assert (first["state"], first["is_current"], first["conversation_version"]) == ("final", False, 1)
    assert (second["state"], second["is_current"], second["round"]) == ("provisional", True, 2)
    await bench.score(await bench.put(HELP, REPLY, HELP, REPLY, version=3, status="closed", reopened=1))
    _, second = await bench.reviews()
    assert (second["state"], second["conversation_version"]) == ("final", 3)
    await bench.score(await bench.put(HELP, REPLY, version=4, status="closed", reopened=2))
    assert [review["is_current"] for review in await bench.reviews()] == [False, False, True]


async def test_a_failed_publication_comes_again(bench: Bench) -> None:
    """The store has it, so nothing changes there; but it is told."""
    change = await bench.put(HELP, REPLY)
    nowhere = bench.kafka.model_copy(update={"bootstrap_servers": "127.0.0.1:1"})
    cut_off = bench.new_autoqa(bench.model, kafka=nowhere)
    with pytest.raises(Transient):
        await cut_off.scorer.on_changes([change])
    await cut_off.close()
    before = await bench.reviews()
    assert len(before) == 1
    bench.clock.advance(timedelta(seconds=5))
    await bench.score(change)
    assert await bench.reviews() == before
    (told,) = await bench.told()
    assert told.scored_at == NOW


async def test_what_a_dead_process_left_untold_is_told_by_the_sweeper(bench: Bench) -> None:
    """A minute later."""
    await bench.score(await bench.put(HELP, REPLY))
    await bench.rows("update autoqa.scored set published = false")
    assert await bench.autoqa.scorer.on_time_passed() == 0
    bench.clock.advance(timedelta(minutes=2))
    assert await bench.autoqa.scorer.on_time_passed() == 1
    assert len(await bench.told()) == 2


async def test_time_alone_raises_unanswered_and_ends_a_conversation(bench: Bench) -> None:
    """Five minutes in a chat for the flag, 72 hours for the final review; then never again."""
    await bench.score(await bench.put("customer: where is it? it is late", minutes_ago=2))
    assert (await bench.reviews())[0]["flags"] == []
    bench.clock.advance(timedelta(minutes=6))
    assert await bench.autoqa.scorer.on_time_passed() == 1
    assert kinds((await bench.reviews())[0]["flags"]) == ["unanswered"]
    bench.clock.advance(timedelta(hours=73))
    assert await bench.autoqa.scorer.on_time_passed() == 1
    (review,) = await bench.reviews()
    assert (review["state"], review["round"], review["due_at"]) == ("final", 1, None)
    assert await bench.autoqa.scorer.on_time_passed() == 0
    assert len(bench.model.read) == 1
    assert [told.state for told in await bench.told()] == ["provisional", "provisional", "final"]


@pytest.mark.parametrize("status", ["merged", "deleted", "spam"])
async def test_what_is_not_worth_rating_loses_its_review(bench: Bench, status: str) -> None:
    """Flags go, the others are told; its way back is open."""
    await bench.score(await bench.put(HELP, REPLY))
    await bench.score(await bench.put(HELP, REPLY, version=2, status=status))
    (review,) = await bench.reviews()
    assert not review["is_current"]
    last = (await bench.told())[-1]
    assert (last.version, last.ratings, last.flags, last.score) == (2, [], [], None)
    await bench.score(await bench.put(HELP, REPLY, version=3))
    (review,) = await bench.reviews()
    assert (review["is_current"], review["round"]) == (True, 1)


async def test_a_conversation_without_messages_counts_as_looked_at(bench: Bench) -> None:
    """So nobody asks for it for ever; nor for one that ingest does not know."""
    await bench.score(
        await bench.put(), Change(key=b"k", tenant_id=bench.tenant, conversation_id="no", version=7)
    )
    rows = await bench.rows("select conversation_id, version from autoqa.scored_v1 order by 1")
    assert [tuple(row) for row in rows] == [("c1", 1), ("no", 7)]
    assert await bench.reviews() == []


async def test_tenants_are_kept_apart(bench: Bench) -> None:
    """The same ids in one batch; each session sees its own rows."""
    mine = await bench.put(HELP, REPLY)
    theirs = await bench.put("customer: [legal]", tenant="other-tenant")
    await bench.score(mine, theirs)
    assert kinds((await bench.reviews())[0]["flags"]) == ["churn"]
    assert "legal" in kinds((await bench.reviews(tenant="other-tenant"))[0]["flags"])
    for role in ("autoqa", "metrics"):
        connection = await bench.database.connect(role)
        try:
            for view in ("review_v1", "prediction_v1", "scored_v1"):
                assert await connection.fetchval(f"select count(*) from autoqa.{view}") == 0
                async with connection.transaction():
                    await connection.execute("select set_config('app.tenant_id', $1, true)", bench.tenant)
                    tenants = await connection.fetch(f"select distinct tenant_id from autoqa.{view}")
                    assert [row["tenant_id"] for row in tenants] == [bench.tenant]
        finally:
            await connection.close()


async def test_no_text_is_kept(bench: Bench) -> None:
    """Neither in the tables nor on the topic."""
    await bench.score(await bench.put("customer: xylophone? [churn]", "agent: xylophone [poor]"))
    for table in ("review", "prediction", "scored"):
        rows = await bench.rows(f"select t::text as row from autoqa.{table} t")
        assert rows
        assert not any("xylophone" in row["row"] for row in rows)
    assert "xylophone" not in (await bench.told())[0].model_dump_json()


async def test_two_writers_of_one_conversation_follow_each_other(bench: Bench) -> None:
    """Sweeper and consumer at the same moment leave one current review."""
    change = await bench.put(HELP, REPLY)
    other = bench.new_autoqa(bench.model)
    changes = [change, await bench.put(HELP, of="c2"), await bench.put(HELP, of="c3")]
    await asyncio.gather(
        bench.score(*changes), other.scorer.on_changes(changes[::-1]), bench.score(*changes[::-1])
    )
    await other.close()
    rows = await bench.rows("select count(*) as n from autoqa.review where is_current")
    assert rows[0]["n"] == 3
