"""Times on the wire."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.instants import format_instant, parse_instant


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (1772443800, "2026-03-02T09:30:00Z"),
        ("1772443800", "2026-03-02T09:30:00Z"),
        (1772443802.318402, "2026-03-02T09:30:02.318Z"),
        (1772443800123, "2026-03-02T09:30:00.123Z"),
        ("2026-03-02T08:47:30.123456789Z", "2026-03-02T08:47:30.123Z"),
        ("2026-03-02T08:46:55.000000001Z", "2026-03-02T08:46:55Z"),
        ("2026-03-02T08:14:05.000Z", "2026-03-02T08:14:05Z"),
        ("2026-03-02T11:05:31+01:00", "2026-03-02T10:05:31Z"),
        ("2026-03-02 11:05:31 +0100", "2026-03-02T10:05:31Z"),
        ("2026-03-02T10:05", "2026-03-02T10:05:00Z"),
        ("2026-03-02 10:05:31 UTC", "2026-03-02T10:05:31Z"),
        ("2026-03-02T10:05:31Z", "2026-03-02T10:05:31Z"),
    ],
)
def test_every_spelling_is_read_and_one_is_written(written: object, read: str) -> None:
    """Seconds, milliseconds, offsets, nanoseconds."""
    assert format_instant(parse_instant(written)) == read


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        [],
        "",
        "soon",
        "2026-02-30T00:00:00Z",
        "2026-03-02",
        "2026-W10-1T00:00:00Z",
        "2026-03-02T24:61:00Z",
        float("nan"),
        float("inf"),
        10**400,
        -1,
        "0001-01-01T00:00:00+14:00",
        1e15,
    ],
)
def test_anything_else_is_no_time(value: object) -> None:
    """As a ValueError, whatever it is."""
    with pytest.raises(ValueError):  # noqa: PT011  # its text says nothing of the value
        parse_instant(value)


START, END = datetime(1971, 1, 1), datetime(2199, 1, 1)  # noqa: DTZ001  # hypothesis adds the zone


@given(st.datetimes(START, END, timezones=st.just(UTC)))
def test_what_is_written_is_read_again_to_the_millisecond(moment: datetime) -> None:
    """Cut off, never rounded up."""
    lost = moment - parse_instant(format_instant(moment))
    assert timedelta(0) <= lost < timedelta(milliseconds=1)


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    """Nothing but ValueError comes out."""
    with suppress(ValueError):
        assert parse_instant(text).tzinfo is UTC
