"""What becomes of flags when a review finds them again, or no longer. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from shared import ids
from shared.domain.evidence import EvidenceSpan
from shared.domain.flag import Flag, FlagKind, Severity


class FlagState(StrEnum):
    """What a person made of it."""

    OPEN = "open"
    ACKNOWLEDGED = "acknowledged"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFlag:
    """A flag with people's state. `withdrawn_at`: since when no review finds it any more."""

    id: str
    conversation_id: str
    kind: FlagKind
    severity: Severity
    confidence: float
    evidence: tuple[EvidenceSpan, ...]
    #: All messages that ever proved it.
    seen_messages: frozenset[str]
    state: FlagState
    raised_at: datetime
    withdrawn_at: datetime | None = None
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagChanges:
    """What is to be written. `raised` are those of `kept` that people should hear of."""

    kept: list[StoredFlag] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    raised: list[StoredFlag] = field(default_factory=list)


def flag_changes(
    conversation_id: str,
    stored: Mapping[FlagKind, StoredFlag],
    found: Iterable[Flag],
    *,
    now: datetime,
) -> FlagChanges:
    """Bring a conversation's flags in line with what its review found.

    New: raised. Found again: refreshed, a person's decision stays, unless a message proves it that never
    did before: then it is open and raised again. No longer found: an open one is removed, one that a person
    decided on is kept as withdrawn. The same input again changes nothing.
    """
    changes = FlagChanges()
    by_kind = {flag.kind: flag for flag in found}
    for kind, flag in by_kind.items():
        before = stored.get(kind)
        after = _raised(conversation_id, flag, now) if before is None else _found_again(before, flag, now)
        if after != before:
            changes.kept.append(after)
        if before is None or after.raised_at != before.raised_at:
            changes.raised.append(after)
    for kind, before in stored.items():
        if kind in by_kind:
            continue
        if before.state is FlagState.OPEN:
            changes.removed.append(before.id)
        elif before.withdrawn_at is None:
            changes.kept.append(replace(before, withdrawn_at=now))
    return changes


def _raised(conversation_id: str, flag: Flag, now: datetime) -> StoredFlag:
    return StoredFlag(
        id=ids.flag_id(conversation_id, flag.kind),
        conversation_id=conversation_id,
        kind=flag.kind,
        severity=flag.severity,
        confidence=flag.confidence,
        evidence=flag.evidence,
        seen_messages=_messages(flag),
        state=FlagState.OPEN,
        raised_at=now,
    )


def _found_again(before: StoredFlag, flag: Flag, now: datetime) -> StoredFlag:
    after = replace(
        before,
        severity=flag.severity,
        confidence=flag.confidence,
        evidence=flag.evidence,
        seen_messages=before.seen_messages | _messages(flag),
        withdrawn_at=None,
    )
    if before.state is FlagState.OPEN or _messages(flag) <= before.seen_messages:
        return after
    return replace(after, state=FlagState.OPEN, raised_at=now, changed_at=None, changed_by=None)


def _messages(flag: Flag) -> frozenset[str]:
    return frozenset(span.message_id for span in flag.evidence)
