"""Cells and tables of the Markdown report; bold is what misses its target."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]


def f1_cell(row: Row) -> str:
    """With its interval; bold below its target."""
    shown = f"{row['f1']:.3f}"
    return f"{bold(shown, row['reached'])} ({row['low']:.2f} to {row['high']:.2f})"


def target_cell(
    target: float | None, reached: bool | None, value: float | None = None, sign: str = ""
) -> str:
    """The target, or a value with it."""
    if target is None:
        return "-"
    shown = f"{sign}{target:.2f}"
    return shown if value is None else f"{bold(f'{value:.3f}', reached)} ({shown})"


def share_cell(ratio: float, reached: bool) -> str:
    """In percent."""
    return bold(percent(ratio), reached)


def bold(text: str, reached: bool | None) -> str:
    """What misses its target."""
    return f"**{text}**" if reached is False else text


def number(value: float | None) -> str:
    """Three digits, a dash for none."""
    return "-" if value is None else f"{value:.3f}"


def percent(ratio: float | None, digits: int = 1) -> str:
    """A share, a dash for none."""
    return "-" if ratio is None else f"{100 * ratio:.{digits}f} %"


def text_cell(text: str) -> str:
    """Text that a table can hold."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    return "\n".join([*lines, *("| " + " | ".join(str(cell) for cell in row) + " |" for row in rows)])
