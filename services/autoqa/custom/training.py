"""Trains the head of a custom category and measures it. Pure: equal examples give equal heads.

    features | repeated stratified folds, each strength | the strength with the least loss
             | calibrated on the folds' answers | precision and recall of those | fitted on all examples

With 8 to 50 examples and a thousand features all happens in the span of the examples, which has as many
dimensions as there are examples: a fit takes a millisecond. Folds rather than leave-one-out: leaving one out
of two equal kinds shifts the balance against it, so that noise would look worse than noise.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.autoqa.custom.head import Head
from services.autoqa.embedding import Floats

__all__ = ["Quality", "Trained", "train_head", "warnings_of"]

Bools = NDArray[np.bool_]

STRENGTHS: Final = (1.0, 0.3, 0.1, 0.03, 0.01)
"""Of the L2 penalty; on 46 intents and styles with 5 to 25 examples each way, the best lay in between."""
_FOLDS: Final = 5
_REPEATS: Final = 4
_STEPS: Final = 50
_POOR: Final = 0.7
_FEW: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """Cross-validated on `positives` + `negatives` examples; shares 0..1, 0 where nothing was found."""

    precision: float
    recall: float
    positives: int
    negatives: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """A head and how good it is."""

    head: Head
    quality: Quality


def train_head(features: Floats, positive: Bools) -> Trained:
    """`features` (examples, features); at least two examples of each kind."""
    left, sizes, basis = np.linalg.svd(features, full_matrices=False)
    points = left * sizes
    folds = list(_folds(positive))
    strength, answers = min(
        ((strength, _answers(points, positive, folds, strength)) for strength in STRENGTHS),
        key=lambda tried: _least_loss(tried[1], positive),
    )
    slope, offset = _calibrated(answers, positive)
    weights, bias = _fit(points, positive.astype(np.float64), strength)
    return Trained(
        head=Head(weights=weights @ basis, bias=bias, slope=slope, offset=offset),
        quality=_quality(slope * answers + offset > 0, positive),
    )


def warnings_of(quality: Quality) -> tuple[str, ...]:
    """Words in snake case for what a QA lead should know before trusting the head."""
    found = []
    if quality.precision < _POOR:
        found.append("low_precision")
    if quality.recall < _POOR:
        found.append("low_recall")
    if min(quality.positives, quality.negatives) < _FEW:
        found.append("few_examples")
    return tuple(found)


def _folds(positive: Bools) -> Iterator[list[Bools]]:
    """For each repetition the examples that each fold holds out: every one once, both kinds spread evenly."""
    count = min(_FOLDS, int(positive.sum()), int((~positive).sum()))
    chance = np.random.default_rng(0)
    for _ in range(_REPEATS):
        numbers = np.empty(len(positive), dtype=np.int64)
        for kind in (positive, ~positive):
            places = chance.permutation(np.flatnonzero(kind))
            numbers[places] = np.arange(len(places)) % count
        yield [numbers == number for number in range(count)]


def _answers(points: Floats, positive: Bools, folds: Sequence[list[Bools]], strength: float) -> Floats:
    """Raw logits (repetitions, examples), each of a head that had not seen the example."""
    logits = np.empty((len(folds), len(points)))
    targets = positive.astype(np.float64)
    for repetition, held_out in enumerate(folds):
        for fold in held_out:
            weights, bias = _fit(points[~fold], targets[~fold], strength)
            logits[repetition, fold] = points[fold] @ weights + bias
    return logits


def _least_loss(answers: Floats, positive: Bools) -> float:
    """Log loss after calibration, so that a strength is judged by its order of the examples."""
    slope, offset = _calibrated(answers, positive)
    return _loss(slope * answers + offset, np.broadcast_to(positive, answers.shape).astype(np.float64))


def _calibrated(answers: Floats, positive: Bools) -> tuple[float, float]:
    """Platt's scaling with his smoothed targets (1999). A head that knows nothing gets slope 0."""
    positives, negatives = int(positive.sum()), int((~positive).sum())
    targets = np.where(positive, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    spread = np.broadcast_to(targets, answers.shape).reshape(-1)
    weights, offset = _fit(answers.reshape(-1, 1), spread, 1e-3)
    slope = float(weights[0])
    if slope <= 0:
        return 0.0, float(np.log(positives / negatives))
    return slope, offset


def _fit(points: Floats, targets: Floats, strength: float) -> tuple[Floats, float]:
    """Least loss + strength/2 * |weights|^2 by Newton's method; the bias is hardly held back."""
    design = np.column_stack([points, np.ones(len(points))])
    penalty = np.append(np.full(points.shape[1], strength), 1e-4)
    solution = np.zeros(design.shape[1])

    def cost(at: Floats) -> float:
        return _loss(design @ at, targets) * len(targets) + float(penalty @ at**2) / 2

    value = cost(solution)
    for _ in range(_STEPS):
        shown = 1 / (1 + np.exp(-np.clip(design @ solution, -50, 50)))
        slope = design.T @ (shown - targets) + penalty * solution
        curve = (design * (shown * (1 - shown))[:, None]).T @ design + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        size = 1.0
        while size > 1e-6 and cost(solution - size * step) > value:
            size /= 2
        solution = solution - size * step
        after = cost(solution)
        if value - after < 1e-9:
            break
        value = after
    return solution[:-1], float(solution[-1])


def _loss(logits: Floats, targets: Floats) -> float:
    """Mean log loss."""
    return float(np.mean(np.logaddexp(0, logits) - targets * logits))


def _quality(found: Bools, positive: Bools) -> Quality:
    right = int((found & positive).sum())
    shown, there = int(found.sum()), int(positive.sum()) * len(found)
    return Quality(
        precision=round(right / shown, 4) if shown else 0.0,
        recall=round(right / there, 4),
        positives=int(positive.sum()),
        negatives=int((~positive).sum()),
    )
