"""Calibrated probabilities are probabilities."""

from pathlib import Path

import numpy as np
import pytest

from services.autoqa.model.confidence import SWITCHES, Confidence
from services.autoqa.model.labels import LABELS, SENTIMENT_AT, TONE_AT


def test_choices_sum_to_one_and_switches_stay_between_zero_and_one() -> None:
    """Even for absurd logits."""
    logits = np.array([[1000.0, -1000.0] * (len(LABELS) // 2), [0.0] * len(LABELS)])
    row, even = Confidence.untrained().probabilities(logits)
    assert row.min() >= 0
    assert row.max() <= 1
    for at in (SENTIMENT_AT, TONE_AT):
        assert row[at].sum() == pytest.approx(1)
    assert even[list(SWITCHES)] == pytest.approx(0.5)


def test_saved_numbers_come_back(tmp_path: Path) -> None:
    """JSON keeps them."""
    confidence = Confidence.untrained()
    confidence.save(tmp_path / "confidence.json")
    assert Confidence.load(tmp_path / "confidence.json") == confidence
