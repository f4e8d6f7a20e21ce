"""Which conversations are asked for: the same filters for lists and KPIs."""

from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Self

from shared.contracts.instants import parse_instant
from shared.domain.conversation import Channel, Status
from shared.domain.flag import FlagKind
from shared.errors import Rejected


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """None asks for all. `opened_from` is included, `opened_before` is not; both aware, in UTC."""

    opened_from: datetime | None = None
    opened_before: datetime | None = None
    source: str | None = None
    external_id: str | None = None
    agent: str | None = None
    team: str | None = None
    channel: Channel | None = None
    language: str | None = None
    tag: str | None = None
    status: Status | None = None
    flag: FlagKind | None = None
    min_score: float | None = None
    max_score: float | None = None

    def with_external_id(self, external_id: str | None) -> Self:
        """These, and that id at the helpdesk. Raises `Rejected` for what no id can be."""
        if external_id is not None and "\x00" in external_id:
            raise Rejected("a filter holds a NUL character", reason="invalid_filter")
        return replace(self, external_id=external_id)

    def names(self) -> list[str]:
        """The filters given, without those of time."""
        return [
            field.name
            for field in fields(self)
            if not field.name.startswith("opened_") and getattr(self, field.name) is not None
        ]

    @property
    def whole_days(self) -> bool:
        """Both ends, where given, are midnights in UTC."""
        return all(
            moment is None or moment.time() == time.min for moment in (self.opened_from, self.opened_before)
        )


def begin(text: str) -> datetime:
    """The first moment of a range: a day stands for its first moment. Raises `Rejected`."""
    day = _day(text)
    return _midnight(day) if day is not None else _instant(text)


def end(text: str) -> datetime:
    """The moment after a range: a day is included whole. Raises `Rejected`."""
    day = _day(text)
    return _midnight(day + timedelta(days=1)) if day is not None else _instant(text)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _day(text: str) -> date | None:
    if len(text) != 10 or not 1970 <= int(text[:4] if text[:4].isdigit() else 0) < 2200:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _instant(text: str) -> datetime:
    try:
        # A plus sign that was not escaped in the query arrives as a space.
        return parse_instant(text.replace(" ", "+") if "T" in text else text)
    except ValueError:
        raise Rejected("a time is a day (2026-03-02) or an ISO 8601 instant", reason="invalid_time") from None
