"""The queue of flags over HTTP."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.metrics.facts.store import FactStore
from services.metrics.flags.state import FlagState
from services.metrics.flags.store import FlagStore
from shared.http.auth import KeyRole
from tests.integration.metrics.conftest import Metrics
from tests.integration.metrics.world import World, a_flag


async def a_queue(metrics: Metrics, world: World) -> dict[str, str]:
    """Four flags, raised a minute apart: low, critical, high, critical; the headers of a key."""
    for number, (kind, severity) in enumerate(
        [("repeat_contact", "low"), ("legal", "critical"), ("churn", "high"), ("abuse", "critical")]
    ):
        name = f"c{number}"
        await world.conversation(name)
        await world.message(name, "m1", role="customer", after=timedelta(0), text=f"Anwalt {number}")
        await world.review(name, flags=[a_flag(kind, severity=severity)])
        await metrics.news(name)
        metrics.clock.advance(timedelta(minutes=1))
    return await metrics.key()


async def queue(metrics: Metrics, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    """All pages, two at a time."""
    items: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": 2, **query, **({"cursor": cursor} if cursor else {})}
        response = await metrics.client.get("/v1/flags", params=params, headers=headers)
        assert response.status_code == 200, response.text
        items += response.json()["items"]
        cursor = response.json()["next_cursor"]
    return items


QUERIES: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["abuse", "churn", "legal", "repeat_contact"]),
    ({"sort": "severity"}, ["abuse", "legal", "churn", "repeat_contact"]),
    ({"severity": "critical"}, ["abuse", "legal"]),
    ({"kind": "churn"}, ["churn"]),
    ({"state": "dismissed"}, []),
    ({"state": "any"}, ["abuse", "churn", "legal", "repeat_contact"]),
    ({"since": "2026-03-10T12:02:00Z"}, ["abuse", "churn"]),
]


@pytest.mark.parametrize(("query", "expected"), QUERIES, ids=[str(query) for query, _ in QUERIES])
async def test_the_queue_is_ordered_and_filtered(
    metrics: Metrics, world: World, query: dict[str, Any], expected: list[str]
) -> None:
    """Page by page."""
    headers = await a_queue(metrics, world)
    assert [item["kind"] for item in await queue(metrics, headers, **query)] == expected


async def test_a_flag_shows_its_words_and_where_it_stands(metrics: Metrics, world: World) -> None:
    """So that a person can decide without opening the conversation."""
    headers = await a_queue(metrics, world)
    item = (await queue(metrics, headers, kind="legal"))[0]
    assert item["evidence"] == [{"message_id": "m1", "start": 0, "end": 6, "quote": "Anwalt"}]
    assert (item["team"], item["external_id"], item["state"]) == ("Billing", "x-c1", "open")
    single = await metrics.client.get(f"/v1/flags/{item['id']}", headers=headers)
    assert single.json() == item


async def test_a_decided_flag_leaves_the_queue(metrics: Metrics, world: World) -> None:
    """It says who decided when, and can be put back."""
    headers = await a_queue(metrics, world)
    (flag,) = await queue(metrics, headers, kind="churn")
    path = f"/v1/flags/{flag['id']}"
    decided = await metrics.client.patch(path, json={"state": "acknowledged"}, headers=headers)
    assert decided.status_code == 200
    assert decided.json()["changed_by"].startswith("key_")
    assert await queue(metrics, headers, kind="churn") == []
    again = await metrics.client.patch(path, json={"state": "acknowledged"}, headers=headers)
    assert again.json() == decided.json()
    reopened = await metrics.client.patch(path, json={"state": "open"}, headers=headers)
    assert (reopened.json()["state"], reopened.json()["changed_by"]) == ("open", None)


async def test_a_withdrawn_flag_cannot_be_opened(metrics: Metrics, world: World) -> None:
    """Nothing proves it any more."""
    headers = await a_queue(metrics, world)
    (flag,) = await queue(metrics, headers, kind="churn")
    path = f"/v1/flags/{flag['id']}"
    await metrics.client.patch(path, json={"state": "dismissed"}, headers=headers)
    await world.review("c2")
    await metrics.news("c2")
    assert (await metrics.client.patch(path, json={"state": "open"}, headers=headers)).status_code == 409


@pytest.mark.parametrize("body", [{"state": "gone"}, {}, {"state": "open", "severity": "low"}, [], "open"])
async def test_a_decision_that_is_none_is_refused(metrics: Metrics, world: World, body: Any) -> None:
    """Nothing changes."""
    headers = await a_queue(metrics, world)
    (flag,) = await queue(metrics, headers, kind="churn")
    response = await metrics.client.patch(f"/v1/flags/{flag['id']}", json=body, headers=headers)
    assert response.status_code == 422


async def test_a_viewer_reads_but_does_not_decide(metrics: Metrics, world: World) -> None:
    """Deciding needs the role qa_lead."""
    await a_queue(metrics, world)
    headers = await metrics.key(KeyRole.VIEWER)
    (flag,) = await queue(metrics, headers, kind="churn")
    response = await metrics.client.patch(
        f"/v1/flags/{flag['id']}", json={"state": "dismissed"}, headers=headers
    )
    assert response.status_code == 403


async def test_the_other_order_s_cursor_is_refused(metrics: Metrics, world: World) -> None:
    """It would skip flags."""
    headers = await a_queue(metrics, world)
    page = await metrics.client.get("/v1/flags", params={"limit": 1}, headers=headers)
    response = await metrics.client.get(
        "/v1/flags", params={"sort": "severity", "cursor": page.json()["next_cursor"]}, headers=headers
    )
    assert response.status_code == 422


async def until_waiting(world: World) -> None:
    """Until one session waits for another's lock; raises TimeoutError after 20 s."""
    async with asyncio.timeout(20):
        while not await world.connection.fetchval(
            "select count(*) from pg_stat_activity"
            " where wait_event_type = 'Lock' and datname = current_database()"
        ):
            await asyncio.sleep(0.01)


async def test_a_decision_waits_for_the_review_that_is_being_written(metrics: Metrics, world: World) -> None:
    """And sees what that review made of the flag: it is withdrawn meanwhile, so it cannot be opened."""
    headers = await a_queue(metrics, world)
    (flag,) = await queue(metrics, headers, kind="churn")
    path = f"/v1/flags/{flag['id']}"
    await metrics.client.patch(path, json={"state": "dismissed"}, headers=headers)
    async with FactStore(metrics.database).transaction("a") as writer:
        (stored,) = (await writer.flags(["c2"]))["c2"].values()
        opening = asyncio.create_task(metrics.client.patch(path, json={"state": "open"}, headers=headers))
        await until_waiting(world)
        await writer.save_flags([replace(stored, withdrawn_at=metrics.clock.now())], removed=[])
    assert (await opening).status_code == 409


async def test_a_review_waits_for_the_decision_that_is_being_made(metrics: Metrics, world: World) -> None:
    """A person's word is not lost under what the same review finds again."""
    headers = await a_queue(metrics, world)
    (flag,) = await queue(metrics, headers, kind="churn")
    await world.review("c2", flags=[a_flag("churn", severity="critical")])
    async with FlagStore(metrics.database).transaction("a") as person:
        queued = await person.flag(flag["id"], for_update=True)
        assert queued is not None
        writing = asyncio.create_task(metrics.news("c2"))
        await until_waiting(world)
        await person.decide(
            replace(
                queued.flag, state=FlagState.DISMISSED, changed_at=metrics.clock.now(), changed_by="key_1"
            )
        )
    await writing
    (after,) = await queue(metrics, headers, kind="churn", state="dismissed")
    assert (after["severity"], after["changed_by"]) == ("critical", "key_1")


async def test_of_two_decisions_at_once_one_follows_the_other(metrics: Metrics, world: World) -> None:
    """Both are answered, and the answer of the later one is what stands."""
    headers = await a_queue(metrics, world)
    (flag,) = await queue(metrics, headers, kind="churn")
    path = f"/v1/flags/{flag['id']}"
    answers = await asyncio.gather(
        *(
            metrics.client.patch(path, json={"state": state}, headers=headers)
            for state in ("acknowledged", "dismissed") * 3
        )
    )
    assert {answer.status_code for answer in answers} == {200}
    stands = (await metrics.client.get(path, headers=headers)).json()
    assert stands in [answer.json() for answer in answers]
