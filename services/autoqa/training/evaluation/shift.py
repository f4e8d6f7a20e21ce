"""How far answers move when a message is changed in a way that should change nothing."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.labels import LABELS
from services.autoqa.training.evaluation.heldout import decisions
from services.autoqa.training.evaluation.targets import HEADS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftRow:
    """Absolute changes of probabilities over `n` messages of one head, and the share of changed decisions."""

    change: str
    head: str
    n: int
    mean_shift: float
    largest_shift: float
    changed_ratio: float


def shift_rows(change: str, before: Floats, after: Floats, owed: Bools) -> list[ShiftRow]:
    """One row a head that any message owes; all (messages, labels), message by message the same."""
    moved = np.abs(after - before)
    flips = decisions(after) != decisions(before)
    rows = []
    for head in HEADS:
        columns = head_columns(head)
        chosen = owed[:, columns[0]]
        if not chosen.any():
            continue
        part = moved[chosen][:, columns]
        rows.append(
            ShiftRow(
                change=change,
                head=head,
                n=int(chosen.sum()),
                mean_shift=round(float(part.mean()), 4),
                largest_shift=round(float(part.max()), 4),
                changed_ratio=round(float(flips[chosen][:, columns].mean()), 4),
            )
        )
    return rows


def head_columns(head: str) -> NDArray[np.int64]:
    """Places of a head's labels."""
    return np.array([i for i, label in enumerate(LABELS) if label.startswith(f"{head}.")], dtype=np.int64)
