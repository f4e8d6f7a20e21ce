"""SQL of what the heads of custom categories said of messages: read and kept with the reviews."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import any_, select, tuple_
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.autoqa.custom.head import CategoryReading
from services.autoqa.predictions import Span
from services.autoqa.rate import Rated
from services.autoqa.tables import CATEGORY_READING

__all__ = ["KEEP_CATEGORY_READINGS", "category_reading_rows", "read_category_readings"]

_INSERT = upsert(CATEGORY_READING)
KEEP_CATEGORY_READINGS: Final = _INSERT.on_conflict_do_update(
    index_elements=list(CATEGORY_READING.primary_key),
    set_={
        column.name: _INSERT.excluded[column.name] for column in CATEGORY_READING.c if not column.primary_key
    },
)


async def read_category_readings(
    connection: AsyncConnection,
    tenant_id: str,
    conversation_ids: Any,
    versions: Sequence[tuple[str, int]],
    *,
    revision: str,
) -> dict[tuple[str, str], dict[str, CategoryReading]]:
    """By (conversation id, message id) and category, in these versions; `conversation_ids`: an SQL array."""
    table = CATEGORY_READING.c
    query = select(CATEGORY_READING).where(
        table.tenant_id == tenant_id,
        table.conversation_id == any_(conversation_ids),
        table.model_revision == revision,
        tuple_(table.category_id, table.category_version).in_(versions),
    )
    found: dict[tuple[str, str], dict[str, CategoryReading]] = {}
    for row in await connection.execute(query):
        found.setdefault((row.conversation_id, row.message_id), {})[row.category_id] = CategoryReading(
            input_hash=row.input_hash,
            probability=row.probability,
            evidence=Span(start=row.evidence_start, end=row.evidence_end),
        )
    return found


def category_reading_rows(
    tenant_id: str, rated: Iterable[Rated], versions: Mapping[str, int], *, revision: str
) -> list[dict[str, Any]]:
    """The new ones, in order: two writers must not wait for each other."""
    return [
        {
            "tenant_id": tenant_id,
            "conversation_id": item.conversation.id,
            "message_id": message_id,
            "category_id": category_id,
            "category_version": versions[category_id],
            "model_revision": revision,
            "input_hash": reading.input_hash,
            "probability": reading.probability,
            "evidence_start": reading.evidence.start,
            "evidence_end": reading.evidence.end,
        }
        for item in rated
        for message_id, category_id in sorted(item.fresh_categories)
        for reading in (item.category_readings[message_id][category_id],)
    ]
