"""A company's own category, made of examples: its rules. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal

from shared.contracts.v1.category_trained import CategoryTrained, TrainingState, TrainingWarning
from shared.errors import Rejected

__all__ = [
    "MOST_EXAMPLES",
    "Category",
    "CategoryState",
    "ContextTurn",
    "Example",
    "ScorecardEntry",
    "check_examples",
    "entries",
    "sentence",
    "trained",
    "with_examples",
]

FEWEST_EXAMPLES: Final = 8
MOST_EXAMPLES: Final = 50
FEWEST_OF_A_KIND: Final = 4
Speaker = Literal["customer", "agent"]


class CategoryState(StrEnum):
    """How far the newest examples are."""

    TRAINING = "training"
    TRAINED = "trained"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextTurn:
    """What was said before an example."""

    role: Speaker
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A message that shows the category, or does not; `context` is what was said before, oldest first."""

    text: str
    context: tuple[ContextTurn, ...] = ()
    positive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Category:
    """`version` counts sets of examples; `active_version` is the newest one with a head, which is applied.

    `precision` and `recall` 0..1 are of the active version, cross-validated; `positives` and `negatives`
    count the newest examples.
    """

    id: str
    name: str
    description: str
    role: Speaker
    weight: float
    critical: bool
    in_scorecard: bool
    enabled: bool
    version: int
    positives: int
    negatives: int
    created_at: datetime
    updated_at: datetime
    changed_by: str
    active_version: int | None = None
    failed_version: int | None = None
    model_revision: str | None = None
    precision: float | None = None
    recall: float | None = None
    warnings: tuple[str, ...] = ()
    trained_at: datetime | None = None

    @property
    def state(self) -> CategoryState:
        """Of the newest examples."""
        if self.active_version == self.version:
            return CategoryState.TRAINED
        return CategoryState.FAILED if self.failed_version == self.version else CategoryState.TRAINING

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall."""
        if self.precision is None or self.recall is None:
            return None
        total = self.precision + self.recall
        return round(2 * self.precision * self.recall / total, 4) if total else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScorecardEntry:
    """One custom category in an immutable version of the tenant's scorecard."""

    id: str
    version: int
    weight: float
    critical: bool


def check_examples(examples: Sequence[Example]) -> None:
    """Raises `Rejected` that names examples by their place, never by their words."""
    if not FEWEST_EXAMPLES <= len(examples) <= MOST_EXAMPLES:
        raise Rejected(f"give {FEWEST_EXAMPLES} to {MOST_EXAMPLES} examples", reason="invalid_examples")
    positives = sum(example.positive for example in examples)
    if min(positives, len(examples) - positives) < FEWEST_OF_A_KIND:
        raise Rejected(
            f"give at least {FEWEST_OF_A_KIND} positive and {FEWEST_OF_A_KIND} negative examples",
            reason="invalid_examples",
        )
    seen: dict[tuple[str, ...], tuple[int, bool]] = {}
    for place, example in enumerate(examples):
        words = tuple(" ".join(text.casefold().split()) for text in _texts(example))
        if not words[0]:
            raise Rejected(f"example {place} is empty", reason="invalid_examples")
        first, kind = seen.setdefault(words, (place, example.positive))
        if first != place:
            what = "the same message" if kind is example.positive else "positive and negative at once"
            raise Rejected(f"examples {first} and {place} are {what}", reason="invalid_examples")


def _texts(example: Example) -> Iterable[str]:
    yield example.text
    for turn in example.context:
        yield f"{turn.role}: {turn.text}"


def with_examples(category: Category, examples: Sequence[Example]) -> Category:
    """A new version, yet to be trained; what is active stays so until then."""
    positives = sum(example.positive for example in examples)
    return replace(
        category,
        version=category.version + 1,
        positives=positives,
        negatives=len(examples) - positives,
    )


def trained(category: Category, told: CategoryTrained) -> Category:
    """`category` after news of its training; those of a version of no more interest change nothing."""
    if told.version > category.version or told.version < (category.active_version or 0):
        return category
    if told.state is TrainingState.FAILED:
        if told.version < category.version or category.active_version == told.version:
            return category
        return replace(category, failed_version=told.version, warnings=tuple(told.warnings))
    return replace(
        category,
        active_version=told.version,
        model_revision=told.model_revision,
        precision=told.precision,
        recall=told.recall,
        warnings=tuple(told.warnings),
        trained_at=told.trained_at,
    )


def entries(categories: Iterable[Category]) -> tuple[ScorecardEntry, ...]:
    """What the categories add to the default scorecard, sorted by id: those that can answer."""
    chosen = [
        ScorecardEntry(id=c.id, version=c.active_version, weight=c.weight, critical=c.critical)
        for c in categories
        if c.in_scorecard and c.enabled and c.active_version is not None
    ]
    return tuple(sorted(chosen, key=lambda entry: entry.id))


_SENTENCES: Final = {
    TrainingWarning.LOW_PRECISION: "Less than 70 % of the messages it finds are right: add negative examples"
    " that look like positive ones.",
    TrainingWarning.LOW_RECALL: "It finds less than 70 % of the messages that it should: add more varied"
    " positive examples.",
    TrainingWarning.FEW_EXAMPLES: "With fewer than 10 examples of a kind nobody can tell how good it is: add"
    " more before you trust it.",
    TrainingWarning.NO_STATES: "The model that is installed cannot learn categories: ask your operator for"
    " its newest weights.",
}


def sentence(warnings: Iterable[str]) -> str | None:
    """Warnings for people; None where there is nothing to warn of."""
    return " ".join(_SENTENCES[TrainingWarning(warning)] for warning in warnings) or None
