"""Fits confidence calibration and thresholds on held-out logits; see model/confidence.py for the formulas."""

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]  # ships no types

from services.autoqa.model.confidence import (
    ANY_LANGUAGE,
    CHOICES,
    LANGUAGES,
    SWITCHES,
    Confidence,
    Numbers,
)
from services.autoqa.model.labels import LABELS
from services.autoqa.training.evaluation.floors import fit_floors

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

_PULL: Final = 1e-3
"""Weight of the squared distance from 'no change', so that a label with few cases stays sane."""
_LANGUAGE_PULL: Final = 0.1
"""Weight of a language's squared distance from all messages together: it needs good reasons to differ.

Cross-fitted log loss by weight, against no difference at all: 0.002 makes flags and signals worse by 1 and
3 %, 0.1 makes flags and sentiment better by half a percent and leaves signals and tone as they are.
"""
_CANDIDATES: Final = np.round(np.arange(0.15, 0.86, 0.02), 2)
_SMOOTHING: Final = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9
"""F1 over neighbouring thresholds is averaged: the single highest point is mostly chance."""

_THRESHOLD_PULL: Final = 0.1
"""F1 that a threshold's squared distance from 0.5 must gain: 0.012 for going down to 0.15."""


def fit_confidence(logits: Floats, targets: Floats, languages: Sequence[str | None]) -> Confidence:
    """`targets` (messages, labels) with NaN where a role has no such label; `languages` one a message."""
    everything = _fit_numbers(logits, targets)
    numbers = {ANY_LANGUAGE: everything}
    for language in LANGUAGES:
        rows = np.array([other == language for other in languages], dtype=np.bool_)
        numbers[language] = _fit_numbers(logits, targets, rows=rows, near=everything)
    confidence = Confidence(languages=numbers, floors={})
    probabilities = confidence.probabilities(logits, languages)
    return Confidence(languages=numbers, floors=fit_floors(probabilities, targets))


def _fit_numbers(
    logits: Floats, targets: Floats, *, rows: Bools | None = None, near: Numbers | None = None
) -> Numbers:
    """From all rows; or from `rows`, pulled towards `near`."""
    start = near or Numbers.untrained()
    pull = _PULL if near is None else _LANGUAGE_PULL
    slopes, offsets, thresholds, temperatures = {}, dict.fromkeys(LABELS, 0.0), {}, {}
    for i in SWITCHES:
        label = LABELS[i]
        owed = ~np.isnan(targets[:, i])
        chosen = owed if rows is None else owed & rows
        first = np.array([np.log(start.slopes[label]), start.offsets[label]])
        slopes[label], offsets[label] = _fit_switch(logits[chosen, i], targets[chosen, i], first, pull)
        curve = _f1_curve(_sigmoid(slopes[label] * logits[chosen, i] + offsets[label]), targets[chosen, i])
        if near is not None:
            # Half of the weight lies with all messages: a language alone has few cases of a label.
            whole = _sigmoid(start.slopes[label] * logits[owed, i] + start.offsets[label])
            curve = (curve + _f1_curve(whole, targets[owed, i])) / 2
        thresholds[label] = best_threshold(curve)
    for name, at in CHOICES.items():
        chosen = ~np.isnan(targets[:, at.start])
        if rows is not None:
            chosen &= rows
        first = np.array([np.log(start.temperatures[name]), *(start.offsets[label] for label in LABELS[at])])
        temperatures[name], shifts = _fit_choice(logits[chosen, at], targets[chosen, at], first, pull)
        offsets.update(zip(LABELS[at], shifts, strict=True))
    return Numbers(slopes=slopes, offsets=offsets, temperatures=temperatures, thresholds=thresholds)


def best_threshold(curve: Floats) -> float:
    """Where the smoothed F1 over 0.15, 0.17 ... 0.85 is highest, those near 0.5 preferred."""
    padded = np.pad(curve, len(_SMOOTHING) // 2, mode="edge")
    smooth = np.convolve(padded, _SMOOTHING, mode="valid")
    return float(_CANDIDATES[np.argmax(smooth - _THRESHOLD_PULL * (_CANDIDATES - 0.5) ** 2)])


def _f1_curve(probabilities: Floats, true: Floats) -> Floats:
    predicted = probabilities[:, np.newaxis] >= _CANDIDATES
    hits = (predicted & (true == 1)[:, np.newaxis]).sum(0)
    curve: Floats = 2 * hits / np.maximum(1, predicted.sum(0) + (true == 1).sum())
    return curve


def _fit_switch(logits: Floats, true: Floats, first: Floats, pull: float) -> tuple[float, float]:
    def loss(x: Floats) -> float:
        scores = np.exp(x[0]) * logits + x[1]
        return _mean(np.logaddexp(0, scores) - true * scores) + pull * _distance(x, first)

    log_slope, offset = _minimum(loss, first)
    return float(np.exp(log_slope)), float(offset)


def _fit_choice(logits: Floats, true: Floats, first: Floats, pull: float) -> tuple[float, list[float]]:
    def loss(x: Floats) -> float:
        scores = logits * np.exp(-x[0]) + x[1:]
        norm = np.logaddexp.reduce(scores, axis=1)
        return _mean(norm - (scores * true).sum(1)) + pull * _distance(x, first)

    log_temperature, *shifts = _minimum(loss, first)
    return float(np.exp(log_temperature)), [float(shift) for shift in shifts]


def _mean(values: Floats) -> float:
    """0 without values: then the pull alone decides."""
    return float(values.mean()) if len(values) else 0.0


def _distance(x: Floats, first: Floats) -> float:
    return float((x - first) @ (x - first))


def _minimum(loss: Callable[[Floats], float], first: Floats) -> Floats:
    result: Floats = minimize(loss, first, method="L-BFGS-B").x
    return result


def _sigmoid(values: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-values))
    return result
