"""Last-writer-wins registers: joining them in any order, any number of times, ends at the same value.

A register is stamped with when its value was true at the helpdesk. Of two values with one stamp the
heavier content wins, never the one that arrived later, since arrival is chance.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

__all__ = ["Json", "Register", "Registers", "Stamp", "instant", "join_all", "later", "micros", "newest"]

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Stamp = tuple[int, int]
"""Microseconds since 1970: of the conversation's last update, then of the event itself."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def micros(moment: datetime) -> int:
    """Whole microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def instant(since_epoch: int) -> datetime:
    """Undo `micros`."""
    return _EPOCH + since_epoch * _MICROSECOND


@dataclass(frozen=True, slots=True)
class Register:
    """A value with the stamp of who wrote it."""

    stamp: Stamp
    value: Json

    def to_json(self) -> list[Json]:
        """As `[stamp, stamp, value]`."""
        return [*self.stamp, self.value]

    @classmethod
    def from_json(cls, data: list[Json]) -> "Register":
        """Undo `to_json`."""
        first, second, value = data
        return cls((cast(int, first), cast(int, second)), value)


Registers = Mapping[str, Register]


def _weight(value: Json) -> str:
    """Total order over values, for ties.

    Known beats empty; what a person wrote freely decides last, so that erasing it never changes which wins.
    """
    if value is None:
        return ""
    if isinstance(value, dict) and "comment" in value:
        rest = {key: part for key, part in value.items() if key != "comment"}
        return _weight(rest) + _weight(value["comment"])
    return json.dumps(value, sort_keys=True, ensure_ascii=True)


def later(left: Register, right: Register) -> Register:
    """The one that wins."""
    if left.stamp != right.stamp:
        return left if left.stamp > right.stamp else right
    return left if _weight(left.value) >= _weight(right.value) else right


def join_all(left: Registers, right: Registers) -> dict[str, Register]:
    """Winner by winner."""
    joined = dict(left)
    for name, register in right.items():
        mine = joined.get(name)
        joined[name] = register if mine is None else later(mine, register)
    return joined


def newest(registers: Registers, limit: int) -> Registers:
    """At most `limit` registers, those with the highest stamps.

    What is dropped here would be dropped in any order of arrival: the stamps of what displaced it only grow.
    """
    if len(registers) <= limit:
        return registers
    ranked = sorted(registers.items(), key=lambda item: (item[1].stamp, item[0]), reverse=True)
    return dict(ranked[:limit])
