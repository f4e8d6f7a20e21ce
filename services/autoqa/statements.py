"""How statements of this service take many ids and many rows."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

__all__ = ["execute_many", "ids_array"]

_ROWS: Final = 200
"""Rows of one executemany."""


async def execute_many(connection: AsyncConnection, query: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    """Run a statement for many rows, a bounded number at once."""
    for start in range(0, len(rows), _ROWS):
        await connection.execute(query, [dict(row) for row in rows[start : start + _ROWS]])


def ids_array(conversation_ids: Iterable[str]) -> Any:
    """Many ids as one parameter, for `any_`."""
    return literal(list(conversation_ids), ARRAY(Text))
