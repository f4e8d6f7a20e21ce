"""Calibrated probabilities are probabilities."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from services.autoqa.model.confidence import ANY_LANGUAGE, SWITCHES, Confidence, Numbers
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


def test_a_language_has_its_own_numbers_and_others_those_of_all() -> None:
    """Regions count as their language; an unknown one, and none, as any."""
    de = replace(Numbers.untrained(), offsets={**Numbers.untrained().offsets, "flag.churn": 2.0})
    confidence = replace(Confidence.untrained(), languages={ANY_LANGUAGE: Numbers.untrained(), "de": de})
    rows = confidence.probabilities(np.zeros((5, len(LABELS))), ["de", "de-CH", "en", None, "fr"])
    churn = rows[:, LABELS.index("flag.churn")]
    assert churn[:2] == pytest.approx(1 / (1 + np.exp(-2)))
    assert churn[2:] == pytest.approx(0.5)
    assert confidence.probabilities(np.zeros((1, len(LABELS))))[0] == pytest.approx(rows[3])


def test_thresholds_are_those_of_each_rows_language() -> None:
    """0.5 for the labels of a choice."""
    de = replace(Numbers.untrained(), thresholds={**Numbers.untrained().thresholds, "flag.churn": 0.3})
    confidence = replace(Confidence.untrained(), languages={ANY_LANGUAGE: Numbers.untrained(), "de": de})
    thresholds = confidence.thresholds(["de", None])
    assert thresholds.shape == (2, len(LABELS))
    assert thresholds[:, LABELS.index("flag.churn")].tolist() == [0.3, 0.5]
    assert (thresholds[:, SENTIMENT_AT] == 0.5).all()
