"""Reads and writes of autoqa. Every method is one transaction that sees one tenant."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import any_, bindparam, func, select, text, update

from services.autoqa.category_readings import (
    KEEP_CATEGORY_READINGS,
    category_reading_rows,
    read_category_readings,
)
from services.autoqa.conversation_rows import loaded_conversation, message_of_row
from services.autoqa.custom.category import Custom
from services.autoqa.custom.head import CategoryReading
from services.autoqa.rate import Known, Rated
from services.autoqa.readings import reading_from_json
from services.autoqa.review_rows import nothing_found, review_write
from services.autoqa.review_writing import (
    claim,
    latest_reviews,
    versions_of,
    withdraw,
    write_predictions,
    write_reviews,
)
from services.autoqa.statements import execute_many, ids_array
from services.autoqa.stored import Judged, Loaded, Saved, ScoredVersion, Withdrawn
from services.autoqa.tables import CONVERSATION_V1, MESSAGE_V1, PREDICTION, REVIEW, SCORED
from shared.db.database import Database
from shared.domain.conversation import Message

__all__ = ["Store"]

LONGEST_TEXT: Final = 100_000
"""Code points of a message that are read here; a batch of megabyte mails must fit into memory."""


class Store:
    """Predictions, reviews and what was looked at; reads conversations from the views of ingest."""

    def __init__(self, database: Database) -> None:
        """Uses the service's own role."""
        self._database = database

    async def tenants(self) -> list[str]:
        """All tenants that have conversations."""
        async with self._database.tenantless() as connection:
            return list((await connection.execute(text("select ingest.tenants()"))).scalars())

    async def scored(self, tenant_id: str, conversation_ids: Sequence[str]) -> dict[str, ScoredVersion]:
        """What was looked at before, by conversation."""
        query = select(
            SCORED.c.conversation_id,
            SCORED.c.version,
            SCORED.c.scorecard_id,
            SCORED.c.scorecard_version,
            SCORED.c.model_revision,
            SCORED.c.published,
        ).where(SCORED.c.conversation_id == any_(ids_array(conversation_ids)))
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {
            row["conversation_id"]: ScoredVersion(
                **{name: value for name, value in row.items() if name != "conversation_id"}
            )
            for row in rows
        }

    async def headers(self, tenant_id: str, conversation_ids: Sequence[str]) -> dict[str, Loaded]:
        """Conversations without their messages, by id; those that ingest does not know are left out."""
        query = select(CONVERSATION_V1).where(CONVERSATION_V1.c.id == any_(ids_array(conversation_ids)))
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {row["id"]: loaded_conversation(row) for row in rows}

    async def messages(
        self, tenant_id: str, conversation_ids: Sequence[str], *, most: int
    ) -> dict[str, list[Message]]:
        """The newest `most` messages of each conversation, in order."""
        newest = (
            select(
                MESSAGE_V1,
                func.row_number()
                .over(
                    partition_by=MESSAGE_V1.c.conversation_id,
                    order_by=(MESSAGE_V1.c.at.desc(), MESSAGE_V1.c.id.desc()),
                )
                .label("place"),
            )
            .where(MESSAGE_V1.c.conversation_id == any_(ids_array(conversation_ids)))
            .subquery()
        )
        others = [column for column in newest.c if column.name != "text"]
        query = (
            select(*others, func.left(newest.c.text, LONGEST_TEXT).label("text"))
            .where(newest.c.place <= most)
            .order_by(newest.c.at, newest.c.id)
        )
        found: dict[str, list[Message]] = defaultdict(list)
        async with self._database.transaction(tenant_id) as connection:
            for row in (await connection.execute(query)).mappings():
                found[row["conversation_id"]].append(message_of_row(row))
        return found

    async def readings(self, tenant_id: str, conversation_ids: Sequence[str], *, revision: str) -> Known:
        """What this model revision said of the conversations' messages before."""
        query = select(
            PREDICTION.c.conversation_id,
            PREDICTION.c.message_id,
            PREDICTION.c.input_hash,
            PREDICTION.c.output,
        ).where(
            PREDICTION.c.conversation_id == any_(ids_array(conversation_ids)),
            PREDICTION.c.model_revision == revision,
        )
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(query)).all()
        return {
            (row.conversation_id, row.message_id): reading_from_json(row.input_hash, row.output)
            for row in rows
        }

    async def category_readings(
        self, tenant_id: str, conversation_ids: Sequence[str], custom: Custom, *, revision: str
    ) -> dict[tuple[str, str], dict[str, CategoryReading]]:
        """What the heads said of the conversations' messages before, in the versions that are applied."""
        versions = [(category.id, category.version) for category in custom.categories]
        if not versions:
            return {}
        async with self._database.transaction(tenant_id) as connection:
            return await read_category_readings(
                connection, tenant_id, ids_array(conversation_ids), versions, revision=revision
            )

    async def save(
        self,
        tenant_id: str,
        rated: Sequence[tuple[Loaded, Rated]],
        withdrawn: Sequence[Withdrawn],
        *,
        judged: Judged,
        versions: Mapping[str, int],
        now: datetime,
        is_replay: bool = False,
    ) -> "Saved":
        """Write reviews, readings and versions. Safe to repeat; what is older than stored is left alone.

        `versions` are those of the custom categories that were applied. In a replay, a review that found
        anything new begins the next round, though the conversation is the same.

        The rows of `scored` are locked first and in order, so writers of one conversation follow each other.
        """
        claimed = {pair[0].conversation.id: pair[0].conversation.version for pair in rated}
        claimed |= {gone.conversation_id: gone.version for gone in withdrawn}
        if not claimed:
            return Saved(publishable=(), new_flags=())
        async with self._database.transaction(tenant_id) as connection:
            await claim(connection, tenant_id, claimed, judged, now)
            stored = await versions_of(connection, claimed)
            newest = [
                pair for pair in rated if stored[pair[0].conversation.id] == pair[0].conversation.version
            ]
            gone = [item for item in withdrawn if stored[item.conversation_id] == item.version]
            latest = await latest_reviews(connection, list(claimed))
            writing = [review_write(tenant_id, pair, latest, now, is_replay=is_replay) for pair in newest]
            await write_reviews(connection, [write for write in writing if write.changes])
            await withdraw(connection, [item.conversation_id for item in gone])
            found = [pair[1] for pair in newest]
            await write_predictions(connection, tenant_id, found, judged)
            await execute_many(
                connection,
                KEEP_CATEGORY_READINGS,
                category_reading_rows(tenant_id, found, versions, revision=judged.model_revision),
            )
        return Saved(
            publishable=(
                *(write.publishable for write in writing),
                *(nothing_found(tenant_id, item, latest, judged, now) for item in gone),
            ),
            new_flags=tuple(kind for write in writing for kind in write.new_flags),
        )

    async def mark_published(self, tenant_id: str, versions: Mapping[str, int]) -> None:
        """The broker acknowledged these versions of conversations."""
        if not versions:
            return
        query = (
            update(SCORED)
            .where(
                SCORED.c.tenant_id == tenant_id,
                SCORED.c.conversation_id == bindparam("of"),
                SCORED.c.version == bindparam("upto"),
            )
            .values(published=True)
        )
        rows = [{"of": of, "upto": version} for of, version in sorted(versions.items())]
        async with self._database.transaction(tenant_id) as connection:
            await execute_many(connection, query, rows)

    async def due(
        self, tenant_id: str, *, now: datetime, unpublished_before: datetime, most: int
    ) -> list[str]:
        """Conversations whose review time alone has changed, or which nobody was told of."""
        waiting = (
            select(REVIEW.c.conversation_id)
            .where(REVIEW.c.tenant_id == tenant_id, REVIEW.c.is_current, REVIEW.c.due_at <= now)
            .order_by(REVIEW.c.due_at)
            .limit(most)
        )
        untold = (
            select(SCORED.c.conversation_id)
            .where(
                SCORED.c.tenant_id == tenant_id, ~SCORED.c.published, SCORED.c.scored_at < unpublished_before
            )
            .limit(most)
        )
        async with self._database.transaction(tenant_id) as connection:
            found = [*(await connection.execute(waiting)).scalars()]
            found += (await connection.execute(untold)).scalars()
        return list(dict.fromkeys(found))
