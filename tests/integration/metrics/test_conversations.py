"""Conversations over HTTP: the list with its filters, and one with everything in it."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.metrics.conftest import Metrics
from tests.integration.metrics.world import OPENED, World, a_flag, a_rating

TEXT = "Ich kündige, wenn das nicht klappt 😡"


async def one_of_everything(metrics: Metrics, world: World) -> dict[str, str]:
    """c1 with transcript, review and survey; the headers of a key."""
    await world.conversation("c1")
    await world.message("c1", "m1", role="customer", after=timedelta(0), text=TEXT)
    await world.message("c1", "m2", role="agent", after=timedelta(minutes=10), text="Guten Tag, gern.")
    await world.message("c1", "m3", role="customer", after=timedelta(minutes=12), text="", deleted=True)
    await world.survey("c1", "csat", 4, comment="nett")
    await world.review(
        "c1",
        ratings=[a_rating("greeting", evidence=[{"message_id": "m2", "start": 0, "end": 9}])],
        flags=[a_flag("churn", evidence=[{"message_id": "m1", "start": 4, "end": 11}])],
    )
    await world.prediction(
        "c1",
        "m1",
        {
            "sentiment": {"label": "negative", "score": -0.8, "probabilities": {"negative": 0.9}},
            "flags": {"churn": 0.93},
            "evidence": {"churn": [4, 11]},
        },
    )
    await metrics.news("c1")
    return await metrics.key()


async def test_a_conversation_shows_everything_with_the_words_that_prove_it(
    metrics: Metrics, world: World
) -> None:
    """Quotes are cut from the text when asked for."""
    headers = await one_of_everything(metrics, world)
    response = await metrics.client.get("/v1/conversations/c1", headers=headers)
    assert response.status_code == 200
    body = response.json()
    assert [message["text"] for message in body["messages"]] == [TEXT, "Guten Tag, gern.", ""]
    assert body["messages"][0]["flags"] == {"churn": 0.93}
    assert body["messages"][0]["evidence"] == {
        "churn": {"message_id": "m1", "start": 4, "end": 11, "quote": "kündige"}
    }
    assert body["messages"][1]["signals"] is None
    assert body["ratings"][0]["evidence"] == [
        {"message_id": "m2", "start": 0, "end": 9, "quote": "Guten Tag"}
    ]
    assert body["flags"][0]["evidence"][0]["quote"] == "kündige"
    assert body["sentiment"] == {"start": -0.8, "end": 0.4, "lowest": -0.8, "trend": 1.2}
    assert body["resolved"] == {"label": "yes", "probability": 0.8}
    assert body["surveys"][0]["comment"] == "nett"
    assert body["scorecard"] == {"id": "default", "version": 1}
    assert (body["model_revision"], body["score"], body["review"]) == ("rev-1", 80.0, "final")
    assert body["opened_at"] == "2026-03-02T09:00:00Z"


async def test_a_text_that_became_shorter_gives_no_false_quote(metrics: Metrics, world: World) -> None:
    """Half of a sentence would prove something else."""
    headers = await one_of_everything(metrics, world)
    await world.message("c1", "m1", role="customer", after=timedelta(0), text="Ich kün")
    body = (await metrics.client.get("/v1/conversations/c1", headers=headers)).json()
    assert body["flags"][0]["evidence"][0]["quote"] == ""
    assert body["messages"][0]["evidence"]["churn"]["quote"] == ""


async def test_what_is_known_already_is_not_sent_again(metrics: Metrics, world: World) -> None:
    """Until it changes."""
    headers = await one_of_everything(metrics, world)
    for path in ("/v1/conversations/c1", "/v1/conversations", "/v1/flags", "/v1/kpis"):
        first = await metrics.client.get(path, headers=headers)
        again = await metrics.client.get(path, headers={**headers, "If-None-Match": first.headers["etag"]})
        assert (first.status_code, again.status_code, again.content) == (200, 304, b""), path
    first = await metrics.client.get("/v1/conversations/c1", headers=headers)
    await world.message("c1", "m1", role="customer", after=timedelta(0), text="Anders")
    again = await metrics.client.get(
        "/v1/conversations/c1", headers={**headers, "If-None-Match": first.headers["etag"]}
    )
    assert again.status_code == 200


async def listed(metrics: Metrics, headers: dict[str, str], **query: Any) -> list[str]:
    """The ids of a list."""
    response = await metrics.client.get("/v1/conversations", params=query, headers=headers)
    assert response.status_code == 200, response.text
    return [item["id"] for item in response.json()["items"]]


FILTERS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["c3", "c2", "c1"]),
    ({"source": "zammad"}, ["c2"]),
    ({"external_id": "x-c1"}, ["c1"]),
    ({"agent": "Jan Held"}, ["c2"]),
    ({"team": "Billing"}, ["c3", "c1"]),
    ({"channel": "chat"}, ["c2"]),
    ({"language": "en"}, ["c3"]),
    ({"tag": "vip"}, ["c3"]),
    ({"status": "open"}, ["c3"]),
    ({"flag": "churn"}, ["c1"]),
    ({"min_score": 60}, ["c1"]),
    ({"max_score": 60}, ["c2"]),
    ({"from": "2026-03-03"}, ["c3", "c2"]),
    ({"to": "2026-03-02"}, ["c1"]),
    ({"from": "2026-03-03T09:00:00Z", "to": "2026-03-04T09:00:00+00:00"}, ["c2"]),
    ({"team": "Billing", "language": "de"}, ["c1"]),
    ({"team": "nobody"}, []),
    ({"tag": "refund", "flag": "churn"}, ["c1"]),
    ({"tag": "vip", "flag": "churn"}, []),
    ({"tag": "refund", "team": "Billing"}, ["c3", "c1"]),
]


async def test_every_filter_narrows_the_list(metrics: Metrics, world: World) -> None:
    """And several together narrow it further."""
    await world.conversation("c1")
    await world.review("c1", score=90.0, flags=[a_flag("churn")])
    await world.conversation(
        "c2",
        source="zammad",
        agent="Jan Held",
        team="Sales",
        channel="chat",
        opened_at=OPENED + timedelta(days=1),
    )
    await world.review("c2", score=40.0)
    await world.conversation(
        "c3",
        status="open",
        language="en",
        tags=["vip", "refund"],
        opened_at=OPENED + timedelta(days=2),
        solved_at=None,
    )
    await metrics.news("c1", "c2", "c3")
    headers = await metrics.key()
    for query, expected in FILTERS:
        assert await listed(metrics, headers, **query) == expected, query


async def test_pages_cover_the_list_once(metrics: Metrics, world: World) -> None:
    """Even where many were opened at the same moment and others come in meanwhile."""
    names = [f"c{number}" for number in range(7)]
    for name in names:
        await world.conversation(name)
    await metrics.news(*names)
    headers = await metrics.key()
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "3", **({"cursor": cursor} if cursor else {})}
        body = (await metrics.client.get("/v1/conversations", params=query, headers=headers)).json()
        seen += [item["id"] for item in body["items"]]
        cursor = body["next_cursor"]
        if cursor is None:
            break
        await world.conversation(f"new{len(seen)}", opened_at=OPENED + timedelta(days=1))
        await metrics.news(f"new{len(seen)}")
    assert seen == sorted(names, reverse=True)


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "nonsense"},
        {"cursor": "W10"},
        {"cursor": "WzEsMl0"},
        {"limit": "0"},
        {"limit": "201"},
        {"from": "yesterday"},
        {"status": "gone"},
        {"min_score": "high"},
        {"team": "a\x00b"},
        {"external_id": "\x00"},
    ],
)
async def test_nonsense_is_refused(metrics: Metrics, query: dict[str, str]) -> None:
    """With a problem, not a failure."""
    response = await metrics.client.get("/v1/conversations", params=query, headers=await metrics.key())
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/v1/conversations/none", "/v1/conversations/a%00b", "/v1/flags/a%00b"])
async def test_what_is_not_there_is_not_found(metrics: Metrics, path: str) -> None:
    """Ids that cannot exist are no failure either."""
    assert (await metrics.client.get(path, headers=await metrics.key())).status_code == 404
