"""Ids in paths."""

from shared.errors import NotFound


def storable(identifier: str) -> str:
    """The id. Raises `NotFound` for one that no database can hold, and so no thing can have."""
    if "\x00" in identifier:
        raise NotFound("no such thing")
    return identifier
