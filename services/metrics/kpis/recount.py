"""The rollups anew from the facts: what they must equal at any moment."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Executable,
    Select,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.tables import AGENT_ROLLUP, CHANNEL_DURATION, FACT, ROLLUP, ROLLUPS, TEAM_DURATION
from shared.domain.kpi import MEASURES

_DURATIONS: Final = ("first_response", "resolution")


def recounts(tenant_id: str) -> Iterator[tuple[Any, Select[Any]]]:
    """Each rollup's table with the query that gives its rows, but empty ones, in its columns' order."""
    sums = [func.sum(FACT.c[name]).label(name) for name in MEASURES]
    for table in (ROLLUP, AGENT_ROLLUP):
        keys = [FACT.c[column.name] for column in table.primary_key]
        yield (
            table,
            select(*keys, *sums)
            .where(FACT.c.tenant_id == tenant_id, FACT.c.conversations > 0)
            .group_by(*keys),
        )
    bins = union_all(
        *(
            select(
                FACT.c.tenant_id,
                literal(duration).label("duration"),
                *(FACT.c[name] for name in ("day", "team", "channel", "language", "source")),
                FACT.c[f"{duration}_bin"].label("bin"),
            ).where(FACT.c.tenant_id == tenant_id, FACT.c[f"{duration}_bin"].is_not(None))
            for duration in _DURATIONS
        )
    ).subquery("bins")
    for table in (TEAM_DURATION, CHANNEL_DURATION):
        grouped: list[ColumnElement[Any]] = [bins.c[column.name] for column in table.primary_key]
        yield table, select(*grouped, func.count().label("n")).group_by(*grouped)


async def recount(connection: AsyncConnection, tenant_id: str) -> None:
    """Replace the tenant's rollups, in the connection's transaction; writers of facts wait until its end."""
    for table in ROLLUPS:
        await connection.execute(text(f"lock table {table.fullname} in share row exclusive mode"))
    for statement in _statements(tenant_id):
        await connection.execute(statement)


def _statements(tenant_id: str) -> Iterator[Executable]:
    for table, query in recounts(tenant_id):
        yield delete(table).where(table.c.tenant_id == tenant_id)
        yield insert(table).from_select([column.name for column in query.selected_columns], query)
