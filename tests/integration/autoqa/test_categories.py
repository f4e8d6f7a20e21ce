"""Custom categories: trained from examples, applied to live conversations, kept apart by tenant."""

import asyncio
from collections.abc import Mapping
from typing import Any

from deploy.topics import TopicSettings, create, wanted
from services.autoqa.custom.records import trained_record
from shared.broker.record import Outgoing
from shared.contracts import topics
from shared.contracts.envelope import Envelope
from shared.contracts.v1 import category_changed
from shared.contracts.v1.category_trained import TrainingState
from tests.integration.autoqa.bench import SHOWN, Bench, until
from tests.stub_model import StubModel

HELP = "customer: where is it?"
VOUCHER = "agent: [greeting] hello. Here is a voucher [solution]"
PLAIN = "agent: [greeting] the form is late [solution]"


def rating_of(review: Mapping[str, Any], category: str = "cat_1") -> Mapping[str, Any] | None:
    return next((rating for rating in review["ratings"] if rating["category"] == category), None)


async def test_a_change_on_the_topic_becomes_a_head_and_news_of_it(bench: Bench) -> None:
    """Through the real consumer; the news have figures and no words."""
    change = await bench.put_category()
    value, headers = Envelope(
        id="e1", source="/metrics", type=category_changed.TYPE, data=change.model_dump_json().encode()
    ).to_kafka()
    await bench.autoqa.producer.send(
        [
            Outgoing(topic=topics.CATEGORIES_CHANGED, key=b"k", value=b"broken"),
            Outgoing(topic=topics.CATEGORIES_CHANGED, key=b"k", value=value, headers=headers),
        ]
    )
    worker = bench.new_autoqa(bench.model)
    task = asyncio.create_task(worker.trainings.run())

    async def is_told() -> bool:
        return bool(await bench.told_trained())

    await until(is_told)
    worker.stop()
    await task
    await worker.close()
    told = (await bench.told_trained())[0]
    assert (told.category_id, told.version, told.state) == ("cat_1", 1, TrainingState.TRAINED)
    assert (told.positives, told.negatives, told.model_revision) == (5, 5, "stub-1")
    assert told.recall is not None
    assert told.recall >= 0.8
    record = trained_record(told)
    assert not any(text.encode() in (record.value or b"") for text in SHOWN)


async def test_a_live_conversation_is_rated_with_evidence(bench: Bench) -> None:
    """Passed by its sentence, failed by what was searched, not applicable where the role never spoke."""
    await bench.train(await bench.put_category())
    await bench.score(
        await bench.put(HELP, VOUCHER, of="with"),
        await bench.put(HELP, PLAIN, of="without"),
        await bench.put(HELP, of="alone"),
    )
    found = rating_of((await bench.reviews("with"))[0])
    assert found is not None
    assert (found["outcome"], found["score"]) == ("passed", 1.0)
    (span,) = found["evidence"]
    text = VOUCHER.removeprefix("agent: ")
    assert text[span["start"] : span["end"]] == "Here is a voucher [solution]"
    other = rating_of((await bench.reviews("without"))[0])
    assert other is not None
    assert other["outcome"] == "failed"
    assert [span["message_id"] for span in other["evidence"]] == ["m2"]
    alone = rating_of((await bench.reviews("alone"))[0])
    assert alone is not None
    assert (alone["outcome"], alone["reason"]) == ("not_applicable", "no_agent_message")
    told = {payload.conversation_id: payload for payload in await bench.told()}
    assert "cat_1" in [rating.category for rating in told["with"].ratings]
    assert (told["with"].scorecard.id, told["with"].scorecard.version) == ("default", 1)


async def test_a_message_is_encoded_again_only_for_a_reading_that_is_missing(bench: Bench) -> None:
    """Once for all heads and the shipped labels together; a new version asks anew, of its role's messages."""
    await bench.score(await bench.put(HELP, VOUCHER))
    assert len(bench.model.read) == 2
    await bench.train(await bench.put_category())
    bench.model.read.clear()
    await bench.score(await bench.put(HELP, VOUCHER, "customer: ok", version=2))
    assert sorted(message.role for message in bench.model.read) == ["agent", "customer"]
    bench.model.read.clear()
    await bench.score(await bench.put(HELP, VOUCHER, "customer: ok", VOUCHER + " again", version=3))
    assert [message.text[-5:] for message in bench.model.read] == ["again"]
    await bench.train(await bench.put_category(version=2, positive=("a b", "c d", "e f", "g h")))
    bench.model.read.clear()
    await bench.score(await bench.put(HELP, VOUCHER, "customer: ok", VOUCHER + " again", version=4))
    assert [message.role for message in bench.model.read] == ["agent", "agent"]


async def test_a_category_weighs_only_in_the_scorecard_which_is_named(bench: Bench) -> None:
    """Failing a critical one makes the score 0, under the version that says so."""
    await bench.train(await bench.put_category())
    await bench.score(await bench.put(HELP, PLAIN))
    (before,) = await bench.reviews()
    assert (before["scorecard_version"], before["score"] > 0) == (1, True)
    await bench.put_scorecard(2, {"id": "cat_1", "version": 1, "weight": 5, "critical": False})
    await bench.score(await bench.put(HELP, PLAIN))
    (lower,) = await bench.reviews()
    assert (lower["scorecard_id"], lower["scorecard_version"]) == ("default", 2)
    assert lower["score"] < before["score"]
    await bench.put_scorecard(3, {"id": "cat_1", "version": 1, "weight": 5, "critical": True})
    await bench.score(await bench.put(HELP, PLAIN))
    (zero,) = await bench.reviews()
    assert (zero["scorecard_version"], zero["score"]) == (3, 0.0)
    await bench.put_scorecard(4)
    await bench.score(await bench.put(HELP, PLAIN))
    (after,) = await bench.reviews()
    assert (after["scorecard_version"], after["score"]) == (1, before["score"])


async def test_a_disabled_category_rates_nothing_from_the_next_batch_on(bench: Bench) -> None:
    """And a deleted one leaves neither head nor readings."""
    change = await bench.put_category()
    await bench.train(change)
    await bench.score(await bench.put(HELP, VOUCHER))
    await bench.rows("update metrics.category set enabled = false where tenant_id = $1", bench.tenant)
    await bench.score(await bench.put(HELP, VOUCHER, version=2))
    assert rating_of((await bench.reviews())[0]) is None
    await bench.rows("delete from metrics.category where tenant_id = $1", bench.tenant)
    await bench.autoqa.trainer.on_changes([change])
    for table in ("category_head", "category_reading"):
        assert await bench.rows(f"select from autoqa.{table}") == []


async def test_new_weights_get_their_heads_at_the_start(bench: Bench) -> None:
    """From the stored examples, before conversations are rated; until then nobody could tell."""
    await bench.train(await bench.put_category())
    await bench.score(await bench.put(HELP, VOUCHER))
    renewed = bench.new_autoqa(StubModel("stub-2"))
    await renewed.scorer.on_changes([await bench.put(HELP, VOUCHER, version=2)])
    early = rating_of((await bench.reviews())[0])
    assert early is not None
    assert (early["outcome"], early["reason"]) == ("unsure", "not_trained")
    await renewed.trainer.renew_all()
    await renewed.scorer.on_changes([await bench.put(HELP, VOUCHER, version=3)])
    await renewed.close()
    late = rating_of((await bench.reviews())[0])
    assert late is not None
    assert late["outcome"] == "passed"
    assert [told.model_revision for told in await bench.told_trained()] == ["stub-1", "stub-2"]


async def test_a_model_without_states_says_that_it_cannot(bench: Bench) -> None:
    """Instead of failing conversations or stopping the service."""
    old = bench.new_autoqa(StubModel("old", gives_states=False))
    await old.trainer.on_changes([await bench.put_category()])
    await old.scorer.on_changes([await bench.put(HELP, VOUCHER)])
    await old.close()
    (told,) = await bench.told_trained()
    assert (told.state, told.warnings, told.precision) == (TrainingState.FAILED, ["no_states"], None)
    assert rating_of((await bench.reviews())[0]) is None


async def test_the_same_change_again_trains_nothing_and_tells_again(bench: Bench) -> None:
    """What died between storing and telling is told; the head stays the same."""
    change = await bench.put_category()
    await bench.train(change)
    before = await bench.rows("select * from autoqa.category_head")
    read = len(bench.model.read)
    await bench.autoqa.trainer.on_changes([change, change])
    assert await bench.rows("select * from autoqa.category_head") == before
    assert len(bench.model.read) == read
    first, second = await bench.told_trained()
    assert first == second


async def test_tenants_are_kept_apart(bench: Bench) -> None:
    """The same category id at two tenants: each has its own examples, head, readings and ratings."""
    await bench.train(await bench.put_category())
    await bench.score(await bench.put(HELP, VOUCHER), await bench.put(HELP, VOUCHER, tenant="other"))
    assert rating_of((await bench.reviews())[0]) is not None
    assert rating_of((await bench.reviews(tenant="other"))[0]) is None
    # The other tenant takes an id that it guessed, and teaches the opposite.
    theirs = await bench.put_category(tenant="other", positive=("form", "late", "bank", "restart"))
    await bench.score(await bench.put(HELP, PLAIN, version=2, tenant="other"))
    assert rating_of((await bench.reviews(tenant="other"))[0]) is None
    await bench.train(theirs)
    await bench.score(
        await bench.put(HELP, VOUCHER, version=2),
        await bench.put(HELP, VOUCHER, version=3, tenant="other"),
    )
    ours = rating_of((await bench.reviews())[0])
    others = rating_of((await bench.reviews(tenant="other"))[0])
    assert ours is not None
    assert others is not None
    assert (ours["outcome"], others["outcome"]) != (others["outcome"], ours["outcome"])
    for role in ("autoqa", "metrics"):
        connection = await bench.database.connect(role)
        tables = ["metrics.category_v1", "metrics.category_example_v1", "metrics.scorecard_v1"]
        if role == "autoqa":
            tables += ["autoqa.category_head", "autoqa.category_reading"]
        try:
            for table in (*tables, "autoqa.replay_v1"):
                assert await connection.fetchval(f"select count(*) from {table}") == 0
                async with connection.transaction():
                    await connection.execute("select set_config('app.tenant_id', 'other', true)")
                    tenants = await connection.fetch(f"select distinct tenant_id from {table}")
                    assert {row["tenant_id"] for row in tenants} <= {"other"}, table
        finally:
            await connection.close()


async def test_no_example_leaves_the_tables_of_examples(bench: Bench) -> None:
    """Neither in heads, readings or reviews, nor on a topic."""
    await bench.train(await bench.put_category(positive=[f"{text} xylophone" for text in SHOWN]))
    await bench.score(await bench.put(HELP, VOUCHER + " xylophone"))
    for table in ("category_head", "category_reading", "review"):
        rows = await bench.rows(f"select t::text as row from autoqa.{table} t")
        assert rows
        assert not any("xylophone" in row["row"] for row in rows)
    assert "xylophone" not in str(await bench.told_trained())


async def test_a_request_is_rated_by_its_companys_categories(bench: Bench) -> None:
    """`POST /v1/score` with the tenant's key; nothing is stored."""
    await bench.train(await bench.put_category())
    body = {"messages": [{"role": "agent", "text": "hello, here is a voucher"}]}
    answer = await bench.client.post("/v1/score", json=body, headers=await bench.key())
    found = rating_of(answer.json())
    assert found is not None
    assert found["outcome"] == "passed"
    assert await bench.rows("select from autoqa.category_reading") == []


async def test_topics_for_categories_are_made_with_the_others(bench: Bench) -> None:
    """And their dead letters; making them again changes nothing."""
    assert await create(bench.kafka, wanted(TopicSettings(bootstrap_servers="x", partitions=2))) == []
    names = {topic.name for topic in wanted(TopicSettings(bootstrap_servers="x"))}
    assert {"categories-changed", "categories-trained", "category-replays", "category-replays.dlq"} <= names
