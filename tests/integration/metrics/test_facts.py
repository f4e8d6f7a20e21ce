"""Facts, rollups and flags follow what ingest and autoqa publish."""

import asyncio
from datetime import timedelta
from typing import Any

from services.metrics.facts.handlers import ConversationRef, on_conversations
from services.metrics.facts.store import FactStore
from shared.domain.kpi import MEASURES
from tests.integration.metrics.conftest import Metrics
from tests.integration.metrics.world import OPENED, World, a_flag, a_rating


async def rollup(world: World) -> dict[str, int]:
    """The sum of each measure over the whole rollup."""
    row = await world.connection.fetchrow(
        f"select {', '.join(f'sum({name})::bigint as {name}' for name in MEASURES)}"
        " from metrics.rollup where grain = 'month'"
    )
    return {name: value for name, value in dict(row).items() if value}


async def flags(world: World) -> list[dict[str, Any]]:
    """All stored flags."""
    return [dict(row) for row in await world.connection.fetch("select * from metrics.flag order by kind")]


async def test_a_scored_conversation_counts_once(metrics: Metrics, world: World) -> None:
    """However often and in whatever order it is told of."""
    await world.conversation("c1")
    await metrics.news("c1")
    await world.review("c1", ratings=[a_rating("greeting"), a_rating("tone", "failed")])
    for _ in range(3):
        await metrics.news("c1", "c1")
    sums = await rollup(world)
    assert (sums["conversations"], sums["scored"], sums["score_sum"]) == (1, 1, 8000)
    assert (sums["rated_greeting"], sums["passed_greeting"], sums["rated_tone"]) == (1, 1, 1)
    assert "passed_tone" not in sums


async def test_the_first_human_answer_counts(metrics: Metrics, world: World) -> None:
    """A bot's, a note, and what an agent wrote before the customer asked do not."""
    await world.conversation("c1")
    for number, (role, minutes) in enumerate(
        [("agent", 0), ("customer", 1), ("bot", 2), ("system", 3), ("note", 4), ("agent", 11), ("agent", 20)]
    ):
        await world.message("c1", f"m{number}", role=role, after=timedelta(minutes=minutes), text="Guten Tag")
    await metrics.news("c1")
    assert (await rollup(world))["first_response_sum"] == 10 * 60 * 1000


async def test_a_deleted_conversation_leaves_all_figures(metrics: Metrics, world: World) -> None:
    """And its open flags with it."""
    await world.conversation("c1")
    await world.survey("c1", "csat", 5)
    await world.review("c1", flags=[a_flag("churn")])
    await metrics.news("c1")
    assert await flags(world)
    await world.conversation("c1", status="deleted")
    await metrics.news("c1")
    assert await rollup(world) == {}
    assert await flags(world) == []


async def test_a_conversation_that_ingest_lost_is_forgotten(metrics: Metrics, world: World) -> None:
    """No fact, no figures."""
    await world.conversation("c1")
    await metrics.news("c1")
    await world.forget("c1")
    await metrics.news("c1")
    assert await rollup(world) == {}
    assert await world.connection.fetchval("select count(*) from metrics.fact") == 0


async def test_two_writers_count_a_new_conversation_once(metrics: Metrics, world: World) -> None:
    """The two topics' partitions may belong to different processes."""
    for number in range(20):
        await world.conversation(f"c{number}")
    refs = [ConversationRef("a", f"c{number}") for number in range(20)]
    store = FactStore(metrics.database)
    await asyncio.gather(
        *(on_conversations(list(reversed(refs)), store=store, clock=metrics.clock) for _ in range(3)),
        on_conversations(refs, store=store, clock=metrics.clock),
    )
    assert (await rollup(world))["conversations"] == 20


async def test_a_decided_flag_stays_decided(metrics: Metrics, world: World) -> None:
    """Until a message proves it that never did before."""
    await world.conversation("c1")
    await world.review("c1", flags=[a_flag("churn")])
    await metrics.news("c1")
    await world.connection.execute("update metrics.flag set state = 'dismissed', changed_by = 'k'")
    await world.review("c1", flags=[a_flag("churn", severity="critical")])
    await metrics.news("c1")
    (flag,) = await flags(world)
    assert (flag["state"], flag["severity"], flag["rank"]) == ("dismissed", "critical", 3)
    metrics.clock.advance(timedelta(minutes=5))
    await world.review("c1", flags=[a_flag("churn", message_id="m9")])
    await metrics.news("c1")
    (flag,) = await flags(world)
    assert (flag["state"], flag["changed_by"], flag["raised_at"]) == ("open", None, metrics.clock.now())


async def test_a_withdrawn_flag_is_kept_only_where_a_person_decided(metrics: Metrics, world: World) -> None:
    """Open ones vanish."""
    await world.conversation("c1")
    await world.review("c1", flags=[a_flag("churn"), a_flag("legal")])
    await metrics.news("c1")
    await world.connection.execute("update metrics.flag set state = 'acknowledged' where kind = 'legal'")
    await world.review("c1")
    await metrics.news("c1")
    (flag,) = await flags(world)
    assert (flag["kind"], flag["withdrawn_at"]) == ("legal", metrics.clock.now())


async def test_lists_follow_tags_flags_and_times(metrics: Metrics, world: World) -> None:
    """Found under the new ones, no longer under the old ones, in the new place."""
    for name in ("c1", "c2"):
        await world.conversation(name, tags=["old"])
        await world.review(name, flags=[a_flag("churn")])
    await metrics.news("c1", "c2")
    await world.conversation("c1", tags=["new"], opened_at=OPENED + timedelta(days=1))
    await world.review("c1", flags=[a_flag("legal")])
    await metrics.news("c1")
    headers = await metrics.key()
    found = {}
    for query in ("tag=old", "tag=new", "flag=churn", "flag=legal"):
        items = (await metrics.client.get(f"/v1/conversations?{query}", headers=headers)).json()["items"]
        found[query] = [item["id"] for item in items]
    assert found == {"tag=old": ["c2"], "tag=new": ["c1"], "flag=churn": ["c2"], "flag=legal": ["c1"]}
    await world.forget("c1")
    await metrics.news("c1")
    assert await world.connection.fetchval("select count(*) from metrics.mark") == 2
