"""Fits confidence calibration and thresholds on held-out logits; see model/confidence.py for the formulas."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]  # ships no types

from services.autoqa.model.confidence import CHOICES, SWITCHES, Confidence
from services.autoqa.model.labels import LABELS
from services.autoqa.training.metrics import score

Floats = NDArray[np.float64]

_PULL = 1e-3
"""Weight of the squared distance from 'no change', so that a label with few cases stays sane."""


def fit_confidence(logits: Floats, targets: Floats) -> Confidence:
    """`targets` (messages, labels) with NaN where a role has no such label."""
    slopes, offsets, thresholds, temperatures = {}, dict.fromkeys(LABELS, 0.0), {}, {}
    for i in SWITCHES:
        rows = ~np.isnan(targets[:, i])
        slope, offset = _fit_switch(logits[rows, i], targets[rows, i])
        slopes[LABELS[i]], offsets[LABELS[i]] = slope, offset
        probabilities = 1 / (1 + np.exp(-(slope * logits[rows, i] + offset)))
        thresholds[LABELS[i]] = best_threshold(probabilities, targets[rows, i] == 1)
    for name, at in CHOICES.items():
        rows = ~np.isnan(targets[:, at.start])
        temperature, shifts = _fit_choice(logits[rows, at], targets[rows, at])
        temperatures[name] = temperature
        offsets.update(zip(LABELS[at], shifts, strict=True))
    return Confidence(slopes=slopes, offsets=offsets, temperatures=temperatures, thresholds=thresholds)


def best_threshold(probabilities: Floats, true: NDArray[np.bool_]) -> float:
    """Where F1 is highest among 0.15, 0.17 ... 0.85; of equals the one nearest to 0.5."""
    candidates = [round(0.15 + 0.02 * i, 2) for i in range(36)]
    return max(candidates, key=lambda t: (score(probabilities >= t, true).f1, -abs(t - 0.5)))


def _fit_switch(logits: Floats, true: Floats) -> tuple[float, float]:
    def loss(x: Floats) -> float:
        scores = np.exp(x[0]) * logits + x[1]
        return float(np.mean(np.logaddexp(0, scores) - true * scores) + _PULL * (x @ x))

    log_slope, offset = _minimum(loss, 2)
    return float(np.exp(log_slope)), float(offset)


def _fit_choice(logits: Floats, true: Floats) -> tuple[float, list[float]]:
    def loss(x: Floats) -> float:
        scores = logits * np.exp(-x[0]) + x[1:]
        norm = np.logaddexp.reduce(scores, axis=1)
        return float(np.mean(norm - (scores * true).sum(1)) + _PULL * (x @ x))

    log_temperature, *shifts = _minimum(loss, 1 + logits.shape[1])
    return float(np.exp(log_temperature)), [float(shift) for shift in shifts]


def _minimum(loss: Callable[[Floats], float], size: int) -> Floats:
    result: Floats = minimize(loss, np.zeros(size), method="L-BFGS-B").x
    return result
