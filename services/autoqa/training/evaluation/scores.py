"""Precision, recall, F1 with its interval, average precision and kappa: a row a label, a row a head."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from services.autoqa.model.confidence import CHOICES, SWITCHES
from services.autoqa.model.labels import LABELS
from services.autoqa.training.evaluation.agreement import binary_kappa, confusion, kappa
from services.autoqa.training.evaluation.bootstrap import interval, resampled_f1
from services.autoqa.training.evaluation.heldout import HeldOut, Judged
from services.autoqa.training.evaluation.reliability import calibration_error, equal_mass_bins, head_bins
from services.autoqa.training.evaluation.targets import (
    CALIBRATION_ERROR,
    EVERY_LANGUAGE,
    HEAD_F1,
    HEADS,
    LABEL_F1,
)
from services.autoqa.training.metrics import score

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """One label in one language, decided at 0.5 or as the likeliest; the interval is that of F1."""

    label: str
    language: str
    n: int
    positives: int
    precision: float
    recall: float
    f1: float
    low: float
    high: float
    f1_at_threshold: float | None
    average_precision: float
    kappa: float
    calibration_error: float
    target: float | None
    reached: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadRow:
    """Mean F1 over a head's labels in one language; `kappa` of the choice, else the labels' mean."""

    head: str
    language: str
    n: int
    f1: float
    low: float
    high: float
    f1_at_threshold: float | None
    kappa: float
    target: float | None
    reached: bool | None
    calibration_error: float
    worst_label_calibration_error: float
    is_calibrated: bool


def score_rows(held: HeldOut, judged: Judged) -> tuple[list[LabelRow], list[HeadRow]]:
    """Every label and every head, for German, English and both."""
    label_rows: list[LabelRow] = []
    head_rows: list[HeadRow] = []
    for language in EVERY_LANGUAGE:
        rows = held.rows(language)
        true = held.targets[rows] == 1
        decided = judged.decided[rows] & held.owed[rows]
        draws = resampled_f1(decided, true, held.groups[rows])
        here = [_label_row(held, judged, i, language, draws[:, i]) for i in range(len(LABELS))]
        label_rows += here
        head_rows += [
            _head_row(held, judged, head, language, [r for r in here if _head(r) == head], draws)
            for head in HEADS
        ]
    return label_rows, head_rows


def _label_row(held: HeldOut, judged: Judged, i: int, language: str, draws: Floats) -> LabelRow:
    chosen = held.rows(language) & held.owed[:, i]
    probabilities, true = judged.probabilities[chosen, i], held.targets[chosen, i] == 1
    scores = score(judged.decided[chosen, i], true)
    tuned = score(probabilities >= judged.thresholds[chosen, i], true).f1
    precision = float(average_precision_score(true, probabilities)) if true.any() else 0.0
    low, high = interval(draws)
    target = LABEL_F1.get(LABELS[i])
    return LabelRow(
        label=LABELS[i],
        language=language,
        n=scores.n,
        positives=scores.positives,
        precision=_short(scores.precision),
        recall=_short(scores.recall),
        f1=_short(scores.f1),
        low=low,
        high=high,
        f1_at_threshold=_short(tuned) if i in SWITCHES else None,
        average_precision=_short(precision),
        kappa=_short(binary_kappa(judged.decided[chosen, i], true)),
        calibration_error=_short(calibration_error(equal_mass_bins(probabilities, true))),
        target=target,
        reached=None if target is None else scores.f1 >= target,
    )


def _head_row(
    held: HeldOut, judged: Judged, head: str, language: str, labels: Sequence[LabelRow], draws: Floats
) -> HeadRow:
    columns = [LABELS.index(row.label) for row in labels]
    low, high = interval(draws[:, columns].mean(1))
    f1 = _mean([row.f1 for row in labels])
    tuned = [row.f1_at_threshold for row in labels if row.f1_at_threshold is not None]
    error = calibration_error(head_bins(held, judged, head, language))
    target = HEAD_F1.get(head)
    return HeadRow(
        head=head,
        language=language,
        n=labels[0].n,
        f1=f1,
        low=low,
        high=high,
        f1_at_threshold=_mean(tuned) if tuned else None,
        kappa=_choice_kappa(held, judged, head, language)
        if head in CHOICES
        else _mean([row.kappa for row in labels]),
        target=target,
        reached=None if target is None else f1 >= target,
        calibration_error=_short(error),
        worst_label_calibration_error=max(row.calibration_error for row in labels),
        is_calibrated=error <= CALIBRATION_ERROR,
    )


def _choice_kappa(held: HeldOut, judged: Judged, head: str, language: str) -> float:
    at = CHOICES[head]
    rows = held.rows(language) & held.owed[:, at.start]
    chosen, true = judged.probabilities[rows, at].argmax(1), held.targets[rows, at].argmax(1)
    return _short(kappa(confusion(chosen, true, at.stop - at.start)))


def _head(row: LabelRow) -> str:
    return row.label.split(".")[0]


def _mean(values: Sequence[float]) -> float:
    return _short(float(np.mean(values)))


def _short(value: float) -> float:
    return round(value, 4)
