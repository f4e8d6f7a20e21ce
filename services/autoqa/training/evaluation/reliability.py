"""Are probabilities kept? Bins of equal mass, and the mean distance between promise and truth (ECE)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.confidence import CHOICES
from services.autoqa.model.labels import FLAGS_AT, SIGNALS_AT
from services.autoqa.training.evaluation.heldout import HeldOut, Judged

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

BINS: Final = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """`n` answers, promised with the mean `probability`, of which the share `true_ratio` was true."""

    n: int
    probability: float
    true_ratio: float


def equal_mass_bins(probabilities: Floats, true: Bools, bins: int = BINS) -> list[Bin]:
    """At most `bins` bins of the same size, from the least probable up."""
    order = np.argsort(probabilities, kind="stable")
    return [
        Bin(
            n=len(part),
            probability=round(float(probabilities[part].mean()), 4),
            true_ratio=round(float(true[part].mean()), 4),
        )
        for part in np.array_split(order, bins)
        if len(part)
    ]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Mean distance weighted by size; 0 without bins."""
    n = sum(one.n for one in bins)
    return sum(one.n * abs(one.probability - one.true_ratio) for one in bins) / max(1, n)


def head_bins(held: HeldOut, judged: Judged, head: str, language: str) -> list[Bin]:
    """Of all labels of `flag` and `signal` together; of a choice, the confidence of its answer."""
    rows = held.rows(language)
    if head in CHOICES:
        at = CHOICES[head]
        rows = rows & held.owed[:, at.start]
        probabilities, targets = judged.probabilities[rows, at], held.targets[rows, at]
        chosen = probabilities.argmax(1)[:, np.newaxis]
        right = np.take_along_axis(targets, chosen, axis=1)[:, 0] == 1
        return equal_mass_bins(probabilities.max(1), right)
    at = FLAGS_AT if head == "flag" else SIGNALS_AT
    rows = rows & held.owed[:, at.start]
    return equal_mass_bins(judged.probabilities[rows, at].ravel(), held.targets[rows, at].ravel() == 1)
