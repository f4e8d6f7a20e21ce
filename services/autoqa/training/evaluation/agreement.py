"""Cohen's kappa, tables of confusion, and how far two runtimes are apart."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.confidence import CHOICES
from services.autoqa.model.labels import LABELS
from services.autoqa.training.evaluation.heldout import HeldOut, Judged, decisions
from services.autoqa.training.evaluation.targets import EVERY_LANGUAGE

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]


def confusion(chosen: Integers, true: Integers, classes: int) -> Integers:
    """(true, chosen) counts."""
    table = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(table, (true, chosen), 1)
    return table


def kappa(table: Integers) -> float:
    """Agreement beyond chance (Cohen 1960) of a table of confusion; 0 where chance alone agrees wholly."""
    n = table.sum()
    if not n:
        return 0.0
    agreed = np.trace(table) / n
    by_chance = float(table.sum(0) @ table.sum(1)) / n**2
    return 0.0 if by_chance >= 1 else float((agreed - by_chance) / (1 - by_chance))


def binary_kappa(decided: Bools, true: Bools) -> float:
    """Of one label."""
    return kappa(confusion(decided.astype(np.int64), true.astype(np.int64), 2))


def choice_tables(held: HeldOut, judged: Judged) -> Mapping[str, Mapping[str, Sequence[Sequence[int]]]]:
    """By head and language: rows are the labels, columns the answers, in the order of LABELS."""
    tables: dict[str, dict[str, list[list[int]]]] = {}
    for head, at in CHOICES.items():
        for language in EVERY_LANGUAGE:
            rows = held.rows(language) & held.owed[:, at.start]
            chosen = judged.probabilities[rows, at].argmax(1)
            true = held.targets[rows, at].argmax(1)
            table = confusion(chosen, true, at.stop - at.start)
            tables.setdefault(head, {})[language] = table.tolist()
    return tables


def choice_names(head: str) -> list[str]:
    """The answers of a head, without its name."""
    return [label.split(".")[1] for label in LABELS[CHOICES[head]]]


def runtime_agreement(ours: Floats, theirs: Floats, owed: Bools) -> dict[str, float]:
    """How far two runtimes' probabilities are apart, and how many labels they decide differently."""
    flips = decisions(ours) != decisions(theirs)
    return {
        "messages": len(ours),
        "mean_probability_difference": round(float(np.abs(ours - theirs)[owed].mean()), 5),
        "largest_probability_difference": round(float(np.abs(ours - theirs)[owed].max()), 4),
        "label_flip_ratio": round(float(flips[owed].mean()), 5),
    }
