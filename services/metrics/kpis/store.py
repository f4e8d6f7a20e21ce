"""Sums and histograms, from the rollups or from the facts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    cast,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.fact_conditions import conditions
from services.metrics.filters import Filters
from services.metrics.kpis.grains import Span
from services.metrics.kpis.plan import BinsFrom, Group, Plan, SumsFrom
from services.metrics.tables import (
    AGENT_ROLLUP,
    CATEGORY,
    CATEGORY_ROLLUP,
    CHANNEL_DURATION,
    FACT,
    ROLLUP,
    TEAM_DURATION,
)
from shared.db.database import Database
from shared.domain.kpi import Duration
from shared.errors import Rejected

MAX_ROWS: Final = 10_000
_SUMS: Final = {SumsFrom.ROLLUP: ROLLUP, SumsFrom.AGENT_ROLLUP: AGENT_ROLLUP, SumsFrom.FACT: FACT}
_BINS: Final = {
    BinsFrom.TEAM_DURATION: TEAM_DURATION,
    BinsFrom.CHANNEL_DURATION: CHANNEL_DURATION,
    BinsFrom.FACT: FACT,
}
_PERIOD_FORMAT: Final = {Group.DAY: "YYYY-MM-DD", Group.WEEK: 'IYYY"-W"IW', Group.MONTH: "YYYY-MM"}

GroupKey = tuple[str, ...]
"""One value a group, in the order asked for; an empty text stands for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """What the formulas need, by group."""

    sums: Mapping[GroupKey, Mapping[str, int]]
    bins: Mapping[Duration, Mapping[GroupKey, Mapping[int, int]]]


class KpiStore:
    """Of one database."""

    def __init__(self, database: Database) -> None:
        """Of the role `metrics`."""
        self._database = database

    async def tenants(self) -> list[str]:
        """Everybody who has conversations or sources."""
        async with self._database.tenantless() as connection:
            found = await connection.execute(text("select * from ingest.tenants()"))
            return sorted(found.scalars())

    async def totals(self, tenant_id: str, plan: Plan, filters: Filters) -> Totals:
        """One query for all sums, one a duration. Raises `Rejected` when there are too many groups."""
        async with self._database.transaction(tenant_id) as connection:
            sums = await self._sums(connection, tenant_id, plan, filters)
            for category_id in plan.categories:
                found = await self._category_sums(connection, tenant_id, plan, filters, category_id)
                for key in sums:
                    rated, passed = found.get(key, (0, 0))
                    sums[key] |= {f"rated:{category_id}": rated, f"passed:{category_id}": passed}
            bins = {
                duration: await self._bins(connection, tenant_id, plan, filters, duration)
                for duration in plan.durations
            }
        return Totals(sums=sums, bins=bins)

    async def recount(self, tenant_id: str, plan: Plan, filters: Filters) -> Totals:
        """The same from the facts alone, whatever the rollups say."""
        return await self.totals(
            tenant_id, replace(plan, sums_from=SumsFrom.FACT, bins_from=BinsFrom.FACT), filters
        )

    async def _sums(
        self, connection: AsyncConnection, tenant_id: str, plan: Plan, filters: Filters
    ) -> dict[GroupKey, dict[str, int]]:
        table = _SUMS[plan.sums_from]
        totals = [func.sum(table.c[name]).label(name) for name in plan.measures]
        query = _grouped(table, plan, totals, _where(table, tenant_id, plan, filters), named=plan.measures)
        rows = (await connection.execute(query.limit(MAX_ROWS + 1))).all()
        if len(rows) > MAX_ROWS:
            raise Rejected(f"more than {MAX_ROWS} rows: ask for less", reason="too_many_rows")
        count = len(plan.groups)
        return {
            tuple(row[:count]): dict(
                zip(plan.measures, (int(total or 0) for total in row[count:]), strict=True)
            )
            for row in rows
        }

    async def _category_sums(
        self, connection: AsyncConnection, tenant_id: str, plan: Plan, filters: Filters, category_id: str
    ) -> dict[GroupKey, tuple[int, int]]:
        """Rated and passed by group."""
        if plan.sums_from is SumsFrom.ROLLUP:
            table = CATEGORY_ROLLUP
            where = [table.c.category_id == category_id, *_where(table, tenant_id, plan, filters)]
            totals: list[ColumnElement[Any]] = [func.sum(table.c.rated), func.sum(table.c.passed)]
        else:
            table = FACT
            where = [FACT.c.categories.has_key(category_id), *_where(table, tenant_id, plan, filters)]
            has_passed = FACT.c.categories[category_id].astext == "true"
            totals = [func.count(), func.count().filter(has_passed)]
        named = ("rated", "passed")
        labelled = [total.label(name) for total, name in zip(totals, named, strict=True)]
        query = _grouped(table, plan, labelled, where, named=named)
        rows = await connection.execute(query)
        return {tuple(key): (int(rated or 0), int(passed or 0)) for *key, rated, passed in rows}

    async def category_ids(self, tenant_id: str) -> list[str]:
        """The tenant's custom categories."""
        async with self._database.transaction(tenant_id) as connection:
            query = select(CATEGORY.c.id).where(CATEGORY.c.tenant_id == tenant_id)
            return sorted((await connection.execute(query)).scalars())

    async def _bins(
        self,
        connection: AsyncConnection,
        tenant_id: str,
        plan: Plan,
        filters: Filters,
        duration: Duration,
    ) -> dict[GroupKey, dict[int, int]]:
        table = _BINS[plan.bins_from]
        where = list(_where(table, tenant_id, plan, filters))
        if table is FACT:
            number = FACT.c[f"{duration}_bin"]
            where.append(number.is_not(None))
            count: ColumnElement[Any] = func.count()
        else:
            number = table.c.bin
            where.append(table.c.duration == duration)
            count = func.sum(table.c.n)
        query = _grouped(table, plan, [count.label("n")], where, named=("n",), by=number.label("bin"))
        bins: dict[GroupKey, dict[int, int]] = {}
        for row in await connection.execute(query):
            *key, number_of, n = row
            bins.setdefault(tuple(key), {})[number_of] = int(n)
        return bins


def _where(table: Table, tenant_id: str, plan: Plan, filters: Filters) -> Iterator[ColumnElement[bool]]:
    if table is FACT:
        yield from conditions(tenant_id, filters)
        return
    yield table.c.tenant_id == tenant_id
    yield or_(*(_within(table, span) for span in plan.spans))
    for name in filters.names():
        yield table.c[name] == str(getattr(filters, name))


def _within(table: Table, span: Span) -> ColumnElement[bool]:
    bounds = [table.c.grain == span.grain.value]
    if span.first is not None:
        bounds.append(table.c.day >= span.first)
    if span.before is not None:
        bounds.append(table.c.day < span.before)
    return and_(*bounds)


def _grouped(
    table: Table,
    plan: Plan,
    totals: Sequence[ColumnElement[Any]],
    where: Iterator[ColumnElement[bool]] | Sequence[ColumnElement[bool]],
    *,
    named: Sequence[str],
    by: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """Sums by group (and `by`). Periods are formed from sums by day: their names cost more than adding."""
    source: FromClause = table
    keys: list[ColumnElement[Any]] = []
    for group in plan.groups:
        if group is plan.period:
            continue
        if group is Group.TAG:
            tags = func.unnest(table.c.tags).table_valued("tag").render_derived(name="each_tag")
            source = source.join(tags, literal_column("true"))
            keys.append(tags.c.tag.label("tag"))
        else:
            keys.append(table.c[group.value].label(group.value))
    extra = [] if by is None else [by]
    if plan.period is None:
        grouped = [*keys, *extra]
        return select(*grouped, *totals).select_from(source).where(*where).group_by(*grouped)
    day = table.c.day.label("day")
    daily = (
        select(day, *keys, *extra, *totals).select_from(source).where(*where).group_by(day, *keys, *extra)
    ).subquery("daily")
    outer: list[ColumnElement[Any]] = [
        func.to_char(daily.c.day, _PERIOD_FORMAT[group]).label("period")
        if group is plan.period
        else daily.c[group.value]
        for group in plan.groups
    ]
    if by is not None:
        outer.append(daily.c.bin)
    sums = [cast(func.sum(daily.c[name]), BigInteger).label(name) for name in named]
    return select(*outer, *sums).group_by(*outer)
