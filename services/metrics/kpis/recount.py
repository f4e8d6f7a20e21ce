"""The rollups anew from the facts: what they must equal at any moment."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Table,
    cast,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.kpis.grains import Grain
from services.metrics.tables import (
    AGENT_ROLLUP,
    CATEGORY_ROLLUP,
    CHANNEL_DURATION,
    FACT,
    ROLLUP,
    ROLLUPS,
    TEAM_DURATION,
)
from shared.domain.kpi import MEASURES

_DURATIONS: Final = ("first_response", "resolution")


def recounts(tenant_id: str) -> Iterator[tuple[Any, Select[Any]]]:
    """Each rollup's table with the query that gives its rows, but empty ones, by grain."""
    for grain in Grain:
        yield from _recounts(tenant_id, grain)


def _recounts(tenant_id: str, grain: Grain) -> Iterator[tuple[Any, Select[Any]]]:
    begin = cast(func.date_trunc(grain.value, FACT.c.day), Date)
    named = {"grain": literal_column(f"'{grain}'::text"), "day": begin}
    sums = [func.sum(FACT.c[name]).label(name) for name in MEASURES]
    for table in (ROLLUP, AGENT_ROLLUP):
        keys = [
            (named[name] if name in named else FACT.c[name]).label(name)
            for name in (column.name for column in table.primary_key)
        ]
        query = select(*keys, *sums).where(FACT.c.tenant_id == tenant_id, FACT.c.conversations > 0)
        yield table, query.group_by(*keys)
    bins = union_all(
        *(
            select(
                FACT.c.tenant_id,
                literal_column(f"'{duration}'::text").label("duration"),
                *(column.label(name) for name, column in named.items()),
                *(FACT.c[name] for name in ("team", "channel", "language", "source")),
                FACT.c[f"{duration}_bin"].label("bin"),
            ).where(FACT.c.tenant_id == tenant_id, FACT.c[f"{duration}_bin"].is_not(None))
            for duration in _DURATIONS
        )
    ).subquery("bins")
    each = (
        func.jsonb_each(FACT.c.categories).table_valued("key", "value").render_derived(name="each_category")
    )
    apart: dict[str, ColumnElement[Any]] = {**named, "category_id": each.c.key}
    keys = [
        (apart[column.name] if column.name in apart else FACT.c[column.name]).label(column.name)
        for column in CATEGORY_ROLLUP.primary_key
    ]
    counts = [
        func.count().label("rated"),
        func.count().filter(each.c.value == literal_column("'true'::jsonb")).label("passed"),
    ]
    query = select(*keys, *counts).select_from(FACT.join(each, literal_column("true")))
    yield CATEGORY_ROLLUP, query.where(FACT.c.tenant_id == tenant_id).group_by(*keys)
    for table in (TEAM_DURATION, CHANNEL_DURATION):
        grouped: list[ColumnElement[Any]] = [bins.c[column.name] for column in table.primary_key]
        yield table, select(*grouped, func.count().label("n")).group_by(*grouped)


async def recount(connection: AsyncConnection, tenant_id: str) -> None:
    """Replace the tenant's rollups, in the connection's transaction; writers of facts wait until its end."""
    for table in ROLLUPS:
        await connection.execute(text(f"lock table {table.fullname} in share row exclusive mode"))
        await connection.execute(delete(table).where(table.c.tenant_id == tenant_id))
    for table, query in _recounts(tenant_id, Grain.DAY):
        await _fill(connection, table, query)
    for grain in (Grain.WEEK, Grain.MONTH):
        for table in ROLLUPS:
            await _fill(connection, table, _coarser(tenant_id, table, grain))


async def _fill(connection: AsyncConnection, table: Table, query: Select[Any]) -> None:
    await connection.execute(
        insert(table).from_select([column.name for column in query.selected_columns], query)
    )


def _coarser(tenant_id: str, table: Table, grain: Grain) -> Select[Any]:
    """Weeks or months from the days: far fewer rows than the facts."""
    begin = cast(func.date_trunc(grain.value, table.c.day), Date)
    named = {"grain": literal_column(f"'{grain}'::text"), "day": begin}
    keys = [named.get(column.name, column).label(column.name) for column in table.primary_key]
    sums = [func.sum(column).label(column.name) for column in table.c if not column.primary_key]
    query = select(*keys, *sums).where(table.c.tenant_id == tenant_id, table.c.grain == Grain.DAY.value)
    return query.group_by(*keys)
