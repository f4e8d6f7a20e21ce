"""Reads conversations: the list from facts, the transcript from the views of ingest and autoqa."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, select, text, tuple_
from sqlalchemy.dialects.postgresql import JSONB

from services.metrics.fact_conditions import Marked, conditions, marked
from services.metrics.filters import Filters
from services.metrics.flags.rows import flag_from_row
from services.metrics.flags.state import StoredFlag
from services.metrics.tables import FACT, FLAG, MARK
from shared.db.database import Database

_MESSAGES = text("""
    select id, role, at, text, language, deleted from ingest.message_v1
    where tenant_id = :tenant_id and conversation_id = :conversation_id
    order by at, id
""")
_SURVEYS = text("""
    select kind, score, comment, answered_at from ingest.survey_v1
    where tenant_id = :tenant_id and conversation_id = :conversation_id
    order by kind
""")
_REVIEW = text("""
    select ratings, sentiment, predicted_csat, resolved_label, resolved_probability from autoqa.review_v1
    where tenant_id = :tenant_id and conversation_id = :conversation_id and is_current
""").columns(ratings=JSONB, sentiment=JSONB)
_PREDICTIONS = text("""
    select message_id, output from autoqa.prediction_v1
    where tenant_id = :tenant_id and conversation_id = :conversation_id and model_revision = :model_revision
""").columns(output=JSONB)
_ITEM = [
    FACT.c[name]
    for name in (
        *("conversation_id", "source", "external_id", "channel", "language", "status", "agent", "team"),
        *("tags", "opened_at", "solved_at", "message_count", "score", "review_state", "flags"),
        *("model_revision", "scorecard_id", "scorecard_version"),
    )
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationParts:
    """All rows of one conversation."""

    fact: RowMapping
    messages: Sequence[RowMapping]
    surveys: Sequence[RowMapping]
    review: RowMapping | None
    #: Message id to what the model said.
    predictions: Mapping[str, dict[str, Any]]
    flags: Sequence[StoredFlag]


class ScoreStore:
    """Of one database."""

    def __init__(self, database: Database) -> None:
        """Of the role `metrics`."""
        self._database = database

    async def page(
        self, tenant_id: str, filters: Filters, *, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[RowMapping]:
        """Facts, newest first, that come after (opened_at, id); at most `limit`."""
        query = select(*_ITEM)
        place = (FACT.c.opened_at, FACT.c.conversation_id)
        leading = _leading(filters)
        if leading is not None:
            # In the order of the marks, so that rare ones need not be looked for among all conversations.
            place = (MARK.c.opened_at, MARK.c.conversation_id)
            query = query.select_from(
                MARK.join(
                    FACT,
                    (FACT.c.tenant_id == MARK.c.tenant_id)
                    & (FACT.c.conversation_id == MARK.c.conversation_id),
                )
            ).where(*marked(tenant_id, filters, leading))
        query = query.where(*conditions(tenant_id, filters, but=leading))
        if after is not None:
            query = query.where(tuple_(*place) < after)
        query = query.order_by(*(column.desc() for column in place)).limit(limit)
        async with self._database.transaction(tenant_id) as connection:
            return (await connection.execute(query)).mappings().all()

    async def conversation(self, tenant_id: str, conversation_id: str) -> ConversationParts | None:
        """One conversation, None where the tenant has no such."""
        named = {"tenant_id": tenant_id, "conversation_id": conversation_id}
        async with self._database.transaction(tenant_id) as connection:
            found = await connection.execute(
                select(*_ITEM).where(FACT.c.tenant_id == tenant_id, FACT.c.conversation_id == conversation_id)
            )
            fact = found.mappings().one_or_none()
            if fact is None:
                return None
            messages = (await connection.execute(_MESSAGES, named)).mappings().all()
            surveys = (await connection.execute(_SURVEYS, named)).mappings().all()
            review = (await connection.execute(_REVIEW, named)).mappings().one_or_none()
            predictions = await connection.execute(
                _PREDICTIONS, {**named, "model_revision": fact["model_revision"]}
            )
            flags = await connection.execute(
                select(FLAG)
                .where(
                    FLAG.c.tenant_id == tenant_id,
                    FLAG.c.conversation_id == conversation_id,
                    FLAG.c.withdrawn_at.is_(None),
                )
                .order_by(FLAG.c.rank.desc(), FLAG.c.kind)
            )
            return ConversationParts(
                fact=fact,
                messages=messages,
                surveys=surveys,
                review=review,
                predictions={row["message_id"]: row["output"] for row in predictions.mappings()},
                flags=[flag_from_row(row) for row in flags.mappings()],
            )


def _leading(filters: Filters) -> Marked | None:
    if filters.tag is not None:
        return "tag"
    return "flag" if filters.flag is not None else None
