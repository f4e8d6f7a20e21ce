"""Keeps facts, rollups and flags in step with what ingest and autoqa publish.

    refs -> by tenant -> lock -> read stored + published -> decide -> write + notify, one transaction

A record only names a conversation; what counts is what the views say now. So records may come twice, late
and in any order of the two topics.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from services.metrics.facts.contribution import deltas
from services.metrics.facts.fact import Fact, fact_of
from services.metrics.facts.sources import Sources
from services.metrics.facts.store import FactStore, FactTransaction
from services.metrics.flags.state import FlagChanges, StoredFlag, flag_changes
from services.metrics.stream.events import FlagRaised, ReviewScored, StreamEvent
from shared.clock import Clock
from shared.domain.flag import Flag, FlagKind
from shared.domain.review import ReviewState


@dataclass(frozen=True, slots=True)
class ConversationRef:
    """Which conversation has news."""

    tenant_id: str
    conversation_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decided:
    """What a transaction writes."""

    facts: list[Fact] = field(default_factory=list)
    #: Those of `facts` whose tags, flags or time changed.
    remarked: list[Fact] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    pairs: list[tuple[Fact | None, Fact | None]] = field(default_factory=list)
    flags: FlagChanges = field(default_factory=FlagChanges)
    events: list[StreamEvent] = field(default_factory=list)


async def on_conversations(refs: Sequence[ConversationRef], *, store: FactStore, clock: Clock) -> None:
    """Bring the named conversations up to date."""
    by_tenant: defaultdict[str, set[str]] = defaultdict(set)
    for ref in refs:
        by_tenant[ref.tenant_id].add(ref.conversation_id)
    for tenant_id, conversation_ids in sorted(by_tenant.items()):
        async with store.transaction(tenant_id) as transaction:
            await _update(transaction, sorted(conversation_ids), clock)


async def _update(transaction: FactTransaction, conversation_ids: Sequence[str], clock: Clock) -> None:
    await transaction.lock(conversation_ids)
    stored = await transaction.facts(conversation_ids)
    flags = await transaction.flags(conversation_ids)
    published = await transaction.sources(conversation_ids)
    decided = _Decided()
    for conversation_id in conversation_ids:
        before, sources = stored.get(conversation_id), published.get(conversation_id)
        _decide_fact(decided, conversation_id, before, sources)
        _decide_flags(decided, conversation_id, flags.get(conversation_id, {}), sources, clock)
    await transaction.save_facts(decided.facts, gone=decided.gone)
    await transaction.save_marks(decided.remarked, gone=decided.gone)
    await transaction.save_flags(decided.flags.kept, removed=decided.flags.removed)
    await transaction.apply(deltas(decided.pairs))
    await transaction.notify(decided.events)


def _decide_fact(
    decided: _Decided, conversation_id: str, before: Fact | None, sources: Sources | None
) -> None:
    now = fact_of(sources) if sources is not None else None
    if now == before:
        return
    decided.pairs.append((before, now))
    if now is None:
        decided.gone.append(conversation_id)
        return
    decided.facts.append(now)
    if before is None or _marks_of(before) != _marks_of(now):
        decided.remarked.append(now)
    if sources is not None and sources.review is not None and _review_of(before) != _review_of(now):
        decided.events.append(
            ReviewScored(
                id=sources.review.id,
                conversation_id=conversation_id,
                version=sources.review.version,
                state=ReviewState(sources.review.state),
                score=sources.review.score,
            )
        )


def _marks_of(fact: Fact) -> tuple[object, ...]:
    return (fact.tags, fact.flags, fact.opened_at)


def _review_of(fact: Fact | None) -> tuple[object, ...] | None:
    if fact is None:
        return None
    return (fact.review_id, fact.review_version, fact.review_state, fact.score, fact.scored_at)


def _decide_flags(
    decided: _Decided,
    conversation_id: str,
    stored: Mapping[FlagKind, StoredFlag],
    sources: Sources | None,
    clock: Clock,
) -> None:
    found: tuple[Flag, ...] = ()
    if sources is not None and sources.review is not None and sources.conversation.status.is_eligible:
        found = sources.review.flags
    changes = flag_changes(conversation_id, stored, found, now=clock.now())
    decided.flags.kept.extend(changes.kept)
    decided.flags.removed.extend(changes.removed)
    decided.events.extend(
        FlagRaised(
            id=flag.id,
            conversation_id=conversation_id,
            kind=flag.kind,
            severity=flag.severity,
            confidence=flag.confidence,
            state=flag.state,
        )
        for flag in changes.raised
    )
