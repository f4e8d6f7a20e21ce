"""Times on the wire: whatever a sender writes comes in, one spelling goes out."""

import re
from datetime import UTC, datetime

__all__ = ["format_instant", "parse_instant"]

_ISO = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,12}))? ?(Z|z|UTC|[+-]\d{2}:?\d{2})?",
    re.ASCII,
)
_NUMBER = re.compile(r"\d{1,14}(?:\.\d{1,9})?", re.ASCII)
_MILLISECONDS_FROM = 1e11
"""Epoch numbers from here on are milliseconds: as seconds they would lie beyond the year 5000."""
_YEARS = range(1970, 2200)


def parse_instant(value: object) -> datetime:
    """A UTC instant from epoch seconds or milliseconds, or from ISO 8601 with any offset and precision.

    Without an offset it is taken for UTC; beyond microseconds it is cut off. Raises `ValueError`, without
    the value in its text, for anything else.
    """
    moment = _from_text(value.strip()) if isinstance(value, str) else _from_number(value)
    if moment.year not in _YEARS:
        raise ValueError("a time out of range")
    return moment


def _from_text(text: str) -> datetime:
    # What nearly everybody writes, and in a fifth of the time.
    if len(text) == 20 and text[7] == "-" and text[10] == "T" and text[19] == "Z":
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            pass
    if _NUMBER.fullmatch(text):
        return _from_number(float(text) if "." in text else int(text))
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError("not a time")
    day, clock, fraction, offset = found.groups()
    micro = f"{(fraction or '0')[:6]:0<6}"
    zone = "+00:00" if offset in (None, "Z", "z", "UTC") else offset
    seconds = clock if clock.count(":") == 2 else f"{clock}:00"
    try:
        return datetime.fromisoformat(f"{day}T{seconds}.{micro}{zone}").astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("no such time") from None


def _from_number(value: object) -> datetime:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("not a time")
    milliseconds = abs(value) >= _MILLISECONDS_FROM
    try:
        seconds = value / 1000 if milliseconds else value
        return datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        raise ValueError("no such time") from None


def format_instant(moment: datetime) -> str:
    """With `Z`, to the millisecond where there is any part of a second, else to the second."""
    utc = moment.astimezone(UTC)
    precise = "milliseconds" if utc.microsecond >= 1000 else "seconds"
    return utc.replace(tzinfo=None).isoformat(timespec=precise) + "Z"
