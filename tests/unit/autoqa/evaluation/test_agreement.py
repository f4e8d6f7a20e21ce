"""Kappa and confusion."""

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from services.autoqa.training.evaluation.agreement import binary_kappa, confusion, kappa


def test_kappa_is_what_others_compute() -> None:
    """On three random classes."""
    rng = np.random.default_rng(3)
    true = rng.integers(0, 3, 200)
    chosen = np.where(rng.random(200) < 0.6, true, rng.integers(0, 3, 200))
    table = confusion(chosen, true, 3)
    assert table.sum() == 200
    assert table[1, 2] == ((true == 1) & (chosen == 2)).sum()
    assert kappa(table) == pytest.approx(cohen_kappa_score(true, chosen))


def test_kappa_of_chance_is_nothing_and_of_agreement_one() -> None:
    """Where only one answer ever occurs, agreement proves nothing."""
    yes, no = np.array([True]), np.array([False])
    assert binary_kappa(np.repeat(no, 9), np.repeat(no, 9)) == 0
    assert binary_kappa(np.array([], dtype=np.bool_), np.array([], dtype=np.bool_)) == 0
    both = np.concatenate([yes, no, no])
    assert binary_kappa(both, both) == 1
    assert binary_kappa(both, ~both) < 0
