"""All SQL of autoqa. Every method is one transaction that sees one tenant."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import any_, bindparam, func, literal, select, text, update
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from services.autoqa.category_readings import (
    KEEP_CATEGORY_READINGS,
    category_reading_rows,
    read_category_readings,
)
from services.autoqa.custom.category import Custom
from services.autoqa.custom.head import CategoryReading
from services.autoqa.rate import Known, Rated
from services.autoqa.readings import Reading, reading_from_json, reading_to_json
from services.autoqa.rounds import LatestReview, round_of
from services.autoqa.scored_record import Publishable, scored_payload
from services.autoqa.tables import CONVERSATION_V1, MESSAGE_V1, PREDICTION, REVIEW, SCORED
from shared.contracts import topics
from shared.db.database import Database
from shared.domain.conversation import Channel, Conversation, Message, Role, Status
from shared.domain.review import Review, ReviewState
from shared.domain.scorecard import Scorecard
from shared.ids import review_id

__all__ = ["Judged", "Loaded", "Saved", "ScoredVersion", "Store", "Withdrawn"]

_FINDINGS: Final = (
    *("scorecard_id", "scorecard_version", "model_revision", "score", "ratings", "flags", "sentiment"),
    *("predicted_csat", "resolved_label", "resolved_probability"),
)
"""Columns of a review that tell what was found, not when or in which version."""
_ROWS: Final = 200
"""Rows of one executemany."""
LONGEST_TEXT: Final = 100_000
"""Code points of a message that are read here; a batch of megabyte mails must fit into memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """By which scorecard and model something was, or is to be, scored."""

    scorecard: Scorecard
    model_revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredVersion:
    """The newest version of a conversation that was looked at, by what, and whether it was told."""

    version: int
    scorecard_id: str
    scorecard_version: int
    model_revision: str
    published: bool

    def settles(self, version: int, judged: Judged) -> bool:
        """Nothing is left to be done for `version`."""
        return (
            self.published
            and self.version >= version
            and self.scorecard_id == judged.scorecard.id
            and self.scorecard_version == judged.scorecard.version
            and self.model_revision == judged.model_revision
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A conversation as ingest holds it; `key` is that of its records."""

    conversation: Conversation
    key: bytes
    reopen_count: int
    message_count: int
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """A conversation that is not, or no longer, worth rating: its review and flags go."""

    conversation_id: str
    version: int
    key: bytes


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
        ).where(SCORED.c.conversation_id == any_(_ids(conversation_ids)))
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
        query = select(CONVERSATION_V1).where(CONVERSATION_V1.c.id == any_(_ids(conversation_ids)))
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(query)).mappings().all()
        return {row["id"]: _loaded(row) for row in rows}

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
            .where(MESSAGE_V1.c.conversation_id == any_(_ids(conversation_ids)))
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
                found[row["conversation_id"]].append(_message(row))
        return found

    async def readings(self, tenant_id: str, conversation_ids: Sequence[str], *, revision: str) -> Known:
        """What this model revision said of the conversations' messages before."""
        query = select(
            PREDICTION.c.conversation_id,
            PREDICTION.c.message_id,
            PREDICTION.c.input_hash,
            PREDICTION.c.output,
        ).where(
            PREDICTION.c.conversation_id == any_(_ids(conversation_ids)),
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
                connection, tenant_id, _ids(conversation_ids), versions, revision=revision
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
            await _claim(connection, tenant_id, claimed, judged, now)
            stored = await _versions(connection, claimed)
            newest = [
                pair for pair in rated if stored[pair[0].conversation.id] == pair[0].conversation.version
            ]
            gone = [item for item in withdrawn if stored[item.conversation_id] == item.version]
            latest = await _latest(connection, list(claimed))
            writing = [_write(tenant_id, pair, latest, now, is_replay=is_replay) for pair in newest]
            await _write_reviews(connection, [write for write in writing if write.changes])
            await _withdraw(connection, [item.conversation_id for item in gone])
            found = [pair[1] for pair in newest]
            await _write_predictions(connection, tenant_id, found, judged)
            await _many(
                connection,
                KEEP_CATEGORY_READINGS,
                category_reading_rows(tenant_id, found, versions, revision=judged.model_revision),
            )
        return Saved(
            publishable=(
                *(write.publishable for write in writing),
                *(_nothing_found(tenant_id, item, latest, judged, now) for item in gone),
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
            await _many(connection, query, rows)

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """What is to be told, and the kinds of the flags that were not there before."""

    publishable: tuple[Publishable, ...]
    new_flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Write:
    row: Mapping[str, Any]
    publishable: Publishable
    changes: bool
    new_flags: tuple[str, ...]


async def _claim(
    connection: AsyncConnection, tenant_id: str, versions: Mapping[str, int], judged: Judged, now: datetime
) -> None:
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
    await _many(connection, query, rows)


async def _versions(connection: AsyncConnection, conversation_ids: Iterable[str]) -> dict[str, int]:
    query = select(SCORED.c.conversation_id, SCORED.c.version).where(
        SCORED.c.conversation_id == any_(_ids(conversation_ids))
    )
    return {row.conversation_id: row.version for row in await connection.execute(query)}


async def _latest(
    connection: AsyncConnection, conversation_ids: Sequence[str]
) -> dict[str, Mapping[str, Any]]:
    query = (
        select(REVIEW)
        .ext(distinct_on(REVIEW.c.conversation_id))
        .where(REVIEW.c.conversation_id == any_(_ids(conversation_ids)))
        .order_by(REVIEW.c.conversation_id, REVIEW.c.round.desc())
    )
    rows = (await connection.execute(query)).mappings()
    return {row["conversation_id"]: dict(row) for row in rows}


def _write(
    tenant_id: str,
    pair: tuple[Loaded, Rated],
    latest: Mapping[str, Mapping[str, Any]],
    now: datetime,
    *,
    is_replay: bool,
) -> _Write:
    loaded, rated = pair
    review, conversation = rated.decided.review, loaded.conversation
    before = latest.get(conversation.id)
    review_round = round_of(_latest_review(before), state=review.state, reopen_count=loaded.reopen_count)
    publishable = Publishable(
        key=loaded.key,
        tenant_id=tenant_id,
        conversation_id=conversation.id,
        version=conversation.version,
        round=review_round,
        review=review,
        scored_at=now,
    )
    row = _row(publishable, reopen_count=loaded.reopen_count, due_at=rated.decided.due_at)
    if is_replay and before is not None and _adds_to(before, row):
        publishable = replace(publishable, round=review_round + 1)
        row = _row(publishable, reopen_count=loaded.reopen_count, due_at=rated.decided.due_at)
    changes = before is None or any(before[name] != row[name] for name in row if name != "scored_at")
    known = (
        {flag["kind"] for flag in before["flags"]} if before is not None and before["is_current"] else set()
    )
    if before is not None and not changes:
        # Found before and not a word different: it keeps the moment at which it was found.
        publishable = replace(publishable, scored_at=before["scored_at"])
    return _Write(
        row=row,
        publishable=publishable,
        changes=changes,
        new_flags=tuple(str(flag.kind) for flag in review.flags if flag.kind not in known),
    )


def _adds_to(before: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return before["round"] == row["round"] and any(before[name] != row[name] for name in _FINDINGS)


def _latest_review(row: Mapping[str, Any] | None) -> LatestReview | None:
    if row is None:
        return None
    return LatestReview(
        round=row["round"],
        state=ReviewState(row["state"]),
        reopen_count=row["reopen_count"],
    )


def _row(found: Publishable, *, reopen_count: int, due_at: datetime | None) -> dict[str, Any]:
    shown = scored_payload(found).model_dump(mode="json")
    resolved = shown["resolved"] or {}
    return {
        "tenant_id": found.tenant_id,
        "id": review_id(found.conversation_id, found.round),
        "conversation_id": found.conversation_id,
        "round": found.round,
        "is_current": True,
        "conversation_version": found.version,
        "reopen_count": reopen_count,
        "scorecard_id": found.review.scorecard_id,
        "scorecard_version": found.review.scorecard_version,
        "model_revision": found.review.model_revision,
        "state": shown["state"],
        "score": shown["score"],
        "ratings": shown["ratings"],
        "flags": shown["flags"],
        "sentiment": shown["sentiment"],
        "predicted_csat": shown["predicted_csat"],
        "resolved_label": resolved.get("label"),
        "resolved_probability": resolved.get("probability"),
        "scored_at": found.scored_at,
        "due_at": due_at,
    }


async def _write_reviews(connection: AsyncConnection, writes: Sequence[_Write]) -> None:
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
    await _many(connection, earlier, superseded)
    insert = upsert(REVIEW)
    query = insert.on_conflict_do_update(
        index_elements=["tenant_id", "id"],
        set_={name: insert.excluded[name] for name in rows[0] if name not in ("tenant_id", "id")},
    )
    await _many(connection, query, rows)


async def _withdraw(connection: AsyncConnection, conversation_ids: Sequence[str]) -> None:
    if not conversation_ids:
        return
    await connection.execute(
        update(REVIEW)
        .where(REVIEW.c.conversation_id == any_(_ids(conversation_ids)), REVIEW.c.is_current)
        .values(is_current=False, due_at=None)
    )


async def _write_predictions(
    connection: AsyncConnection, tenant_id: str, rated: Sequence[Rated], judged: Judged
) -> None:
    rows = [
        _prediction(tenant_id, item.conversation.id, message_id, item.readings[message_id], judged)
        for item in rated
        for message_id in sorted(item.fresh)
    ]
    insert = upsert(PREDICTION)
    query = insert.on_conflict_do_update(
        index_elements=["tenant_id", "conversation_id", "message_id", "model_revision"],
        set_={"input_hash": insert.excluded.input_hash, "output": insert.excluded.output},
    )
    await _many(connection, query, rows)


def _prediction(
    tenant_id: str, conversation_id: str, message_id: str, reading: Reading, judged: Judged
) -> dict[str, Any]:
    return {
        "tenant_id": tenant_id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "model_revision": judged.model_revision,
        "input_hash": reading.input_hash,
        "output": reading_to_json(reading),
    }


def _nothing_found(
    tenant_id: str,
    gone: Withdrawn,
    latest: Mapping[str, Mapping[str, Any]],
    judged: Judged,
    now: datetime,
) -> Publishable:
    """No ratings, no flags, no score: whoever kept any of this conversation drops it."""
    row = latest.get(gone.conversation_id)
    return Publishable(
        key=gone.key,
        tenant_id=tenant_id,
        conversation_id=gone.conversation_id,
        version=gone.version,
        round=0 if row is None else row["round"],
        review=Review(
            scorecard_id=judged.scorecard.id,
            scorecard_version=judged.scorecard.version,
            model_revision=judged.model_revision,
            state=ReviewState.FINAL,
            ratings=(),
            flags=(),
            sentiment=None,
            predicted_csat=None,
            resolved=None,
            score=None,
        ),
        scored_at=now,
    )


async def _many(connection: AsyncConnection, query: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS):
        await connection.execute(query, [dict(row) for row in rows[start : start + _ROWS]])


def _ids(conversation_ids: Iterable[str]) -> Any:
    return literal(list(conversation_ids), ARRAY(Text))


def _loaded(row: Mapping[Any, Any]) -> Loaded:
    conversation = Conversation(
        id=row["id"],
        source=row["source"],
        external_id=row["external_id"],
        messages=(),
        version=row["version"],
        channel=None if row["channel"] is None else Channel(row["channel"]),
        language=row["language"],
        status=Status(row["status"]),
        agent=row["agent"],
        team=row["team"],
        tags=tuple(row["tags"] or ()),
        opened_at=row["opened_at"],
        solved_at=row["solved_at"],
    )
    return Loaded(
        conversation=conversation,
        key=topics.conversation_key(row["tenant_id"], row["source"], row["account_id"], row["external_id"]),
        reopen_count=row["reopen_count"],
        message_count=row["message_count"],
        received_at=row["received_at"],
    )


def _message(row: Mapping[Any, Any]) -> Message:
    return Message(
        id=row["id"],
        role=Role(row["role"]),
        at=row["at"],
        text=row["text"],
        language=row["language"],
        deleted=row["deleted"],
    )
