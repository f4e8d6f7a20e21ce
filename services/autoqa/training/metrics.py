"""Precision, recall and F1 from decisions; plain counting."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, stack

from services.autoqa.model.labels import FLAGS_AT, LABELS, SENTIMENT_AT, SIGNALS_AT, TONE_AT
from services.autoqa.training.batches import EncodedExample


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Of one label: `n` messages, `positives` of them true."""

    n: int
    positives: int
    precision: float
    recall: float
    f1: float


def score(predicted: NDArray[np.bool_], true: NDArray[np.bool_]) -> Scores:
    """Counts; a quotient without cases is 0."""
    hits = int((predicted & true).sum())
    precision = hits / max(1, int(predicted.sum()))
    recall = hits / max(1, int(true.sum()))
    f1 = 2 * hits / max(1, int(predicted.sum()) + int(true.sum()))
    return Scores(n=len(true), positives=int(true.sum()), precision=precision, recall=recall, f1=f1)


def quick_scores(logits: Tensor, encoded: Sequence[EncodedExample]) -> dict[str, float]:
    """Macro F1 a head without calibration, to follow a run."""
    targets = stack([example.targets for example in encoded]).numpy()
    values = logits.numpy()
    scores: dict[str, float] = {}
    for head, at in (("flags", FLAGS_AT), ("signals", SIGNALS_AT)):
        rows = ~np.isnan(targets[:, at.start])
        f1 = [score(values[rows, i] > 0, targets[rows, i] == 1).f1 for i in range(at.start, at.stop)]
        scores[head] = round(float(np.mean(f1)), 4)
        scores.update({LABELS[at.start + i]: round(value, 3) for i, value in enumerate(f1)})
    for head, at in (("sentiment", SENTIMENT_AT), ("tone", TONE_AT)):
        rows = ~np.isnan(targets[:, at.start])
        chosen, true = values[rows, at].argmax(1), targets[rows, at].argmax(1)
        scores[head] = round(float(np.mean([score(chosen == c, true == c).f1 for c in range(3)])), 4)
        scores[f"{head}.accuracy"] = round(float((chosen == true).mean()), 4)
    return scores
