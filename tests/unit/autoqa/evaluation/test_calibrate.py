"""What is fitted on held-out logits."""

import numpy as np
import pytest

from services.autoqa.model.labels import LABELS
from services.autoqa.training.calibrate import best_threshold, fit_confidence
from tests.unit.autoqa.evaluation.held import CHURN, customers


def logits_and_labels(n: int, slope: float) -> tuple[list[float], list[bool]]:
    """Labels true with the probability sigmoid(slope * logit)."""
    rng = np.random.default_rng(5)
    logits = rng.normal(0, 2, n)
    churn = rng.random(n) < 1 / (1 + np.exp(-slope * logits))
    return logits.tolist(), churn.tolist()


def test_overconfident_logits_are_drawn_together() -> None:
    """The slope that made the labels is found."""
    logits, churn = logits_and_labels(2000, 0.5)
    held = customers(churn=churn, logits=logits)
    confidence = fit_confidence(held.logits, held.targets, ["de"] * 2000)
    assert confidence.numbers("de").slopes["flag.churn"] == pytest.approx(0.5, abs=0.1)


def test_a_language_without_messages_has_the_numbers_of_all() -> None:
    """It needs reasons to differ."""
    logits, churn = logits_and_labels(300, 0.5)
    held = customers(churn=churn, logits=logits)
    confidence = fit_confidence(held.logits, held.targets, ["de"] * 300)
    everything, english = confidence.numbers(None), confidence.numbers("en")
    assert english.slopes == pytest.approx(dict(everything.slopes))
    assert english.offsets == pytest.approx(dict(everything.offsets))
    assert english.temperatures == pytest.approx(dict(everything.temperatures))


def test_languages_that_differ_get_numbers_that_differ_less() -> None:
    """Pulled towards all messages together."""
    logits, churn = logits_and_labels(2000, 1.0)
    shifted = [logit + (2 if i % 2 else 0) for i, logit in enumerate(logits)]
    held = customers(churn=churn, logits=shifted)
    languages = ["en" if i % 2 else "de" for i in range(2000)]
    confidence = fit_confidence(held.logits, held.targets, languages)
    de, en = (confidence.numbers(language).offsets["flag.churn"] for language in ("de", "en"))
    assert en < confidence.numbers(None).offsets["flag.churn"] < de
    assert de - en < 2
    rows = confidence.probabilities(held.logits[:2], ["de", "en"])
    assert rows.shape == (2, len(LABELS))
    assert 0 < rows[0, CHURN] < 1


def test_the_threshold_lies_on_the_hill_not_on_a_lone_peak() -> None:
    """And near 0.5 where nothing speaks against it."""
    assert best_threshold(np.zeros(36)) == pytest.approx(0.49)
    curve = np.zeros(36)
    curve[2], curve[20:26] = 1.0, 0.9
    assert 0.55 <= best_threshold(curve) <= 0.65
