"""Reading a payload: what is missing stays missing, what has a wrong shape is `Rejected` by its path.

A null and a missing key both read as None; `in` tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from shared.contracts.instants import parse_instant
from shared.contracts.plain_json import clean_text
from shared.errors import Rejected

__all__ = ["Fields", "broken"]

_MAX_ID = 256


def broken(what: str) -> Rejected:
    """The body does not keep the vendor's contract."""
    return Rejected(what, reason="invalid_payload")


@dataclass(frozen=True, slots=True)
class Fields:
    """One JSON object and the path to it."""

    data: Mapping[str, object]
    path: str

    @classmethod
    def of(cls, payload: object) -> "Fields":
        """The whole body."""
        if not isinstance(payload, dict):
            raise broken("the body is not a JSON object")
        return cls(payload, "")

    def __contains__(self, name: str) -> bool:
        return name in self.data

    def __bool__(self) -> bool:
        return bool(self.data)

    def _wrong(self, name: str, expected: str) -> Rejected:
        return broken(f"{self._at(name)} is not {expected}")

    def _at(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def object(self, name: str) -> "Fields | None":
        """A nested object."""
        value = self.data.get(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(cast(Mapping[str, object], value), self._at(name))

    def loose(self, name: str) -> "Fields | None":
        """A nested object, or nothing where the vendor sends another shape for emptiness."""
        return self.object(name) if isinstance(self.data.get(name), dict) else None

    def need_object(self, name: str) -> "Fields":
        """A nested object that must be there."""
        found = self.object(name)
        if found is None:
            raise broken(f"{self._at(name)} is missing")
        return found

    def objects(self, name: str) -> list["Fields"]:
        """A list of objects; nulls among them are skipped."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        nested = Fields({str(place): item for place, item in enumerate(value)}, self._at(name))
        return [item for place in nested.data if (item := nested.object(place)) is not None]

    def id(self, name: str) -> str | None:
        """An id, number or text, as text; empty counts as none."""
        value = self.data.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            value = _digits(value)
        if value is None or value == "":
            return None
        if not isinstance(value, str) or len(value) > _MAX_ID:
            raise self._wrong(name, "an id")
        return clean_text(value)

    def need_id(self, name: str) -> str:
        """An id that must be there."""
        found = self.id(name)
        if not found:
            raise broken(f"{self._at(name)} is missing")
        return found

    def text(self, name: str) -> str | None:
        """A text; numbers are taken as they are written."""
        value = self.data.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = _digits(value)
        if value is None:
            return None
        if not isinstance(value, str):
            raise self._wrong(name, "a text")
        return clean_text(value)

    def word(self, name: str) -> str | None:
        """A text that counts as none when it is blank."""
        return (self.text(name) or "").strip() or None

    def texts(self, name: str) -> list[str]:
        """A list of texts."""
        value = self.data.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise self._wrong(name, "a list")
        nested = Fields({str(place): item for place, item in enumerate(value)}, self._at(name))
        return [text for place in nested.data if (text := nested.word(place)) is not None]

    def time(self, name: str) -> datetime | None:
        """An instant; empty text and zero count as none."""
        value = self.data.get(name)
        if value is None or value == "" or (value == 0 and not isinstance(value, bool)):
            return None
        try:
            return parse_instant(value)
        except ValueError:
            raise self._wrong(name, "a time") from None

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True or false."""
        value = self.data.get(name)
        if value is None:
            return default
        if not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def number(self, name: str) -> float | None:
        """A finite number, also one written as text."""
        value = self.data.get(name)
        if value is None or value == "":
            return None
        try:
            number = float(value) if isinstance(value, int | float | str) else None
        except (ValueError, OverflowError):
            number = None
        if number is None or isinstance(value, bool) or not abs(number) < 1e18:
            raise self._wrong(name, "a number")
        return number


def _digits(number: int | float) -> str:
    try:
        return str(number)
    except ValueError:  # more digits than Python writes
        raise broken("a number is too long") from None
