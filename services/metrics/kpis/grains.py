"""Rollups are kept by day, ISO week and month, so that a year is a few rows and any range is exact. Pure."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum


class Grain(StrEnum):
    """How much time a row of a rollup stands for."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def begin(self, day: date) -> date:
        """The first day of the piece that holds `day`; weeks begin on Monday."""
        if self is Grain.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self is Grain.MONTH else day

    def after(self, begin: date) -> date:
        """The first day of the next piece."""
        if self is Grain.WEEK:
            return begin + timedelta(days=7)
        return (
            (begin + timedelta(days=31)).replace(day=1) if self is Grain.MONTH else begin + timedelta(days=1)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """Pieces of one grain whose first day lies in [first, before); None for no bound."""

    grain: Grain
    first: date | None
    before: date | None


def spans(first: date | None, before: date | None, grain: Grain) -> tuple[Span, ...]:
    """Cover the days of [first, before) once: whole pieces of `grain`, and days at the edges."""
    if grain is Grain.DAY:
        return (Span(grain=grain, first=first, before=before),)
    begin = first
    if first is not None and grain.begin(first) != first:
        begin = grain.after(grain.begin(first))
    end = None if before is None else grain.begin(before)
    if begin is not None and end is not None and begin >= end:
        return (Span(grain=Grain.DAY, first=first, before=before),)
    covered = [Span(grain=grain, first=begin, before=end)]
    if begin != first:
        covered.append(Span(grain=Grain.DAY, first=first, before=begin))
    if end != before:
        covered.append(Span(grain=Grain.DAY, first=end, before=before))
    return tuple(covered)
