"""The rules of categories that companies make from examples."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.metrics.categories.category import (
    Category,
    CategoryState,
    ContextTurn,
    Example,
    ScorecardEntry,
    check_examples,
    entries,
    sentence,
    trained,
    with_examples,
)
from shared.contracts.v1.category_trained import CategoryTrained, TrainingState, TrainingWarning
from shared.errors import Rejected

NOW = datetime(2026, 3, 2, tzinfo=UTC)
CATEGORY = Category(
    id="cat_1",
    name="Voucher",
    description="",
    role="agent",
    weight=2.0,
    critical=False,
    in_scorecard=True,
    enabled=True,
    version=1,
    positives=4,
    negatives=4,
    created_at=NOW,
    updated_at=NOW,
    changed_by="key_1",
)


def examples(positives: int, negatives: int) -> list[Example]:
    return [Example(text=f"text {n}", positive=n < positives) for n in range(positives + negatives)]


def told(**other: Any) -> CategoryTrained:
    values = {
        "tenant_id": "a",
        "category_id": "cat_1",
        "version": 1,
        "state": TrainingState.TRAINED,
        "model_revision": "m1",
        "precision": 0.9,
        "recall": 0.8,
        "positives": 4,
        "negatives": 4,
        "warnings": [],
        "trained_at": NOW,
    }
    return CategoryTrained.model_validate({**values, **other})


@pytest.mark.parametrize(("positives", "negatives"), [(4, 4), (25, 25), (4, 46), (46, 4)])
def test_enough_examples_of_each_kind_are_taken(positives: int, negatives: int) -> None:
    """8 to 50, at least 4 of each."""
    check_examples(examples(positives, negatives))


@pytest.mark.parametrize(("positives", "negatives"), [(0, 0), (3, 4), (4, 3), (3, 40), (40, 3), (26, 25)])
def test_too_few_or_too_many_are_refused(positives: int, negatives: int) -> None:
    """In all, or of a kind."""
    with pytest.raises(Rejected):
        check_examples(examples(positives, negatives))


@pytest.mark.parametrize(
    ("text", "positive", "reason"),
    [
        ("text 0", True, "the same message"),
        ("  TEXT   0\n", True, "the same message"),
        ("text 0", False, "positive and negative at once"),
        (" \n\t", True, "is empty"),
    ],
)
def test_what_teaches_nothing_is_refused_by_its_place_alone(text: str, positive: bool, reason: str) -> None:
    """No words of it are echoed."""
    with pytest.raises(Rejected, match=reason) as refused:
        check_examples([*examples(4, 4), Example(text=text, positive=positive)])
    assert "text" not in refused.value.detail


def test_the_same_words_after_something_else_are_another_example() -> None:
    """`Yes please.` means what the question makes of it."""
    context = (ContextTurn(role="agent", text="Shall I cancel?"),)
    check_examples([*examples(4, 4), Example(text="text 0", context=context, positive=False)])


def test_a_training_makes_its_version_active() -> None:
    """With its figures; the same news again change nothing."""
    after = trained(CATEGORY, told(warnings=[TrainingWarning.LOW_RECALL]))
    assert (CATEGORY.state, after.state) == (CategoryState.TRAINING, CategoryState.TRAINED)
    assert (after.active_version, after.precision, after.recall, after.f1) == (1, 0.9, 0.8, 0.8471)
    assert trained(after, told(warnings=[TrainingWarning.LOW_RECALL])) == after


def test_new_examples_leave_the_old_head_at_work_until_they_are_trained() -> None:
    """And late news of the old ones change nothing afterwards."""
    changed = with_examples(trained(CATEGORY, told()), examples(6, 5))
    assert (changed.state, changed.version, changed.active_version) == (CategoryState.TRAINING, 2, 1)
    assert (changed.positives, changed.negatives) == (6, 5)
    after = trained(changed, told(version=2, precision=0.5))
    assert (after.state, after.active_version, after.precision) == (CategoryState.TRAINED, 2, 0.5)
    assert trained(after, told(version=1)) == after
    assert trained(after, told(version=3)) == after


def test_a_failed_training_says_why_and_keeps_what_works() -> None:
    """Failed where there is nothing else; with an older head that one goes on."""
    failure = told(
        state=TrainingState.FAILED, precision=None, recall=None, warnings=[TrainingWarning.NO_STATES]
    )
    after = trained(CATEGORY, failure)
    assert (after.state, after.f1) == (CategoryState.FAILED, None)
    assert sentence(after.warnings)
    works = trained(CATEGORY, told())
    assert trained(works, failure) == works


def test_only_what_can_answer_joins_the_scorecard() -> None:
    """Trained, enabled and wanted in it."""
    works = trained(CATEGORY, told())
    wanted = (ScorecardEntry(id="cat_1", version=1, weight=2.0, critical=False),)
    assert entries([works]) == wanted
    assert entries([CATEGORY]) == ()
    assert entries([replace(works, enabled=False)]) == ()
    assert entries([replace(works, in_scorecard=False)]) == ()
    assert entries([replace(works, name="Other", description="x")]) == wanted


@pytest.mark.parametrize("warning", list(TrainingWarning))
def test_every_warning_has_its_sentence(warning: TrainingWarning) -> None:
    """For people."""
    assert (sentence([warning]) or "").endswith(".")
    assert sentence([]) is None
