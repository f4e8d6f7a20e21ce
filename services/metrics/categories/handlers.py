"""Makes, changes and deletes custom categories, and has past conversations rated by them.

check -> store + what is to be told, one transaction -> wake the relay -> wait a while for the training
"""

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

from services.metrics.categories.category import (
    Category,
    CategoryState,
    ContextTurn,
    Example,
    check_examples,
    sentence,
    with_examples,
)
from services.metrics.categories.relay import Relay
from services.metrics.categories.store import CategoryStore, CategoryTransaction, Replay
from services.metrics.categories.views import (
    CategoryDetail,
    CategoryIn,
    CategoryItem,
    CategoryPatch,
    ExampleIn,
    ExampleOut,
    ReplayIn,
    ReplayOut,
)
from services.metrics.filters import begin, end
from services.metrics.paging import Page, decode_cursor, encode_cursor
from shared.clock import Clock
from shared.contracts import topics
from shared.contracts.v1 import category_changed, category_replay
from shared.errors import Conflict, NotFound, Rejected

__all__ = ["Categories"]

MOST_CATEGORIES: Final = 100
"""Of one tenant: every conversation is rated by each of them."""
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Categories:
    """The use cases. `wait_seconds` bounds how long a person waits for a training."""

    store: CategoryStore
    relay: Relay
    clock: Clock
    wait_seconds: float

    async def create(self, tenant_id: str, wanted: CategoryIn, *, key_id: str) -> CategoryDetail:
        """A new category, trained if that did not take too long. Raises `Rejected`, `Conflict`."""
        examples = _examples(wanted.examples, role=wanted.role)
        check_examples(examples)
        now = self.clock.now()
        positives = sum(example.positive for example in examples)
        category = Category(
            id=f"cat_{secrets.token_hex(8)}",
            name=wanted.name,
            description=wanted.description,
            role=wanted.role,
            weight=wanted.weight,
            critical=wanted.critical,
            in_scorecard=wanted.in_scorecard,
            enabled=True,
            version=1,
            positives=positives,
            negatives=len(examples) - positives,
            created_at=now,
            updated_at=now,
            changed_by=key_id,
        )
        async with self.store.transaction(tenant_id) as transaction:
            await transaction.lock()
            if await transaction.count() >= MOST_CATEGORIES:
                raise Conflict(
                    f"there are {MOST_CATEGORIES} categories already", reason="too_many_categories"
                )
            await transaction.add(category, examples)
            await self._tell_changed(transaction, tenant_id, category)
        self.relay.wake(tenant_id)
        return await self._once_trained(tenant_id, category)

    async def list(self, tenant_id: str, *, cursor: str | None, limit: int) -> Page[CategoryItem]:
        """A page, newest first. Raises `Rejected` for a foreign cursor."""
        after = decode_cursor(cursor, (datetime, str)) if cursor is not None else None
        async with self.store.transaction(tenant_id) as transaction:
            found = await transaction.page(after=after, limit=limit + 1)
        next_cursor = None
        if len(found) > limit:
            last = found[limit - 1]
            next_cursor = encode_cursor((last.created_at, last.id))
        return Page(items=[CategoryItem(**_shown(one)) for one in found[:limit]], next_cursor=next_cursor)

    async def get(self, tenant_id: str, category_id: str) -> CategoryDetail:
        """One category with its examples and replays. Raises `NotFound`."""
        async with self.store.transaction(tenant_id) as transaction:
            category = _found(await transaction.category(category_id))
            return await _detail(transaction, category)

    async def change(
        self, tenant_id: str, category_id: str, patch: CategoryPatch, *, key_id: str
    ) -> CategoryDetail:
        """What a person changed. Raises `NotFound`, `Rejected`."""
        given = {name: value for name, value in patch.model_dump().items() if value is not None}
        given.pop("examples", None)
        async with self.store.transaction(tenant_id) as transaction:
            await transaction.lock()
            before = _found(await transaction.category(category_id))
            after = replace(before, **given)
            examples: Sequence[Example] = ()
            if patch.examples is not None:
                examples = _examples(patch.examples, role=before.role)
                check_examples(examples)
                if examples != await transaction.examples(before):
                    after = with_examples(after, examples)
            if after == before:
                return await _detail(transaction, before)
            after = replace(after, updated_at=self.clock.now(), changed_by=key_id)
            await transaction.update(after)
            if after.version > before.version:
                await transaction.add_examples(after, examples)
            await transaction.renew_scorecard(self.clock.now())
            await self._tell_changed(transaction, tenant_id, after)
        self.relay.wake(tenant_id)
        if after.version > before.version:
            return await self._once_trained(tenant_id, after)
        return await self.get(tenant_id, category_id)

    async def delete(self, tenant_id: str, category_id: str) -> None:
        """With its examples; ratings that were given stay. Raises `NotFound`."""
        async with self.store.transaction(tenant_id) as transaction:
            await transaction.lock()
            category = _found(await transaction.category(category_id))
            await transaction.delete(category_id)
            await transaction.renew_scorecard(self.clock.now())
            await self._tell_changed(transaction, tenant_id, category)
        self.relay.wake(tenant_id)

    async def replay(
        self, tenant_id: str, category_id: str, wanted: ReplayIn, *, key_id: str
    ) -> CategoryDetail:
        """Have past conversations rated again. Raises `NotFound`, `Rejected`, `Conflict`."""
        opened_from, opened_before = begin(wanted.begin), end(wanted.end)
        if opened_from >= opened_before:
            raise Rejected("`from` is before `to`", reason="invalid_time")
        now = self.clock.now()
        async with self.store.transaction(tenant_id) as transaction:
            category = _found(await transaction.category(category_id))
            if category.active_version is None or not category.enabled:
                raise Conflict("the category is not trained, or not enabled", reason="category_not_applied")
            replay = Replay(
                id=f"rep_{secrets.token_hex(8)}",
                category_id=category_id,
                category_version=category.active_version,
                opened_from=opened_from,
                opened_before=opened_before,
                created_at=now,
                created_by=key_id,
            )
            await transaction.add_replay(replay)
            payload = category_replay.CategoryReplay(
                tenant_id=tenant_id,
                replay_id=replay.id,
                category_id=category_id,
                opened_from=opened_from,
                opened_before=opened_before,
            )
            await transaction.tell(topics.CATEGORY_REPLAYS, category_replay.TYPE, payload, now=now)
            detail = await _detail(transaction, category)
        self.relay.wake(tenant_id)
        return detail

    async def _tell_changed(
        self, transaction: CategoryTransaction, tenant_id: str, category: Category
    ) -> None:
        payload = category_changed.CategoryChanged(
            tenant_id=tenant_id, category_id=category.id, version=category.version
        )
        await transaction.tell(
            topics.CATEGORIES_CHANGED, category_changed.TYPE, payload, now=self.clock.now()
        )

    async def _once_trained(self, tenant_id: str, category: Category) -> CategoryDetail:
        """The category as soon as its version is trained, or as it is when the wait is over."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self.wait_seconds
        while True:
            async with self.store.transaction(tenant_id) as transaction:
                now = await transaction.category(category.id)
                if now is None:
                    raise NotFound("the category was deleted meanwhile")
                is_settled = now.state is not CategoryState.TRAINING or now.version > category.version
                if is_settled or loop.time() >= deadline:
                    return await _detail(transaction, now)
            await asyncio.sleep(_LOOK_SECONDS)


def _found(category: Category | None) -> Category:
    if category is None:
        raise NotFound("no such category")
    return category


def _examples(given: Sequence[ExampleIn], *, role: str) -> list[Example]:
    return [Example(text=one.text, context=_context(one, role=role), positive=one.positive) for one in given]


def _context(example: ExampleIn, *, role: str) -> tuple[ContextTurn, ...]:
    if example.context is None:
        return ()
    if isinstance(example.context, str):
        other = "customer" if role == "agent" else "agent"
        return (ContextTurn(role=cast(Any, other), text=example.context),) if example.context else ()
    return tuple(ContextTurn(role=turn.role, text=turn.text) for turn in example.context)


def _shown(category: Category) -> dict[str, Any]:
    names = (
        *("id", "name", "description", "role", "weight", "critical", "in_scorecard", "enabled", "state"),
        *("version", "active_version", "precision", "recall", "f1", "positives", "negatives"),
        *("model_revision", "trained_at", "created_at", "updated_at", "changed_by"),
    )
    return {
        **{name: getattr(category, name) for name in names},
        "n": category.positives + category.negatives,
        "warning": sentence(category.warnings),
    }


async def _detail(transaction: CategoryTransaction, category: Category) -> CategoryDetail:
    return CategoryDetail(
        **_shown(category),
        examples=[
            ExampleOut.model_validate(one, from_attributes=True)
            for one in await transaction.examples(category)
        ],
        replays=[ReplayOut(**row) for row in await transaction.replays(category.id)],
    )
