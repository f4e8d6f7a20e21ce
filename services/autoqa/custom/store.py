"""SQL of custom categories: reads what metrics publishes, keeps heads and how far replays came.

Every method is one transaction that sees one tenant.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import numpy as np
from sqlalchemy import delete, select, text, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert

from services.autoqa.custom.head import Head
from services.autoqa.custom.training import Quality
from services.autoqa.predictions import EarlierTurn, MessageInput
from services.autoqa.tables import CATEGORY_HEAD, CATEGORY_READING, CONVERSATION_V1, REPLAY
from shared.contracts.v1.category_replay import CategoryReplay, Cursor
from shared.db.database import Database
from shared.domain.conversation import Status

__all__ = ["Applied", "CategoryStore", "Labelled", "ReplayState", "StoredHead", "Wanted"]

_ELIGIBLE = [status.value for status in Status if status.is_eligible]

# One statement, so that categories and scorecard are of one moment.
_APPLIED = text("""
    select c.id, c.role, c.active_version as version, s.version as scorecard_version, s.categories
    from metrics.category_v1 c
    left join lateral (
        select version, categories from metrics.scorecard_v1
        where tenant_id = c.tenant_id order by version desc limit 1
    ) s on true
    where c.tenant_id = :tenant_id and c.enabled and c.active_version is not null
    order by c.created_at, c.id
""")
_VERSIONS = text("""
    select id, role, version, active_version, enabled from metrics.category_v1
    where tenant_id = :tenant_id and (cast(:category_id as text) is null or id = :category_id)
    order by created_at, id
""")
_EXAMPLES = text("""
    select text, context, positive from metrics.category_example_v1
    where tenant_id = :tenant_id and category_id = :category_id and version = :version
    order by place
""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """A category that conversations are rated by; `entry` where it is in the scorecard."""

    id: str
    version: int
    role: Literal["customer", "agent"]
    scorecard_version: int
    entry: Mapping[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A category as metrics holds it: its newest examples, and those that are applied now."""

    id: str
    role: Literal["customer", "agent"]
    version: int
    active_version: int | None
    enabled: bool

    @property
    def versions(self) -> list[int]:
        """Those that need a head, the one in use first."""
        return sorted({self.version, self.active_version or self.version})


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """An example as the model reads it."""

    message: MessageInput
    positive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredHead:
    """A head with its quality."""

    head: Head
    quality: Quality
    trained_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayState:
    """How far a replay came: the next step begins after `after`."""

    state: Literal["running", "done", "cancelled"]
    total: int
    done: int
    after: Cursor | None


class CategoryStore:
    """Uses the service's own role."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tenants(self) -> list[str]:
        """All that have custom categories."""
        async with self._database.tenantless() as connection:
            return sorted((await connection.execute(text("select metrics.category_tenants()"))).scalars())

    async def applied(self, tenant_id: str) -> list[Applied]:
        """What the tenant's conversations are rated by now, oldest first."""
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(_APPLIED, {"tenant_id": tenant_id})).all()
        return [
            Applied(
                id=row.id,
                version=row.version,
                role=row.role,
                scorecard_version=row.scorecard_version or 1,
                entry=next((entry for entry in row.categories or () if entry["id"] == row.id), None),
            )
            for row in rows
        ]

    async def wanted(self, tenant_id: str, category_id: str | None = None) -> list[Wanted]:
        """One category or all of the tenant."""
        named = {"tenant_id": tenant_id, "category_id": category_id}
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(_VERSIONS, named)).mappings().all()
        return [Wanted(**row) for row in rows]

    async def examples(self, tenant_id: str, category: Wanted, version: int) -> list[Labelled]:
        """In order; none where that version's are gone."""
        named = {"tenant_id": tenant_id, "category_id": category.id, "version": version}
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(_EXAMPLES, named)).all()
        return [
            Labelled(
                message=MessageInput(
                    role=category.role,
                    channel=None,
                    text=row.text,
                    context=tuple(EarlierTurn(role=turn["role"], text=turn["text"]) for turn in row.context),
                ),
                positive=row.positive,
            )
            for row in rows
        ]

    async def head(
        self, tenant_id: str, category_id: str, version: int, *, revision: str
    ) -> StoredHead | None:
        """None where it was not trained over this model."""
        query = select(CATEGORY_HEAD).where(
            CATEGORY_HEAD.c.tenant_id == tenant_id,
            CATEGORY_HEAD.c.category_id == category_id,
            CATEGORY_HEAD.c.version == version,
            CATEGORY_HEAD.c.model_revision == revision,
        )
        async with self._database.transaction(tenant_id) as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        head = Head(
            weights=np.frombuffer(row["weights"], dtype="<f8"),
            bias=row["bias"],
            slope=row["slope"],
            offset=row["offset"],
        )
        quality = Quality(
            precision=row["precision"],
            recall=row["recall"],
            positives=row["positives"],
            negatives=row["negatives"],
        )
        return StoredHead(head=head, quality=quality, trained_at=row["trained_at"])

    async def save_head(
        self, tenant_id: str, category_id: str, version: int, stored: StoredHead, *, revision: str
    ) -> None:
        """Whoever trained it first is kept: equal examples give equal heads."""
        head, quality = stored.head, stored.quality
        query = upsert(CATEGORY_HEAD).values(
            tenant_id=tenant_id,
            category_id=category_id,
            version=version,
            model_revision=revision,
            weights=head.weights.astype("<f8").tobytes(),
            bias=head.bias,
            slope=head.slope,
            offset=head.offset,
            precision=quality.precision,
            recall=quality.recall,
            positives=quality.positives,
            negatives=quality.negatives,
            trained_at=stored.trained_at,
        )
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(query.on_conflict_do_nothing())

    async def forget(self, tenant_id: str, category_id: str, *, before: int | None = None) -> None:
        """Heads and readings of a category that is gone, or of its versions below `before`."""
        async with self._database.transaction(tenant_id) as connection:
            for table, version in (
                (CATEGORY_HEAD, CATEGORY_HEAD.c.version),
                (CATEGORY_READING, CATEGORY_READING.c.category_version),
            ):
                query = delete(table).where(
                    table.c.tenant_id == tenant_id, table.c.category_id == category_id
                )
                await connection.execute(query if before is None else query.where(version < before))

    async def begin_replay(self, step: CategoryReplay, *, now: datetime) -> ReplayState:
        """Its state; a new one is counted and starts at the beginning."""
        found = await self._replay(step)
        if found is not None:
            return found
        count = select(text("count(*)")).select_from(CONVERSATION_V1).where(*_opened(step))
        async with self._database.transaction(step.tenant_id) as connection:
            total = (await connection.execute(count)).scalar_one()
            row = upsert(REPLAY).values(
                tenant_id=step.tenant_id,
                id=step.replay_id,
                category_id=step.category_id,
                state="running",
                total=total,
                done=0,
                updated_at=now,
            )
            await connection.execute(row.on_conflict_do_nothing())
        return await self._replay(step) or ReplayState(state="running", total=total, done=0, after=None)

    async def _replay(self, step: CategoryReplay) -> ReplayState | None:
        query = select(REPLAY).where(REPLAY.c.tenant_id == step.tenant_id, REPLAY.c.id == step.replay_id)
        async with self._database.transaction(step.tenant_id) as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        after = None
        if row.after_conversation_id is not None:
            after = Cursor(opened_at=row.after_opened_at, conversation_id=row.after_conversation_id)
        return ReplayState(state=row.state, total=row.total, done=row.done, after=after)

    async def next_conversations(self, step: CategoryReplay, *, most: int) -> list[Cursor]:
        """The conversations of the step, in the order of opening and id."""
        order = (CONVERSATION_V1.c.opened_at, CONVERSATION_V1.c.id)
        query = select(*order).where(*_opened(step)).order_by(*order).limit(most)
        if step.after is not None:
            query = query.where(tuple_(*order) > (step.after.opened_at, step.after.conversation_id))
        async with self._database.transaction(step.tenant_id) as connection:
            rows = (await connection.execute(query)).all()
        return [Cursor(opened_at=row.opened_at, conversation_id=row.id) for row in rows]

    async def save_replay(self, step: CategoryReplay, now: datetime, state: ReplayState) -> None:
        """Keep how far it came."""
        after = state.after
        query = (
            update(REPLAY)
            .where(REPLAY.c.tenant_id == step.tenant_id, REPLAY.c.id == step.replay_id)
            .values(
                state=state.state,
                done=state.done,
                after_opened_at=None if after is None else after.opened_at,
                after_conversation_id=None if after is None else after.conversation_id,
                updated_at=now,
            )
        )
        async with self._database.transaction(step.tenant_id) as connection:
            await connection.execute(query)


def _opened(step: CategoryReplay) -> Sequence[Any]:
    return (
        CONVERSATION_V1.c.tenant_id == step.tenant_id,
        CONVERSATION_V1.c.opened_at >= step.opened_from,
        CONVERSATION_V1.c.opened_at < step.opened_before,
        CONVERSATION_V1.c.status.in_(_ELIGIBLE),
        CONVERSATION_V1.c.message_count > 0,
    )
