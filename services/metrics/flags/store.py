"""Reads the queue of flags and keeps what people decide."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.flags.rows import flag_from_row
from services.metrics.flags.state import FlagState, StoredFlag
from services.metrics.tables import FACT, FLAG
from shared.db.database import Database
from shared.domain.flag import FlagKind, Severity

_TEXTS = text("""
    select message.conversation_id, message.id, message.text
    from unnest(cast(:conversation_ids as text[]), cast(:message_ids as text[])) wanted (conversation_id, id)
    join ingest.message_v1 message on message.conversation_id = wanted.conversation_id
        and message.id = wanted.id and message.tenant_id = :tenant_id and not message.deleted
""")
_CONTEXT = ("source", "external_id", "channel", "language", "agent", "team")


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagQuery:
    """Which flags; None asks for all. `after` is the sort key of the last one of the page before."""

    kind: FlagKind | None
    severity: Severity | None
    state: FlagState | None
    since: datetime | None
    severest_first: bool
    after: tuple[Any, ...] | None
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedFlag:
    """A flag, its conversation's surroundings by column, and the texts of its evidence by message."""

    flag: StoredFlag
    context: dict[str, str]
    texts: dict[str, str]


class FlagTransaction:
    """What one tenant's transaction can do."""

    def __init__(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Made by `FlagStore.transaction`."""
        self._connection = connection
        self._tenant_id = tenant_id

    async def page(self, wanted: FlagQuery) -> list[QueuedFlag]:
        """Flags in the queue's order, at most `wanted.limit`."""
        query = self._flags()
        for name, value in (("kind", wanted.kind), ("severity", wanted.severity), ("state", wanted.state)):
            if value is not None:
                query = query.where(FLAG.c[name] == value.value)
        if wanted.since is not None:
            query = query.where(FLAG.c.raised_at >= wanted.since)
        order = [FLAG.c.rank] if wanted.severest_first else []
        order += [FLAG.c.raised_at, FLAG.c.id]
        if wanted.after is not None:
            query = query.where(tuple_(*order) < wanted.after)
        return await self._read(query.order_by(*(column.desc() for column in order)).limit(wanted.limit))

    async def flag(self, flag_id: str, *, for_update: bool = False) -> QueuedFlag | None:
        """One flag, None where the tenant has no such."""
        query = self._flags().where(FLAG.c.id == flag_id)
        found = await self._read(query.with_for_update(of=FLAG) if for_update else query)
        return found[0] if found else None

    async def decide(self, flag: StoredFlag) -> None:
        """Keep the state, and who set it when."""
        await self._connection.execute(
            update(FLAG)
            .where(FLAG.c.tenant_id == self._tenant_id, FLAG.c.id == flag.id)
            .values(state=flag.state.value, changed_at=flag.changed_at, changed_by=flag.changed_by)
        )

    def _flags(self) -> Select[Any]:
        joined = FLAG.outerjoin(
            FACT,
            (FACT.c.tenant_id == FLAG.c.tenant_id) & (FACT.c.conversation_id == FLAG.c.conversation_id),
        )
        columns = [FACT.c[name].label(f"fact_{name}") for name in _CONTEXT]
        return select(FLAG, *columns).select_from(joined).where(FLAG.c.tenant_id == self._tenant_id)

    async def _read(self, query: Select[Any]) -> list[QueuedFlag]:
        rows = (await self._connection.execute(query)).mappings().all()
        flags = [flag_from_row(row) for row in rows]
        texts = await self._texts(flags)
        return [
            QueuedFlag(
                flag=flag,
                context={name: row[f"fact_{name}"] for name in _CONTEXT},
                texts={
                    message_id: texts[flag.conversation_id, message_id]
                    for message_id in {span.message_id for span in flag.evidence}
                    if (flag.conversation_id, message_id) in texts
                },
            )
            for flag, row in zip(flags, rows, strict=True)
        ]

    async def _texts(self, flags: Sequence[StoredFlag]) -> dict[tuple[str, str], str]:
        wanted = {(flag.conversation_id, span.message_id) for flag in flags for span in flag.evidence}
        if not wanted:
            return {}
        found = await self._connection.execute(
            _TEXTS,
            {
                "tenant_id": self._tenant_id,
                "conversation_ids": [conversation_id for conversation_id, _ in wanted],
                "message_ids": [message_id for _, message_id in wanted],
            },
        )
        return {(row.conversation_id, row.id): row.text for row in found}


class FlagStore:
    """Opens transactions."""

    def __init__(self, database: Database) -> None:
        """Of the role `metrics`."""
        self._database = database

    @asynccontextmanager
    async def transaction(self, tenant_id: str) -> AsyncIterator[FlagTransaction]:
        """Commits at the end, rolls back on an error."""
        async with self._database.transaction(tenant_id) as connection:
            yield FlagTransaction(connection, tenant_id)
