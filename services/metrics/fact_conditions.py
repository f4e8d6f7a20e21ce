"""The filters as conditions on `metrics.fact`."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, literal, select

from services.metrics.filters import Filters
from services.metrics.tables import FACT, FLAG


def conditions(tenant_id: str, filters: Filters) -> Iterator[ColumnElement[bool]]:
    """To be joined by AND; the tenant comes first, as in every index."""
    yield FACT.c.tenant_id == tenant_id
    if filters.opened_from is not None:
        yield FACT.c.opened_at >= filters.opened_from
    if filters.opened_before is not None:
        yield FACT.c.opened_at < filters.opened_before
    for name in ("source", "external_id", "agent", "team", "channel", "language", "status"):
        wanted = getattr(filters, name)
        if wanted is not None:
            yield FACT.c[name] == str(wanted)
    if filters.tag is not None:
        yield literal(filters.tag) == FACT.c.tags.any_()
    if filters.flag is not None:
        # Through the index of flags: rare kinds are found without reading all conversations.
        yield FACT.c.conversation_id.in_(
            select(FLAG.c.conversation_id).where(
                FLAG.c.tenant_id == tenant_id,
                FLAG.c.kind == filters.flag.value,
                FLAG.c.withdrawn_at.is_(None),
            )
        )
    if filters.min_score is not None:
        yield FACT.c.score >= filters.min_score
    if filters.max_score is not None:
        yield FACT.c.score <= filters.max_score
