"""What each tenant's conversations are rated by, with the heads kept in memory.

The list is read anew for each batch, a small query: so a change holds from the next batch on, in every
process, whichever of them heard of it. Heads never change under their name and are read once.
"""

from collections import OrderedDict
from typing import Final

from services.autoqa.custom.category import NO_CUSTOM, Custom, CustomCategory
from services.autoqa.custom.head import Head
from services.autoqa.custom.store import Applied, CategoryStore
from shared.domain.scorecard import DEFAULT_SCORECARD, Category, Scorecard

__all__ = ["Catalogue"]

_MOST: Final = 5000
"""Heads in memory, nine kilobytes each."""

_Name = tuple[str, str, int]


class Catalogue:
    """Of one process and one model revision."""

    def __init__(self, store: CategoryStore, *, revision: str) -> None:
        self._store = store
        self._revision = revision
        # The tenant leads the name: an id that another tenant guesses finds nothing of ours.
        self._heads: OrderedDict[_Name, Head] = OrderedDict()

    async def of(self, tenant_id: str) -> Custom:
        """The tenant's categories as they are now."""
        applied = await self._store.applied(tenant_id)
        if not applied:
            return NO_CUSTOM
        categories = [
            CustomCategory(
                id=one.id, version=one.version, role=one.role, head=await self._head(tenant_id, one)
            )
            for one in applied
        ]
        return Custom(scorecard=_scorecard(applied), categories=tuple(categories))

    async def _head(self, tenant_id: str, one: Applied) -> Head | None:
        name = (tenant_id, one.id, one.version)
        known = self._heads.get(name)
        if known is None:
            stored = await self._store.head(tenant_id, one.id, one.version, revision=self._revision)
            if stored is None:
                return None
            known = self._heads[name] = stored.head
            if len(self._heads) > _MOST:
                self._heads.popitem(last=False)
        else:
            self._heads.move_to_end(name)
        return known


def _scorecard(applied: list[Applied]) -> Scorecard:
    """The default one with the tenant's entries; without any it is the default one itself, version 1."""
    entries = [one.entry for one in applied if one.entry is not None]
    if not entries:
        return DEFAULT_SCORECARD
    added = [
        Category(id=entry["id"], name=entry["id"], weight=entry["weight"], critical=entry["critical"])
        for entry in entries
    ]
    return Scorecard(
        id=DEFAULT_SCORECARD.id,
        version=applied[0].scorecard_version,
        categories=(*DEFAULT_SCORECARD.categories, *added),
    )
