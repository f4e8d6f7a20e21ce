"""KPI queries over a year of 1,000,000 conversations: the rollups beside a recount of the facts.

    python -m benchmarks.kpi_query [--conversations 1000000] [--rounds 20]

Starts a PostgreSQL of its own, makes the facts there, builds the rollups from them and asks the same
questions of both through the service's own code, in one run. Exits with 1 when p95 is 100 ms or more, or the
rollups are less than 20 times faster.
"""

import argparse
import asyncio
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import asyncpg
from pydantic import SecretStr

from deploy.local.ports import HOST, free_ports
from deploy.local.postgres import Postgres
from deploy.migrate import create_database, create_roles, run_migrations
from services.metrics.filters import Filters
from services.metrics.kpis.handlers import rows
from services.metrics.kpis.plan import BinsFrom, SumsFrom, parse_groups, parse_metrics, plan
from services.metrics.kpis.recount import recount
from services.metrics.kpis.store import KpiStore, Totals
from shared.db.database import Database
from shared.domain.conversation import Channel
from shared.domain.kpi import GROWTH, FcrDefinition, metrics
from shared.settings import DatabaseSettings

TENANT: Final = "bench"
P95_LIMIT_MS: Final = 100.0
RATIO_LIMIT: Final = 20.0
KNOWN: Final = metrics(FcrDefinition.NO_REOPEN)
YEAR: Final = Filters(
    opened_from=datetime(2025, 1, 1, tzinfo=UTC), opened_before=datetime(2026, 1, 1, tzinfo=UTC)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One query of the API."""

    metrics: str
    group_by: str = ""
    filters: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        named = " ".join(f"{name}={value}" for name, value in self.filters.items())
        return f"{self.metrics} by {self.group_by or 'nothing'} {named}".strip()


QUESTIONS: Final = (
    Question(metrics="aqs,csat", group_by="team,week"),
    Question(
        metrics="volume,aqs,coverage,csat,solved_rate,first_response_time.median,resolution_time.median"
    ),
    Question(metrics="aqs,csat,csat.response_rate,fcr,escalation_rate,sentiment.negative", group_by="month"),
    Question(metrics="pass_rate.greeting,pass_rate.solution,pass_rate.tone", group_by="team"),
    Question(metrics="first_response_time.median,first_response_time.p90", group_by="team"),
    Question(metrics="first_response_time.median,first_response_time.p90", group_by="channel,month"),
    Question(metrics="volume,aqs", group_by="agent"),
    Question(metrics="volume,backlog", group_by="day"),
    Question(metrics="aqs,flag_rate.churn", group_by="week", filters={"team": "Team 3", "language": "de"}),
    Question(metrics="first_response_time,aqs", group_by="channel", filters={"channel": Channel.EMAIL}),
)

MADE_FACTS: Final = """
insert into metrics.fact
select
    $1, 'c' || i, source, i::text, channel, language, status, 'Agent ' || team || '-' || agent,
    'Team ' || team, array['tag' || (i % 20)], opened_at, opened_at::date, solved_at, messages, 1,
    'r' || i, 1, 'final', 'default', 1, 'bench', score / 100.0, opened_at, '{}',
    case when response < 1 then 0 else 1 + floor(ln(response) / ln($3::float8)) end,
    case when solved_at is null then null
         when resolution < 1 then 0 else 1 + floor(ln(resolution) / ln($3::float8)) end,
    1, done, (done = 1 and r1 > 0.1)::int, (done = 1 and r2 > 0.1)::int,
    (done = 1 and r1 > 0.1 and r2 > 0.1)::int, (done = 1 and messages = 2)::int, 1, 1, 1,
    asked, (asked = 1 and r2 > 0.2)::int, (asked = 1 and done = 1)::int, 0, 0, 0, 0,
    1, done, 1, (r3 < 0.2)::int, (r3 > 0.7)::int, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1,
    (r1 > 0.1)::int, (r2 > 0.3)::int, (r3 > 0.4)::int, (r1 > 0.05)::int, (r2 > 0.2)::int, (r3 > 0.1)::int,
    (r1 > 0.2)::int, (r2 > 0.1)::int, (r3 > 0.2)::int,
    (r1 < 0.03)::int, (r2 < 0.04)::int, (r3 < 0.005)::int, (r1 > 0.99)::int, 0, (r2 > 0.98)::int, 0, 0,
    (r3 > 0.95)::int, (r1 > 0.97)::int, 0,
    score, asked * 400, 0, (response * 1000)::bigint, done * (resolution * 1000)::bigint,
    ((r3 - 0.4) * 10000)::bigint, 38000
from (
    select *, case when done = 1 then opened_at + resolution * interval '1 second' end as solved_at,
           case when done = 1 then 'solved' else 'open' end as status
    from (
        select i, random() r1, random() r2, random() r3, (random() * 10000)::int as score,
               1 + floor(random() * 8)::int as team, 1 + floor(random() * 15)::int as agent,
               2 + floor(random() * 8)::int as messages, (random() < 0.9)::int as done,
               (random() < 0.15)::int as asked,
               (array['email', 'email', 'email', 'chat', 'chat', 'form', 'phone'])[
                   1 + floor(random() * 7)::int] as channel,
               case when random() < 0.7 then 'de' else 'en' end as language,
               case when random() < 0.9 then 'zendesk' else 'chatwoot' end as source,
               timestamptz '2025-01-01 00:00Z' + random() * interval '365 days' as opened_at,
               exp(8 + 1.2 * random_normal()) as response, exp(10.5 + 1.3 * random_normal()) as resolution
        from generate_series(1, $2::int) i
    ) chance
) made
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Milliseconds of both ways to the same answer."""

    question: Question
    way: str
    rollup: list[float]
    recount: list[float]

    @property
    def ratio(self) -> float:
        """How many times faster the rollups are, by medians."""
        return statistics.median(self.recount) / statistics.median(self.rollup)


async def _prepare(settings: Callable[[str], DatabaseSettings], conversations: int) -> None:
    owner = settings("postgres")
    connection = await _connect(owner, "postgres")
    passwords = {role: settings(role).password.get_secret_value() for role in ("ingest", "autoqa", "metrics")}
    await create_roles(connection, passwords)
    await create_database(connection, owner.name)
    await connection.close()
    await run_migrations(owner)
    connection = await _connect(owner, owner.name)
    started = time.perf_counter()
    indexes = await connection.fetch(
        "select indexname, indexdef from pg_indexes where schemaname = 'metrics' and tablename = 'fact'"
        " and indexname <> 'fact_pkey'"
    )
    for index in indexes:
        await connection.execute(f"drop index metrics.{index['indexname']}")
    await connection.execute("select setseed(0.42)")
    await connection.execute(MADE_FACTS, TENANT, conversations, GROWTH, timeout=900)
    for index in indexes:
        await connection.execute(index["indexdef"], timeout=900)
    await connection.execute("vacuum analyze metrics.fact", timeout=900)
    _say(f"{conversations:,} facts made in {time.perf_counter() - started:.0f} s")
    database = Database(settings("metrics"))
    started = time.perf_counter()
    async with database.transaction(TENANT) as session:
        await recount(session, TENANT)
    await database.close()
    _say(f"rollups built from them in {time.perf_counter() - started:.0f} s")
    for table in ("rollup", "agent_rollup", "team_duration", "channel_duration"):
        await connection.execute(f"vacuum analyze metrics.{table}")
        count = await connection.fetchval(f"select count(*) from metrics.{table}")
        _say(f"  metrics.{table}: {count:,} rows")
    await connection.close()


async def _measure(database: Database, *, rounds: int, recounts: int) -> list[Timing]:
    store = KpiStore(database)
    timings = []
    for question in QUESTIONS:
        asked = parse_metrics(question.metrics, KNOWN)
        groups = parse_groups(question.group_by)
        filters = Filters(opened_from=YEAR.opened_from, opened_before=YEAR.opened_before, **question.filters)
        planned = plan(tuple(asked.values()), groups, filters)
        if planned.sums_from is SumsFrom.FACT or (planned.durations and planned.bins_from is BinsFrom.FACT):
            raise SystemExit(f"the rollups cannot answer: {question}")

        async def fast() -> Totals:
            return await store.totals(TENANT, planned, filters)  # noqa: B023 (called within this round)

        async def slow() -> Totals:
            return await store.recount(TENANT, planned, filters)  # noqa: B023 (called within this round)

        first, _ = await _timed(fast)
        counted, _ = await _timed(slow)
        if rows(asked, groups, first) != rows(asked, groups, counted):
            raise SystemExit(f"the rollups differ from the recount: {question}")
        timings.append(
            Timing(
                question=question,
                way=planned.sums_from + ("+" + planned.bins_from if planned.durations else ""),
                recount=[(await _timed(slow))[1] for _ in range(recounts)],
                rollup=[(await _timed(fast))[1] for _ in range(rounds)],
            )
        )
    return timings


async def _timed(work: Callable[[], Awaitable[Totals]]) -> tuple[Totals, float]:
    started = time.perf_counter()
    totals = await work()
    return totals, 1000 * (time.perf_counter() - started)


async def _connect(settings: DatabaseSettings, database: str) -> asyncpg.Connection:
    return await asyncpg.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.get_secret_value(),
        database=database,
        ssl=False,
    )


def _report(timings: list[Timing]) -> bool:
    _say(f"{'rollup p50':>11} {'p95':>7} {'recount p50':>12} {'ratio':>7}   (ms)")
    for timing in timings:
        _say(
            f"{statistics.median(timing.rollup):11.1f} {_p95(timing.rollup):7.1f}"
            f" {statistics.median(timing.recount):12.0f} {timing.ratio:6.0f}x"
            f"   {timing.question} [{timing.way}]"
        )
    every = [one for timing in timings for one in timing.rollup]
    again = [one for timing in timings for one in timing.recount]
    ratio = statistics.mean(again) / statistics.mean(every)
    p95 = _p95(every)
    good = p95 < P95_LIMIT_MS and ratio >= RATIO_LIMIT
    _say(
        f"kpi_query: p50 {statistics.median(every):.1f} ms, p95 {p95:.1f} ms (limit {P95_LIMIT_MS:.0f}),"
        f" recount p50 {statistics.median(again):.0f} ms, ratio {ratio:.0f}x (at least {RATIO_LIMIT:.0f}),"
        f" lowest of a question {min(timing.ratio for timing in timings):.0f}x:"
        f" {'good' if good else 'MISSED'}"
    )
    return good


def _p95(values: list[float]) -> float:
    return sorted(values)[max(0, -(-95 * len(values) // 100) - 1)]


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Run; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description="KPI queries from rollups beside a recount.")
    parser.add_argument("--conversations", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=20, help="of each question to the rollups")
    parser.add_argument("--recounts", type=int, default=3, help="of each question to the facts")
    parsed = parser.parse_args()
    (port,) = free_ports(1)
    password = secrets.token_hex(8)

    def settings(role: str) -> DatabaseSettings:
        return DatabaseSettings(
            host=HOST, port=port, name="bench", user=role, password=SecretStr(password), pool_size=2
        )

    async def run() -> bool:
        await _prepare(settings, parsed.conversations)
        database = Database(settings("metrics"))
        try:
            return _report(await _measure(database, rounds=parsed.rounds, recounts=parsed.recounts))
        finally:
            await database.close()

    with tempfile.TemporaryDirectory(prefix="pruefstein-bench-") as folder:
        Path(folder).chmod(0o711)
        server = Postgres(
            data_dir=Path(folder) / "data",
            port=port,
            password=password,
            log_file=Path(folder) / "postgres.log",
            durable=False,
        )
        with server:
            return 0 if asyncio.run(run()) else 1


if __name__ == "__main__":
    sys.exit(main())
