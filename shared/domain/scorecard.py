"""A scorecard: an immutable, published version of weighted categories."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class CategoryId(StrEnum):
    """The categories of the default scorecard: one question each."""

    GREETING = "greeting"
    CLOSING = "closing"
    EMPATHY = "empathy"
    TONE = "tone"
    SOLUTION = "solution"
    COMPREHENSION = "comprehension"
    GRAMMAR = "grammar"
    READABILITY = "readability"
    TIMELINESS = "timeliness"


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """One question. Failing a `critical` one zeroes the review. `weight` is relative, above 0."""

    id: str
    name: str
    weight: float
    critical: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """`id` and `version` name it for ever; a change makes a new version."""

    id: str
    version: int
    categories: tuple[Category, ...]


DEFAULT_SCORECARD: Final = Scorecard(
    id="default",
    version=1,
    categories=(
        Category(id=CategoryId.GREETING, name="Greeting", weight=1),
        Category(id=CategoryId.CLOSING, name="Closing", weight=1),
        Category(id=CategoryId.EMPATHY, name="Empathy", weight=2),
        Category(id=CategoryId.TONE, name="Tone", weight=3),
        Category(id=CategoryId.SOLUTION, name="Solution", weight=4),
        Category(id=CategoryId.COMPREHENSION, name="Comprehension", weight=2),
        Category(id=CategoryId.GRAMMAR, name="Grammar and spelling", weight=1),
        Category(id=CategoryId.READABILITY, name="Readability", weight=1),
        Category(id=CategoryId.TIMELINESS, name="Timeliness", weight=2),
    ),
)
