"""The filters as conditions on `metrics.fact`."""

from collections.abc import Iterator
from typing import Literal, get_args

from sqlalchemy import ColumnElement, select

from services.metrics.filters import Filters
from services.metrics.tables import FACT, MARK

Marked = Literal["tag", "flag"]
"""The filters that are answered by `metrics.mark`."""


def conditions(
    tenant_id: str, filters: Filters, *, but: Marked | None = None
) -> Iterator[ColumnElement[bool]]:
    """To be joined by AND, `but` aside; the tenant comes first, as in every index."""
    yield FACT.c.tenant_id == tenant_id
    if filters.opened_from is not None:
        yield FACT.c.opened_at >= filters.opened_from
    if filters.opened_before is not None:
        yield FACT.c.opened_at < filters.opened_before
    for name in ("source", "external_id", "agent", "team", "channel", "language", "status"):
        wanted = getattr(filters, name)
        if wanted is not None:
            yield FACT.c[name] == str(wanted)
    for kind in get_args(Marked):
        if getattr(filters, kind) is not None and kind != but:
            yield FACT.c.conversation_id.in_(
                select(MARK.c.conversation_id).where(*marked(tenant_id, filters, kind))
            )
    if filters.min_score is not None:
        yield FACT.c.score >= filters.min_score
    if filters.max_score is not None:
        yield FACT.c.score <= filters.max_score


def marked(tenant_id: str, filters: Filters, kind: Marked) -> tuple[ColumnElement[bool], ...]:
    """What a row of `metrics.mark` must be to pass the filter `kind`."""
    return (MARK.c.tenant_id == tenant_id, MARK.c.kind == kind, MARK.c.name == str(getattr(filters, kind)))
