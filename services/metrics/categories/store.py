"""Custom categories in Postgres, with what is to be told of them in the same transactions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from pydantic import BaseModel
from sqlalchemy import delete, func, insert, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.categories.category import Category, Example, ScorecardEntry, entries
from services.metrics.categories.rows import (
    category_from_row,
    category_row,
    entry_from_json,
    example_from_row,
    example_rows,
)
from services.metrics.tables import (
    CATEGORY,
    CATEGORY_EXAMPLE,
    CATEGORY_OUTBOX,
    CATEGORY_REPLAY,
    SCORECARD,
)
from shared.db.database import Database

__all__ = ["CategoryStore", "CategoryTransaction", "Replay", "Untold"]

FIRST_VERSION: Final = 2
"""Of a scorecard with custom categories: the default scorecard alone is version 1."""
_REPLAYS = text("""
    select r.id, r.opened_from, r.opened_before, r.created_at, coalesce(p.state, 'waiting') as state,
           coalesce(p.done, 0) as done, p.total
    from metrics.category_replay r
    left join autoqa.replay_v1 p on p.tenant_id = r.tenant_id and p.id = r.id
    where r.tenant_id = :tenant_id and r.category_id = :category_id
    order by r.created_at desc, r.id desc limit 10
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Past conversations that somebody wants rated again."""

    id: str
    category_id: str
    category_version: int
    opened_from: datetime
    opened_before: datetime
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Untold:
    """A record that waits to be sent."""

    id: str
    topic: str
    type: str
    payload: dict[str, Any]


class CategoryTransaction:
    """What one tenant's transaction can do."""

    def __init__(self, connection: AsyncConnection, tenant_id: str) -> None:
        """Made by `CategoryStore.transaction`."""
        self._connection = connection
        self._tenant_id = tenant_id

    async def lock(self) -> None:
        """Let nobody else change the tenant's categories until the end: scorecards are counted."""
        await self._connection.execute(
            text("select pg_advisory_xact_lock(hashtextextended('metrics.category:' || :tenant_id, 0))"),
            {"tenant_id": self._tenant_id},
        )

    async def count(self) -> int:
        """Categories of the tenant."""
        query = select(func.count()).where(CATEGORY.c.tenant_id == self._tenant_id)
        return int((await self._connection.execute(query)).scalar_one())

    async def category(self, category_id: str) -> Category | None:
        """One category, None where the tenant has no such."""
        query = select(CATEGORY).where(CATEGORY.c.tenant_id == self._tenant_id, CATEGORY.c.id == category_id)
        row = (await self._connection.execute(query)).mappings().one_or_none()
        return None if row is None else category_from_row(row)

    async def page(self, *, after: tuple[Any, ...] | None, limit: int) -> list[Category]:
        """Newest first."""
        order = (CATEGORY.c.created_at, CATEGORY.c.id)
        query = select(CATEGORY).where(CATEGORY.c.tenant_id == self._tenant_id)
        if after is not None:
            query = query.where(tuple_(*order) < after)
        query = query.order_by(*(column.desc() for column in order)).limit(limit)
        return [category_from_row(row) for row in (await self._connection.execute(query)).mappings()]

    async def add(self, category: Category, examples: Sequence[Example]) -> None:
        """A new category."""
        await self._connection.execute(insert(CATEGORY), [category_row(self._tenant_id, category)])
        await self.add_examples(category, examples)

    async def add_examples(self, category: Category, examples: Sequence[Example]) -> None:
        """The examples of the category's version."""
        rows = example_rows(self._tenant_id, category.id, category.version, examples)
        await self._connection.execute(insert(CATEGORY_EXAMPLE), rows)

    async def examples(self, category: Category) -> list[Example]:
        """Of the category's version, in order."""
        query = (
            select(CATEGORY_EXAMPLE)
            .where(
                CATEGORY_EXAMPLE.c.tenant_id == self._tenant_id,
                CATEGORY_EXAMPLE.c.category_id == category.id,
                CATEGORY_EXAMPLE.c.version == category.version,
            )
            .order_by(CATEGORY_EXAMPLE.c.place)
        )
        return [example_from_row(row) for row in (await self._connection.execute(query)).mappings()]

    async def update(self, category: Category) -> None:
        """Keep what changed; examples that no version needs any more go."""
        row = category_row(self._tenant_id, category)
        await self._connection.execute(
            update(CATEGORY)
            .where(CATEGORY.c.tenant_id == self._tenant_id, CATEGORY.c.id == category.id)
            .values({name: value for name, value in row.items() if name not in ("tenant_id", "id")})
        )
        await self._connection.execute(
            delete(CATEGORY_EXAMPLE).where(
                CATEGORY_EXAMPLE.c.tenant_id == self._tenant_id,
                CATEGORY_EXAMPLE.c.category_id == category.id,
                CATEGORY_EXAMPLE.c.version.not_in({category.version, category.active_version or 0}),
            )
        )

    async def delete(self, category_id: str) -> None:
        """With its examples and replays."""
        await self._connection.execute(
            delete(CATEGORY).where(CATEGORY.c.tenant_id == self._tenant_id, CATEGORY.c.id == category_id)
        )

    async def renew_scorecard(self, now: datetime) -> None:
        """A new version where the categories in it changed. Needs the lock."""
        query = select(CATEGORY).where(CATEGORY.c.tenant_id == self._tenant_id, CATEGORY.c.in_scorecard)
        rows = (await self._connection.execute(query)).mappings()
        wanted = entries(category_from_row(row) for row in rows)
        latest = (
            select(SCORECARD.c.version, SCORECARD.c.categories)
            .where(SCORECARD.c.tenant_id == self._tenant_id)
            .order_by(SCORECARD.c.version.desc())
            .limit(1)
        )
        row = (await self._connection.execute(latest)).one_or_none()
        before: tuple[ScorecardEntry, ...] = ()
        if row is not None:
            before = tuple(entry_from_json(shown) for shown in row.categories)
        if wanted == before:
            return
        await self._connection.execute(
            insert(SCORECARD).values(
                tenant_id=self._tenant_id,
                version=FIRST_VERSION if row is None else row.version + 1,
                categories=[asdict(entry) for entry in wanted],
                created_at=now,
            )
        )

    async def add_replay(self, replay: Replay) -> None:
        """Keep that it was asked for."""
        await self._connection.execute(
            insert(CATEGORY_REPLAY).values(tenant_id=self._tenant_id, **asdict(replay))
        )

    async def replays(self, category_id: str) -> list[dict[str, Any]]:
        """The newest ten with their progress, newest first."""
        named = {"tenant_id": self._tenant_id, "category_id": category_id}
        return [dict(row) for row in (await self._connection.execute(_REPLAYS, named)).mappings()]

    async def tell(self, topic: str, kind: str, payload: BaseModel, *, now: datetime) -> None:
        """Have the relay send it once this transaction is committed."""
        await self._connection.execute(
            insert(CATEGORY_OUTBOX).values(
                tenant_id=self._tenant_id,
                id=uuid4().hex,
                topic=topic,
                type=kind,
                payload=payload.model_dump(mode="json"),
                created_at=now,
            )
        )

    async def untold(self, *, most: int) -> list[Untold]:
        """The oldest that wait, held until the end of the transaction; another relay's are left out."""
        query = (
            select(CATEGORY_OUTBOX)
            .where(CATEGORY_OUTBOX.c.tenant_id == self._tenant_id)
            .order_by(CATEGORY_OUTBOX.c.created_at, CATEGORY_OUTBOX.c.id)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        rows = (await self._connection.execute(query)).all()
        return [Untold(id=row.id, topic=row.topic, type=row.type, payload=row.payload) for row in rows]

    async def told(self, ids: Sequence[str]) -> None:
        """The broker has them."""
        await self._connection.execute(
            delete(CATEGORY_OUTBOX).where(
                CATEGORY_OUTBOX.c.tenant_id == self._tenant_id, CATEGORY_OUTBOX.c.id.in_(ids)
            )
        )


class CategoryStore:
    """Opens transactions."""

    def __init__(self, database: Database) -> None:
        """Of the role `metrics`."""
        self._database = database

    @asynccontextmanager
    async def transaction(self, tenant_id: str) -> AsyncIterator[CategoryTransaction]:
        """Commits at the end, rolls back on an error."""
        async with self._database.transaction(tenant_id) as connection:
            yield CategoryTransaction(connection, tenant_id)

    async def tenants(self) -> list[str]:
        """All that have categories, or records about them that wait."""
        async with self._database.tenantless() as connection:
            return sorted((await connection.execute(text("select metrics.category_tenants()"))).scalars())
