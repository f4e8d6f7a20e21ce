"""The queue of flags, and what people decide on them."""

from dataclasses import replace
from datetime import datetime

from services.metrics.flags.state import FlagState, StoredFlag
from services.metrics.flags.store import FlagQuery, FlagStore, QueuedFlag
from services.metrics.flags.views import FlagItem, FlagSort
from services.metrics.paging import Page, decode_cursor, encode_cursor
from services.metrics.quotes import quoted
from shared.clock import Clock
from shared.domain.flag import FlagKind, Severity
from shared.errors import Conflict, NotFound


async def list_flags(
    store: FlagStore,
    tenant_id: str,
    *,
    kind: FlagKind | None,
    severity: Severity | None,
    state: FlagState | None,
    since: datetime | None,
    sort: FlagSort,
    cursor: str | None,
    limit: int,
) -> Page[FlagItem]:
    """A page of the queue. Raises `Rejected` for a foreign cursor."""
    severest_first = sort is FlagSort.SEVERITY
    kinds = (int, datetime, str) if severest_first else (datetime, str)
    wanted = FlagQuery(
        kind=kind,
        severity=severity,
        state=state,
        since=since,
        severest_first=severest_first,
        after=decode_cursor(cursor, kinds) if cursor is not None else None,
        limit=limit + 1,
    )
    async with store.transaction(tenant_id) as transaction:
        found = await transaction.page(wanted)
    next_cursor = None
    if len(found) > limit:
        last = found[limit - 1].flag
        key = (last.raised_at, last.id)
        next_cursor = encode_cursor((last.severity.rank, *key) if severest_first else key)
    return Page(items=[_item(queued) for queued in found[:limit]], next_cursor=next_cursor)


async def flag(store: FlagStore, tenant_id: str, flag_id: str) -> FlagItem:
    """One flag. Raises `NotFound`."""
    async with store.transaction(tenant_id) as transaction:
        return _item(_found(await transaction.flag(flag_id)))


async def decide(
    store: FlagStore, tenant_id: str, flag_id: str, state: FlagState, *, key_id: str, clock: Clock
) -> FlagItem:
    """Set a flag's state; setting it again changes nothing.

    Raises `NotFound`, and `Conflict` for opening one that no review finds any more.
    """
    async with store.transaction(tenant_id) as transaction:
        queued = _found(await transaction.flag(flag_id, for_update=True))
        if queued.flag.state is state:
            return _item(queued)
        if state is FlagState.OPEN and queued.flag.withdrawn_at is not None:
            raise Conflict("no review finds this flag any more", reason="flag_withdrawn")
        decided = _decided(queued.flag, state, key_id=key_id, now=clock.now())
        await transaction.decide(decided)
        return _item(replace(queued, flag=decided))


def _decided(flag: StoredFlag, state: FlagState, *, key_id: str, now: datetime) -> StoredFlag:
    if state is FlagState.OPEN:
        return replace(flag, state=state, changed_at=None, changed_by=None)
    return replace(flag, state=state, changed_at=now, changed_by=key_id)


def _found(queued: QueuedFlag | None) -> QueuedFlag:
    if queued is None:
        raise NotFound("no such flag")
    return queued


def _item(queued: QueuedFlag) -> FlagItem:
    flag = queued.flag
    return FlagItem.model_validate(
        {
            "id": flag.id,
            "conversation_id": flag.conversation_id,
            "kind": flag.kind,
            "severity": flag.severity,
            "confidence": flag.confidence,
            "state": flag.state,
            "raised_at": flag.raised_at,
            "withdrawn_at": flag.withdrawn_at,
            "changed_at": flag.changed_at,
            "changed_by": flag.changed_by,
            **{name: value or None for name, value in queued.context.items()},
            "evidence": quoted(flag.evidence, queued.texts),
        }
    )
