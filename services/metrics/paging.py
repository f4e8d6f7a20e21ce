"""Keyset pagination: a cursor is the sort key of the last item, so pages stay right while rows come in."""

import base64
import binascii
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Final, Generic, TypeVar

import orjson
from fastapi import Query
from pydantic import BaseModel, Field

from shared.errors import Rejected

T = TypeVar("T")

_MAX_CURSOR: Final = 1000
Limit = Annotated[int, Query(ge=1, le=200, description="Items on a page.", examples=[50])]
Cursor = Annotated[
    str | None,
    Query(max_length=_MAX_CURSOR, description="`next_cursor` of the page before; absent for the first."),
]


class Page(BaseModel, Generic[T]):
    """A part of a list."""

    items: list[T] = Field(description="The items of this page, in the list's order.")
    next_cursor: str | None = Field(
        description="Opaque; ask for the next page with it. Null on the last page.",
        examples=["WyIyMDI2LTAzLTAyVDA5OjAwOjAwKzAwOjAwIiwiNWYwYzFlMmQiXQ"],
    )


def encode_cursor(key: Sequence[str | int | datetime]) -> str:
    """An opaque text for a sort key."""
    plain = [part.astimezone(UTC).isoformat() if isinstance(part, datetime) else part for part in key]
    return base64.urlsafe_b64encode(orjson.dumps(plain)).decode().rstrip("=")


def decode_cursor(cursor: str, kinds: Sequence[type]) -> tuple[str | int | datetime, ...]:
    """The sort key, its parts being of `kinds`. Raises `Rejected` for what we did not make."""
    try:
        parts = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        if not isinstance(parts, list) or len(parts) != len(kinds):
            raise ValueError("another list's cursor")
        return tuple(_part(part, kind) for part, kind in zip(parts, kinds, strict=True))
    except (ValueError, OverflowError, binascii.Error):
        raise Rejected("the cursor is not one of this list", reason="invalid_cursor") from None


def _part(part: object, kind: type) -> str | int | datetime:
    if kind is datetime and isinstance(part, str):
        moment = datetime.fromisoformat(part)
        if moment.tzinfo is None:
            raise ValueError("a time without a zone")
        return moment.astimezone(UTC)
    if kind is int and type(part) is int and abs(part) < 2**15:
        return part
    if kind is str and isinstance(part, str) and "\x00" not in part:
        return part
    raise ValueError("another list's cursor")
