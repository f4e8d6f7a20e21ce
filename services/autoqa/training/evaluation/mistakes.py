"""The surest wrong answers about each flag: where to look first."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from services.autoqa.model.labels import FLAGS_AT, LABELS
from services.autoqa.training.evaluation.heldout import HeldOut, Judged

_MOST: Final = 5
_QUOTE_CHARS: Final = 110


def surest_mistakes(held: HeldOut, judged: Judged) -> Mapping[str, Sequence[Mapping[str, str | float]]]:
    """By flag, at most five messages: id, language, kind, probability, and how its text begins.

    The texts are our own, written for this project.
    """
    found: dict[str, list[Mapping[str, str | float]]] = {}
    for i in range(FLAGS_AT.start, FLAGS_AT.stop):
        wrong = held.owed[:, i] & (judged.decided[:, i] != (held.targets[:, i] == 1))
        distance = np.where(wrong, np.abs(judged.probabilities[:, i] - held.targets[:, i]), -1.0)
        order = np.argsort(-distance, kind="stable")[: min(_MOST, int(wrong.sum()))]
        found[LABELS[i]] = [
            {
                "id": held.examples[row].id,
                "language": held.examples[row].language,
                "kind": "false alarm" if judged.decided[row, i] else "missed",
                "probability": round(float(judged.probabilities[row, i]), 3),
                "text": quote(held.examples[row].message.text),
            }
            for row in order
        ]
    return found


def quote(text: str) -> str:
    """The beginning on one line."""
    line = " ".join(text.split())
    return line if len(line) <= _QUOTE_CHARS else line[: _QUOTE_CHARS - 1].rstrip() + "…"
