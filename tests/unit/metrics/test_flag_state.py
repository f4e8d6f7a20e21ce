"""What becomes of flags when reviews find them again, or no longer."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from services.metrics.flags.state import FlagChanges, FlagState, StoredFlag, flag_changes
from shared.domain.evidence import EvidenceSpan
from shared.domain.flag import Flag, FlagKind, Severity

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)


def a_flag(*messages: str) -> Flag:
    """Churn, proven by these messages."""
    spans = tuple(EvidenceSpan(message_id=message, start=0, end=4) for message in messages)
    return Flag(kind=FlagKind.CHURN, severity=Severity.HIGH, confidence=0.9, evidence=spans)


def changes(stored: StoredFlag | None, found: Sequence[Flag], now: datetime = NOW) -> FlagChanges:
    """With at most one flag."""
    return flag_changes("c1", {FlagKind.CHURN: stored} if stored else {}, found, now=now)


def a_stored_flag(state: FlagState = FlagState.OPEN) -> StoredFlag:
    """Raised at NOW by message m1."""
    (flag,) = changes(None, [a_flag("m1")]).kept
    return replace(flag, state=state)


def test_a_new_flag_is_raised() -> None:
    """Under an id that follows from conversation and kind."""
    found = changes(None, [a_flag("m1")])
    assert found.raised == found.kept
    assert found.kept[0].id == a_stored_flag().id


def test_the_same_flag_again_changes_nothing() -> None:
    """Whatever its state."""
    for state in FlagState:
        assert changes(a_stored_flag(state), [a_flag("m1")], LATER) == FlagChanges()


def test_an_open_flag_with_more_proof_is_not_raised_again() -> None:
    """It is in the queue already."""
    found = changes(a_stored_flag(), [a_flag("m1", "m2")], LATER)
    assert (len(found.kept), found.raised) == (1, [])
    assert found.kept[0].raised_at == NOW


def test_a_dismissed_flag_opens_for_a_new_message_only() -> None:
    """Other words of a message that was seen are no news."""
    dismissed = a_stored_flag(FlagState.DISMISSED)
    assert changes(dismissed, [a_flag("m1")], LATER).raised == []
    (raised,) = changes(dismissed, [a_flag("m2")], LATER).raised
    assert (raised.state, raised.raised_at) == (FlagState.OPEN, LATER)
    assert raised.seen_messages == {"m1", "m2"}


def test_a_flag_no_longer_found_is_removed_while_open() -> None:
    """A person's decision is kept, once."""
    assert changes(a_stored_flag(), []).removed == [a_stored_flag().id]
    (kept,) = changes(a_stored_flag(FlagState.ACKNOWLEDGED), [], LATER).kept
    assert kept.withdrawn_at == LATER
    assert changes(kept, [], LATER + timedelta(hours=1)) == FlagChanges()


def test_a_withdrawn_flag_found_again_is_back() -> None:
    """In the state that a person gave it."""
    withdrawn = replace(a_stored_flag(FlagState.DISMISSED), withdrawn_at=NOW)
    (back,) = changes(withdrawn, [a_flag("m1")], LATER).kept
    assert (back.withdrawn_at, back.state) == (None, FlagState.DISMISSED)
