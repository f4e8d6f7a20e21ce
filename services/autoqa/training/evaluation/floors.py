"""Confidence floors: from which confidence on are answers right often enough?"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.confidence import ANSWERS, CHOICES, POOR_TONE
from services.autoqa.model.labels import LABELS

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

RIGHT_RATIO: Final = 0.95
"""So many of the answers above a floor are to be right."""
_DOUBT: Final = 10
_DOUBT_RIGHT: Final = 8
_CANDIDATES: Final = np.round(np.arange(0.50, 0.996, 0.005), 3)


def fit_floors(probabilities: Floats, targets: Floats) -> dict[str, float]:
    """The floor of each of ANSWERS, from (messages, labels); `targets` NaN where a role has no such label."""
    return {
        answer: lowest_floor(confidence[owed], right[owed])
        for answer, confidence, right, owed in answers(probabilities, targets)
    }


def lowest_floor(confidence: Floats, right: Bools, *, right_ratio: float = RIGHT_RATIO) -> float:
    """The lowest of 0.5, 0.505 ... 0.995 above which at least `right_ratio` of the answers are right.

    The highest where none is enough, and 0.5 without answers. Ten doubtful answers are counted in, since
    the lowest of many candidates is partly luck.
    """
    if not len(confidence):
        return float(_CANDIDATES[0])
    above = confidence[:, np.newaxis] >= _CANDIDATES
    n, hits = above.sum(0), (above & right[:, np.newaxis]).sum(0)
    enough = np.flatnonzero((n > 0) & (hits + _DOUBT_RIGHT >= right_ratio * (n + _DOUBT)))
    return float(_CANDIDATES[enough[0] if len(enough) else -1])


def answers(probabilities: Floats, targets: Floats) -> Iterator[tuple[str, Floats, Bools, Bools]]:
    """Of each of ANSWERS: its name, every message's confidence, whether it is right, whether one is owed."""
    for answer in ANSWERS:
        if answer in CHOICES:
            at = CHOICES[answer]
            chosen = probabilities[:, at].argmax(1)
            owed = ~np.isnan(targets[:, at.start])
            right = np.take_along_axis(targets[:, at], chosen[:, np.newaxis], axis=1)[:, 0] == 1
            yield answer, probabilities[:, at].max(1), right, owed
        else:
            i = LABELS.index(answer)
            decided = probabilities[:, i] >= 0.5
            confidence = np.maximum(probabilities[:, i], 1 - probabilities[:, i])
            yield answer, confidence, decided == (targets[:, i] == 1), ~np.isnan(targets[:, i])


def head_of(answer: str) -> str:
    """`flag.churn` is one of `flag`; the poor tone that a category asks for stands alone."""
    return answer if answer == POOR_TONE else answer.split(".")[0]
