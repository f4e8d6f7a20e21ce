"""Facts, flags and rollups in Postgres; all of a batch in one transaction."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

from sqlalchemy import Table, delete, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.facts.contribution import Deltas, Key
from services.metrics.facts.fact import Fact
from services.metrics.facts.published import read_sources
from services.metrics.facts.sources import Sources
from services.metrics.flags.rows import flag_from_row, flag_row
from services.metrics.flags.state import StoredFlag
from services.metrics.stream.events import NOTIFY_CHANNEL, Notice, StreamEvent
from services.metrics.tables import (
    AGENT_ROLLUP,
    CATEGORY_ROLLUP,
    CHANNEL_DURATION,
    FACT,
    FLAG,
    MARK,
    ROLLUP,
    ROLLUPS,
    TEAM_DURATION,
)
from shared.db.database import Database
from shared.domain.flag import FlagKind
from shared.domain.kpi import MEASURES

_CHUNK: Final = 500
_PLAIN = [column.name for column in FACT.c if column.name not in MEASURES and column.name != "tenant_id"]


def _upsert(table: Table) -> Insert:
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={column.name: statement.excluded[column.name] for column in table.c if not column.primary_key},
    )


def _add(table: Table) -> Insert:
    statement = insert(table)
    return statement.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={c.name: c + statement.excluded[c.name] for c in table.c if not c.primary_key},
    )


# Made once: with this many columns, putting a statement together costs more than running it.
_UPSERT_FACT: Final = _upsert(FACT)
_UPSERT_FLAG: Final = _upsert(FLAG)
_ADD: Final = {table: _add(table) for table in ROLLUPS}


class FactTransaction:
    """What one tenant's transaction can do."""

    def __init__(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Made by `FactStore.transaction`."""
        self._connection = connection
        self._tenant_id = tenant_id

    async def lock(self, conversation_ids: Sequence[str]) -> None:
        """Let nobody else bring these conversations up to date until the end.

        A row lock would not do, since a new conversation has no row yet. In sorted order, so that two
        writers cannot wait for each other.
        """
        keys = sorted(_lock_key(self._tenant_id, conversation_id) for conversation_id in conversation_ids)
        await self._connection.execute(
            text(
                "select pg_advisory_xact_lock(key)"
                " from (select key from unnest(cast(:keys as bigint[])) key order by key) sorted"
            ),
            {"keys": keys},
        )

    async def facts(self, conversation_ids: Sequence[str]) -> dict[str, Fact]:
        """The stored facts, by conversation."""
        rows = await self._connection.execute(
            select(FACT).where(
                FACT.c.tenant_id == self._tenant_id, FACT.c.conversation_id.in_(conversation_ids)
            )
        )
        return {row["conversation_id"]: _fact(row) for row in rows.mappings()}

    async def flags(self, conversation_ids: Sequence[str]) -> dict[str, dict[FlagKind, StoredFlag]]:
        """The stored flags, by conversation and kind."""
        rows = await self._connection.execute(
            select(FLAG)
            .where(FLAG.c.tenant_id == self._tenant_id, FLAG.c.conversation_id.in_(conversation_ids))
            # A person's decision between this reading and the writing back must not be lost.
            .order_by(FLAG.c.id)
            .with_for_update()
        )
        flags: dict[str, dict[FlagKind, StoredFlag]] = {}
        for row in rows.mappings():
            flag = flag_from_row(row)
            flags.setdefault(flag.conversation_id, {})[flag.kind] = flag
        return flags

    async def sources(self, conversation_ids: Sequence[str]) -> dict[str, Sources]:
        """What ingest and autoqa publish now, by conversation; one query a view."""
        return await read_sources(self._connection, self._tenant_id, conversation_ids)

    async def save_facts(self, facts: Sequence[Fact], *, gone: Sequence[str]) -> None:
        """Store `facts`, forget those of the conversations `gone`."""
        if gone:
            await self._connection.execute(
                delete(FACT).where(FACT.c.tenant_id == self._tenant_id, FACT.c.conversation_id.in_(gone))
            )
        await self._execute_many(_UPSERT_FACT, [_fact_row(self._tenant_id, fact) for fact in facts])

    async def save_marks(self, facts: Sequence[Fact], *, gone: Sequence[str]) -> None:
        """Replace the tags and flags by which the conversations of `facts` are found, and those of `gone`."""
        changed = [*gone, *(fact.conversation_id for fact in facts)]
        if changed:
            await self._connection.execute(
                delete(MARK).where(MARK.c.tenant_id == self._tenant_id, MARK.c.conversation_id.in_(changed))
            )
        rows = [
            {
                "tenant_id": self._tenant_id,
                "conversation_id": fact.conversation_id,
                "kind": kind,
                "name": name,
                "opened_at": fact.opened_at,
            }
            for fact in facts
            for kind, names in (("tag", fact.tags), ("flag", fact.flags))
            for name in sorted(set(names))
        ]
        await self._execute_many(insert(MARK), rows)

    async def apply(self, deltas: Deltas) -> None:
        """Add the differences to the rollups, in sorted order for the same reason as in `lock`."""
        for table, sums in ((ROLLUP, deltas.rollup), (AGENT_ROLLUP, deltas.agent_rollup)):
            changed = {key: named for key, named in sums.items() if any(named.values())}
            await self._add(table, {key: changed[key] for key in sorted(changed)}, MEASURES)
        for table, counts in (
            (TEAM_DURATION, deltas.team_duration),
            (CHANNEL_DURATION, deltas.channel_duration),
        ):
            await self._add(table, {key: {"n": counts[key]} for key in sorted(counts) if counts[key]}, ("n",))
        rated = {key: named for key, named in deltas.category_rollup.items() if any(named.values())}
        await self._add(CATEGORY_ROLLUP, {key: rated[key] for key in sorted(rated)}, ("rated", "passed"))

    async def save_flags(self, flags: Sequence[StoredFlag], *, removed: Sequence[str]) -> None:
        """Store `flags`, delete those with the ids `removed`."""
        if removed:
            await self._connection.execute(
                delete(FLAG).where(FLAG.c.tenant_id == self._tenant_id, FLAG.c.id.in_(removed))
            )
        await self._execute_many(_UPSERT_FLAG, [flag_row(self._tenant_id, flag) for flag in flags])

    async def notify(self, events: Sequence[StreamEvent]) -> None:
        """Tell all processes' listeners, once the transaction is committed."""
        if events:
            notices = [Notice(tenant_id=self._tenant_id, event=event).model_dump_json() for event in events]
            await self._connection.execute(
                text("select pg_notify(:channel, notice) from unnest(cast(:notices as text[])) notice"),
                {"channel": NOTIFY_CHANNEL, "notices": notices},
            )

    async def _add(
        self, table: Table, changes: Mapping[Key, Mapping[str, int]], columns: Sequence[str]
    ) -> None:
        keys = [column.name for column in table.primary_key if column.name != "tenant_id"]
        rows = [
            {
                "tenant_id": self._tenant_id,
                **dict(zip(keys, key, strict=True)),
                **{name: named.get(name, 0) for name in columns},
            }
            for key, named in changes.items()
        ]
        await self._execute_many(_ADD[table], rows)

    async def _execute_many(self, statement: Any, rows: Sequence[Mapping[str, Any]]) -> None:
        for start in range(0, len(rows), _CHUNK):
            await self._connection.execute(statement, rows[start : start + _CHUNK])


class FactStore:
    """Opens transactions."""

    def __init__(self, database: Database) -> None:
        """Of the role `metrics`."""
        self._database = database

    @asynccontextmanager
    async def transaction(self, tenant_id: str) -> AsyncIterator[FactTransaction]:
        """Commits at the end, rolls back on an error."""
        async with self._database.transaction(tenant_id) as connection:
            yield FactTransaction(connection, tenant_id)


def _lock_key(tenant_id: str, conversation_id: str) -> int:
    digest = hashlib.blake2b(f"{tenant_id}\0{conversation_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _fact(row: Mapping[Any, Any]) -> Fact:
    plain = {name: row[name] for name in _PLAIN if name != "day"}
    return Fact(
        **{**plain, "tags": tuple(row["tags"]), "flags": tuple(row["flags"])},
        measures={name: row[name] for name in MEASURES if row[name]},
    )


def _fact_row(tenant_id: str, fact: Fact) -> dict[str, Any]:
    plain = {name: getattr(fact, name) for name in _PLAIN}
    return {
        "tenant_id": tenant_id,
        **plain,
        "tags": list(fact.tags),
        "flags": list(fact.flags),
        "categories": dict(fact.categories),
        **{name: fact.measures.get(name, 0) for name in MEASURES},
    }
