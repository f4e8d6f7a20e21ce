"""What a reader sees."""

from services.autoqa.training.evaluation.markdown_cells import f1_cell, table, target_cell, text_cell
from services.autoqa.training.evaluation.markdown_sections import (
    fairness_section,
    learning_curve_section,
    off_domain_section,
)


def test_what_misses_its_target_is_bold() -> None:
    """What reaches it, or has none, is plain."""
    row = {"f1": 0.8123, "low": 0.75, "high": 0.875, "reached": False}
    assert f1_cell(row) == "**0.812** (0.75 to 0.88)"
    assert f1_cell({**row, "reached": None}) == "0.812 (0.75 to 0.88)"
    assert target_cell(None, None) == "-"
    assert target_cell(0.05, False, 0.061, "≤ ") == "**0.061** (≤ 0.05)"


def test_a_quoted_text_cannot_break_its_table() -> None:
    """Bars, tags and code marks are harmless."""
    assert text_cell("a|b <b> `c` \\") == "a\\|b &lt;b> 'c' \\\\"
    assert table(("x", "y"), [(1, "2")]) == "| x | y |\n|---|---|\n| 1 | 2 |"


def test_a_set_that_is_not_there_is_named_with_its_reason() -> None:
    """Nothing else is told of it."""
    text = off_domain_section(
        [{"set": "tweets", "class": "B", "what": "tweets", "skipped": "it is not there"}]
    )
    assert "Skipped: tweets, since it is not there." in text
    assert "|" not in text


def test_figures_made_apart_may_be_missing() -> None:
    """The report says how to make them; where they are, it shows them."""
    assert "training curve" in learning_curve_section(None)
    row = {"share": 0.25, "messages": 4000, "flags": 0.5, "signals": 0.6, "sentiment": 0.7, "tone": 0.8}
    assert "| 25 % | 4000 | 0.500 | 0.600 | 0.700 | 0.800 |" in learning_curve_section([row])


def test_the_largest_shift_is_told_first() -> None:
    """By head and change."""
    row = {
        "change": "names",
        "head": "flag",
        "n": 3,
        "mean_shift": 0.01,
        "largest_shift": 0.2,
        "changed_ratio": 0.0,
    }
    text = fairness_section([row, {**row, "head": "tone", "largest_shift": 0.4}])
    assert "largest single shift is 0.40 (tone, names)" in text
