"""The statements by which reviews, predictions and versions are written, inside an open transaction."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import any_, bindparam, select, update
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.autoqa.rate import Rated
from services.autoqa.review_rows import ReviewWrite, prediction_row
from services.autoqa.statements import execute_many, ids_array
from services.autoqa.stored import Judged
from services.autoqa.tables import PREDICTION, REVIEW, SCORED

__all__ = ["claim", "latest_reviews", "versions_of", "withdraw", "write_predictions", "write_reviews"]


async def claim(
    connection: AsyncConnection, tenant_id: str, versions: Mapping[str, int], judged: Judged, now: datetime
) -> None:
    """Lock the rows of these conversations and raise them to these versions, newer ones left alone."""
    rows = [
        {
            "tenant_id": tenant_id,
            "conversation_id": conversation_id,
            "version": version,
            "scorecard_id": judged.scorecard.id,
            "scorecard_version": judged.scorecard.version,
            "model_revision": judged.model_revision,
            "published": False,
            "scored_at": now,
        }
        for conversation_id, version in sorted(versions.items())
    ]
    insert = upsert(SCORED)
    query = insert.on_conflict_do_update(
        index_elements=["tenant_id", "conversation_id"],
        set_={
            name: insert.excluded[name] for name in rows[0] if name not in ("tenant_id", "conversation_id")
        },
        where=SCORED.c.version <= insert.excluded.version,
    )
    await execute_many(connection, query, rows)


async def versions_of(connection: AsyncConnection, conversation_ids: Iterable[str]) -> dict[str, int]:
    """The newest version that was looked at, by conversation."""
    query = select(SCORED.c.conversation_id, SCORED.c.version).where(
        SCORED.c.conversation_id == any_(ids_array(conversation_ids))
    )
    return {row.conversation_id: row.version for row in await connection.execute(query)}


async def latest_reviews(
    connection: AsyncConnection, conversation_ids: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    """The columns of the newest round, by conversation."""
    query = (
        select(REVIEW)
        .ext(distinct_on(REVIEW.c.conversation_id))
        .where(REVIEW.c.conversation_id == any_(ids_array(conversation_ids)))
        .order_by(REVIEW.c.conversation_id, REVIEW.c.round.desc())
    )
    rows = (await connection.execute(query)).mappings()
    return {row["conversation_id"]: dict(row) for row in rows}


async def write_reviews(connection: AsyncConnection, writes: Sequence[ReviewWrite]) -> None:
    """Store reviews and end the rounds before them."""
    if not writes:
        return
    earlier = (
        update(REVIEW)
        .where(
            REVIEW.c.tenant_id == bindparam("of_tenant"),
            REVIEW.c.conversation_id == bindparam("of"),
            REVIEW.c.round < bindparam("before"),
            REVIEW.c.is_current,
        )
        .values(is_current=False, due_at=None)
    )
    rows = [write.row for write in writes]
    superseded = [
        {"of_tenant": row["tenant_id"], "of": row["conversation_id"], "before": row["round"]}
        for row in rows
        if row["round"] > 1
    ]
    await execute_many(connection, earlier, superseded)
    insert = upsert(REVIEW)
    query = insert.on_conflict_do_update(
        index_elements=["tenant_id", "id"],
        set_={name: insert.excluded[name] for name in rows[0] if name not in ("tenant_id", "id")},
    )
    await execute_many(connection, query, rows)


async def withdraw(connection: AsyncConnection, conversation_ids: Sequence[str]) -> None:
    """Leave the conversations without a current review."""
    if not conversation_ids:
        return
    await connection.execute(
        update(REVIEW)
        .where(REVIEW.c.conversation_id == any_(ids_array(conversation_ids)), REVIEW.c.is_current)
        .values(is_current=False, due_at=None)
    )


async def write_predictions(
    connection: AsyncConnection, tenant_id: str, rated: Sequence[Rated], judged: Judged
) -> None:
    """Store what the model said of messages that it had not read before."""
    rows = [
        prediction_row(tenant_id, item.conversation.id, message_id, item.readings[message_id], judged)
        for item in rated
        for message_id in sorted(item.fresh)
    ]
    insert = upsert(PREDICTION)
    query = insert.on_conflict_do_update(
        index_elements=["tenant_id", "conversation_id", "message_id", "model_revision"],
        set_={"input_hash": insert.excluded.input_hash, "output": insert.excluded.output},
    )
    await execute_many(connection, query, rows)
