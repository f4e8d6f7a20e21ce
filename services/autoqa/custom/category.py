"""A company's own categories, as conversations are rated by them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from services.autoqa.custom.head import CategoryReading, Head
from shared.domain.scorecard import DEFAULT_SCORECARD, Scorecard

__all__ = ["NO_CUSTOM", "Custom", "CustomCategory", "Readings"]

Readings = Mapping[str, Mapping[str, CategoryReading]]
"""What the heads said: message id to category id to reading."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomCategory:
    """`version` names the examples; without a head of the present model it answers `unsure`."""

    id: str
    version: int
    role: Literal["customer", "agent"]
    head: Head | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Custom:
    """Everything of one tenant: all categories are rated, those in `scorecard` weigh in the score."""

    scorecard: Scorecard
    categories: tuple[CustomCategory, ...]

    def heads(self, role: str) -> list[CustomCategory]:
        """Those that can read a message of `role`."""
        return [category for category in self.categories if category.role == role and category.head]


NO_CUSTOM: Final = Custom(scorecard=DEFAULT_SCORECARD, categories=())
"""A tenant without categories of its own."""
