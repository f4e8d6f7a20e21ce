"""Intervals over groups."""

import numpy as np
import pytest

from services.autoqa.training.evaluation.bootstrap import (
    draw_weights,
    group_sums,
    interval,
    resampled_f1,
    resampled_ratio,
)


def test_each_draw_holds_as_many_groups_as_there_are() -> None:
    """With replacement, the same each time."""
    weights = draw_weights(7, 50)
    assert (weights.sum(1) == 7).all()
    assert weights.max() > 1
    assert (weights == draw_weights(7, 50)).all()


def test_sums_are_those_of_the_groups() -> None:
    """Whatever their numbers and order."""
    values = np.array([[1.0, 10], [2, 20], [4, 40]])
    assert group_sums(values, np.array([9, 3, 9])).tolist() == [[2, 20], [5, 50]]


def test_f1_of_the_draws_lies_around_that_of_all() -> None:
    """A perfect answer is perfect in every draw; a column without any case is 0."""
    rng = np.random.default_rng(1)
    true = rng.random((400, 1)) < 0.4
    decided = true ^ (rng.random((400, 1)) < 0.1)
    draws = resampled_f1(
        np.hstack([decided, true, true & False]), np.hstack([true, true, true & False]), np.arange(400)
    )
    f1 = 2 * (decided & true).sum() / (decided.sum() + true.sum())
    low, high = interval(draws[:, 0])
    assert low < f1 < high
    assert draws[:, 1].min() == 1
    assert draws[:, 2].max() == 0


def test_messages_of_one_group_are_drawn_together() -> None:
    """Ten copies of each message tell no more than one: the interval is the same as without them."""
    rng = np.random.default_rng(2)
    right = rng.random(40) < 0.7
    alone = interval(resampled_ratio(right, np.arange(40)))
    copied = interval(resampled_ratio(np.repeat(right, 10), np.repeat(np.arange(40), 10)))
    assert copied == pytest.approx(alone)
    taken_apart = interval(resampled_ratio(np.repeat(right, 10), np.arange(400)))
    assert taken_apart[1] - taken_apart[0] < (alone[1] - alone[0]) / 2
