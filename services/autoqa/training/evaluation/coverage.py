"""How many answers are above the confidence floor, and how many of those are right."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.confidence import ANSWERS, CHOICES
from services.autoqa.model.labels import LABELS
from services.autoqa.training.evaluation.floors import answers, head_of
from services.autoqa.training.evaluation.heldout import HeldOut, Judged
from services.autoqa.training.evaluation.targets import COVERAGE_RATIO, EVERY_LANGUAGE, RIGHT_RATIO

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """`answer` is a head (`flag`: all of its labels) or one of ANSWERS.

    `yes_right_ratio` is about the answers "yes" above the floor alone, since most labels are mostly absent;
    None for a choice.
    """

    answer: str
    language: str
    n: int
    coverage_ratio: float
    right_ratio: float
    yes_right_ratio: float | None
    reached: bool


def coverage_rows(held: HeldOut, judged: Judged) -> list[CoverageRow]:
    """By language: every head, then every label of flags and signals; floors fitted on the other half."""
    counted = []
    for place, (answer, confidence, right, owed) in enumerate(answers(judged.probabilities, held.targets)):
        above = owed & (confidence >= judged.floors[:, place])
        yes = None if answer in CHOICES else judged.probabilities[:, LABELS.index(answer)] >= 0.5
        counted.append((answer, owed, above, right, yes))
    heads = tuple(dict.fromkeys(head_of(answer) for answer in ANSWERS))
    names = (*heads, *(answer for answer in ANSWERS if answer not in heads))
    return [
        coverage(
            name,
            language,
            [
                (owed & held.rows(language), above & held.rows(language), right, yes)
                for answer, owed, above, right, yes in counted
                if name in (answer, head_of(answer))
            ],
        )
        for name in names
        for language in EVERY_LANGUAGE
    ]


def coverage(
    answer: str, language: str, parts: Iterable[tuple[Bools, Bools, Bools, Bools | None]]
) -> CoverageRow:
    """Counts over labels: which messages owe an answer, are above the floor, are right, are a yes."""
    n = above_n = right_n = yes_n = yes_right_n = 0
    for owed, above, right, yes in parts:
        n += int(owed.sum())
        above_n += int(above.sum())
        right_n += int((above & right).sum())
        if yes is not None:
            yes_n += int((above & yes).sum())
            yes_right_n += int((above & yes & right).sum())
    covered, rightly = above_n / max(1, n), right_n / max(1, above_n)
    return CoverageRow(
        answer=answer,
        language=language,
        n=n,
        coverage_ratio=round(covered, 4),
        right_ratio=round(rightly, 4),
        yes_right_ratio=round(yes_right_n / yes_n, 4) if yes_n else None,
        reached=covered >= COVERAGE_RATIO and rightly >= RIGHT_RATIO,
    )
