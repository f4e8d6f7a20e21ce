"""KPIs over HTTP, and that rollups equal a recount at any moment."""

import random
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from services.metrics.kpis.recount import recount, recounts
from services.metrics.tables import ROLLUP
from shared.domain.flag import FlagKind
from shared.domain.scorecard import CategoryId
from tests.integration.metrics.conftest import Metrics
from tests.integration.metrics.world import OPENED, World, a_flag, a_rating


async def kpis(service: Metrics, headers: dict[str, str], **query: str) -> list[dict[str, Any]]:
    """The rows of an answer."""
    response = await service.client.get("/v1/kpis", params=query, headers=headers)
    assert response.status_code == 200, response.text
    rows: list[dict[str, Any]] = response.json()["rows"]
    return rows


async def a_small_company(metrics: Metrics, world: World) -> dict[str, str]:
    """Billing with two conversations in week 10, Sales with one in week 11; the headers of a key."""
    await world.conversation("c1")
    await world.message("c1", "m1", role="customer", after=timedelta(0), text="?")
    await world.message("c1", "m2", role="agent", after=timedelta(minutes=10), text="!")
    await world.review("c1", score=90.0, ratings=[a_rating("greeting")], flags=[a_flag("churn")])
    await world.survey("c1", "csat", 5)
    await world.conversation("c2", status="open", solved_at=None, agent="Jan Held", language="en")
    await world.message("c2", "m1", role="customer", after=timedelta(0), text="?")
    await world.message("c2", "m2", role="agent", after=timedelta(minutes=30), text="!")
    await world.review("c2", score=70.0, ratings=[a_rating("greeting", "failed")])
    await world.survey("c2", "csat", 2)
    await world.conversation("c3", team="Sales", opened_at=OPENED + timedelta(days=7), reopen_count=1)
    await metrics.news("c1", "c2", "c3")
    return await metrics.key()


async def test_figures_of_everything(metrics: Metrics, world: World) -> None:
    """Without groups there is one row."""
    headers = await a_small_company(metrics, world)
    names = "aqs,csat,csat.mean,pass_rate.greeting,coverage,volume,backlog,solved_rate,fcr,flag_rate.churn"
    (row,) = await kpis(metrics, headers, metrics=names)
    assert row == {
        "aqs": {"value": 80.0, "n": 2},
        "csat": {"value": 50.0, "n": 2},
        "csat.mean": {"value": 3.5, "n": 2},
        "pass_rate.greeting": {"value": 50.0, "n": 2},
        "coverage": {"value": 100.0, "n": 2},
        "volume": {"value": 3.0, "n": 3},
        "backlog": {"value": 1.0, "n": 3},
        "solved_rate": {"value": 66.6667, "n": 3},
        "fcr": {"value": 50.0, "n": 2},
        "flag_rate.churn": {"value": 50.0, "n": 2},
    }


async def test_figures_by_team_and_week(metrics: Metrics, world: World) -> None:
    """Weeks are ISO weeks."""
    headers = await a_small_company(metrics, world)
    rows = await kpis(metrics, headers, metrics="volume,first_response_time", group_by="team,week")
    assert rows == [
        {
            "team": "Billing",
            "week": "2026-W10",
            "volume": {"value": 2.0, "n": 2},
            "first_response_time": {"value": 1200.0, "n": 2},
        },
        {
            "team": "Sales",
            "week": "2026-W11",
            "volume": {"value": 1.0, "n": 1},
            "first_response_time": {"value": None, "n": 0},
        },
    ]


GROUPINGS = [
    ("day", {}),
    ("month", {}),
    ("team", {}),
    ("agent", {}),
    ("agent,week", {"team": "Billing"}),
    ("channel,language,source", {}),
    ("language,day", {"team": "Billing"}),
    ("tag", {}),
    ("tag,month", {"status": "solved"}),
    ("", {"flag": "churn"}),
    ("team", {"min_score": "80"}),
    ("day", {"from": "2026-03-02T10:00:00Z"}),
    ("week", {"from": "2026-03-02", "to": "2026-03-08"}),
]


async def test_every_grouping_adds_up(metrics: Metrics, world: World) -> None:
    """Whichever table answers, the volumes of the groups are those of the list."""
    headers = await a_small_company(metrics, world)
    for group_by, filters in GROUPINGS:
        await adds_up(metrics, headers, group_by, filters)


async def adds_up(metrics: Metrics, headers: dict[str, str], group_by: str, filters: dict[str, str]) -> None:
    """Compare one grouping with the list."""
    rows = await kpis(
        metrics,
        headers,
        metrics="volume,first_response_time.median,resolution_time.p90",
        group_by=group_by,
        **filters,
    )
    listed = await metrics.client.get("/v1/conversations", params=filters, headers=headers)
    assert sum(row["volume"]["n"] for row in rows) == len(listed.json()["items"]), (group_by, filters)
    medians = [
        row["first_response_time.median"]["value"] for row in rows if row["first_response_time.median"]["n"]
    ]
    assert all(550 < median < 1900 for median in medians)


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ({"metrics": "aqs,happiness"}, "pass_rate.greeting"),
        ({"metrics": ""}, "aqs"),
        ({"group_by": "planet"}, "team"),
        ({"group_by": "day,week"}, "day"),
        ({"group_by": "team,agent,channel,language"}, "3"),
    ],
)
async def test_unknown_names_are_refused_with_the_known_ones(
    metrics: Metrics, query: dict[str, str], named: str
) -> None:
    """So that the caller can mend the question."""
    response = await metrics.client.get("/v1/kpis", params=query, headers=await metrics.key())
    assert response.status_code == 422
    assert named in response.json()["detail"]


async def recounted(metrics: Metrics, *, tenant_id: str = "a") -> None:
    """Compare each rollup with its recount, rows of nothing aside."""
    async with metrics.database.transaction(tenant_id) as connection:
        expected: dict[Any, set[Any]] = {}
        for table, query in recounts(tenant_id):
            columns = [query.selected_columns[column.name] for column in table.c]
            counted = (await connection.execute(query.with_only_columns(*columns))).all()
            expected.setdefault(table, set()).update(tuple(row) for row in counted)
        for table, rows in expected.items():
            stored = (await connection.execute(select(table))).all()
            keys = len(table.primary_key)
            assert {tuple(row) for row in stored if any(row[keys:])} == rows, table.name


@pytest.mark.parametrize("seed", range(4))
async def test_rollups_equal_a_recount(metrics: Metrics, world: World, seed: int) -> None:
    """After any updates, moves, reopenings, re-scores, deletions and losses, in any batches."""
    chance = random.Random(seed)
    names = [f"c{number}" for number in range(12)]
    for _ in range(25):
        touched = chance.sample(names, chance.randint(1, 4))
        for name in touched:
            await a_random_change(chance, world, name)
        # Some news come late or twice.
        told = [name for name in touched if chance.random() < 0.8] + chance.sample(names, 1)
        await metrics.news(*told)
    await recounted(metrics)
    await metrics.news(*names)
    await recounted(metrics)
    async with metrics.database.transaction("a") as connection:
        await connection.execute(update(ROLLUP).values(conversations=99))
        await recount(connection, "a")
    await recounted(metrics)
    headers = await metrics.key()
    for group_by in ("team", "agent", "channel,month"):
        rows = await kpis(metrics, headers, metrics="volume,aqs,nps", group_by=group_by)
        # A filter that all pass, but that only facts know.
        again = await kpis(
            metrics, headers, metrics="volume,aqs,nps", group_by=group_by, **{"from": "2000-01-01T00:00:01Z"}
        )
        assert rows == again


async def a_random_change(chance: random.Random, world: World, name: str) -> None:
    """One thing that helpdesks, customers or the model do."""
    change = chance.randrange(10)
    if change < 5:
        opened_at = OPENED + timedelta(hours=chance.randrange(72))
        status = chance.choice(["open", "solved", "closed", "pending", "deleted", "spam", "merged"])
        solved = opened_at + timedelta(seconds=chance.expovariate(1 / 9000))
        await world.conversation(
            name,
            status=status,
            team=chance.choice([None, "Billing", "Sales"]),
            agent=chance.choice([None, "Ines Roth", "Jan Held"]),
            channel=chance.choice([None, "email", "chat"]),
            language=chance.choice(["de", "en"]),
            opened_at=opened_at,
            solved_at=solved if status in ("solved", "closed") else None,
            reopen_count=chance.randrange(2),
        )
    elif change < 7:
        await world.review(
            name,
            score=chance.choice([None, 55.5, 80.0, 33.33]),
            state=chance.choice(["provisional", "final"]),
            flags=[a_flag(kind) for kind in chance.sample(list(FlagKind), chance.randrange(4))],
            ratings=[
                a_rating(category, chance.choice(["passed", "failed", "unsure", "not_applicable"]))
                for category in CategoryId
            ],
        )
    elif change < 8:
        await world.survey(name, *chance.choice([("csat", 4.0), ("csat", 1.0), ("nps", 9.0), ("ces", 6.0)]))
    elif change < 9:
        for number, role in enumerate(("customer", "agent")):
            after = timedelta(seconds=number * chance.expovariate(1 / 600))
            await world.message(name, f"m{number}", role=role, after=after, text="x")
    else:
        await world.forget(name)
