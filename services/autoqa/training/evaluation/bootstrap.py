"""Bootstrap intervals by groups: messages of one conversation are alike, so they are drawn together."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Integers = NDArray[np.int64]

DRAWS: Final = 1000
_SEED: Final = 20261124
_EDGES: Final = (2.5, 97.5)


def draw_weights(n_groups: int, draws: int = DRAWS) -> Floats:
    """(draws, groups): how often each group is in a draw of `n_groups` with replacement."""
    if not n_groups:
        return np.zeros((draws, 0))
    rng = np.random.default_rng(_SEED)
    return rng.multinomial(n_groups, np.full(n_groups, 1 / n_groups), size=draws).astype(np.float64)


def group_sums(values: Floats, groups: Integers) -> Floats:
    """(groups, columns): sums of (messages, columns) over each group, in the order of their numbers."""
    names, places = np.unique(groups, return_inverse=True)
    sums = np.zeros((len(names), values.shape[1]))
    np.add.at(sums, places, values)
    return sums


def resampled_f1(decided: Bools, true: Bools, groups: Integers, draws: int = DRAWS) -> Floats:
    """(draws, columns) F1 of (messages, columns); a column without any case in a draw has 0 there.

    A message that owes no answer in a column is neither decided nor true there.
    """
    weights = draw_weights(len(np.unique(groups)), draws)
    hits = weights @ group_sums((decided & true).astype(np.float64), groups)
    cases = weights @ group_sums(decided.astype(np.float64) + true, groups)
    f1: Floats = 2 * hits / np.maximum(cases, 1)
    return f1


def resampled_ratio(right: Bools, groups: Integers, draws: int = DRAWS) -> Floats:
    """(draws) share of what is true."""
    weights = draw_weights(len(np.unique(groups)), draws)
    sums = weights @ group_sums(np.stack([right, np.ones(len(right))], axis=1).astype(np.float64), groups)
    ratio: Floats = sums[:, 0] / np.maximum(sums[:, 1], 1)
    return ratio


def interval(samples: Floats) -> tuple[float, float]:
    """The middle 95 % of the draws."""
    low, high = np.percentile(samples, _EDGES)
    return round(float(low), 4), round(float(high), 4)
