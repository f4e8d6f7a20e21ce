"""What a proofreader says of a text; the categories take it as a function and know no dictionary."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from services.autoqa.predictions import Span

__all__ = ["Proofread", "Proofreader", "Syllables", "WrittenIn"]

WrittenIn = Literal["de", "en"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofread:
    """`words` that were looked at, and the places that are wrong."""

    words: int
    errors: tuple[Span, ...]


Proofreader = Callable[[str, WrittenIn], Proofread]
"""Pure, fast and safe on megabytes: bounded work for any text."""

Syllables = Callable[[str, WrittenIn], int]
"""Syllables of one word, at least 1."""
