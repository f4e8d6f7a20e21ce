"""What stands on `conversations-changed`."""

from datetime import UTC, datetime

import pytest

from services.autoqa.changes import Change, change_of
from shared.broker.record import Headers, Record
from shared.contracts.v1.conversation_changed import TYPE
from shared.errors import Rejected


def record(value: bytes | None, event_type: str | None) -> Record:
    headers: Headers = ()
    if event_type is not None:
        headers = (
            ("ce_specversion", b"1.0"),
            ("ce_id", b"1"),
            ("ce_source", b"/ingest"),
            ("ce_type", event_type.encode()),
        )
    at = datetime(2026, 3, 2, tzinfo=UTC)
    return Record(topic="t", partition=0, offset=0, key=b"k", value=value, headers=headers, at=at)


def test_a_change_keeps_the_key_of_its_record() -> None:
    """The answer goes under the same key, so that order holds."""
    value = b'{"tenant_id": "t", "conversation_id": "c", "version": 3}'
    expected = Change(key=b"k", tenant_id="t", conversation_id="c", version=3)
    assert change_of(record(value, TYPE)) == expected


@pytest.mark.parametrize(
    ("value", "event_type"),
    [(b"{", None), (b"{}", "other"), (b'{"tenant_id": "t"}', TYPE), (b"[1]", TYPE), (None, TYPE)],
)
def test_what_names_no_version_is_refused(value: bytes | None, event_type: str | None) -> None:
    """It becomes a dead letter and never stops the topic."""
    with pytest.raises(Rejected):
        change_of(record(value, event_type))
