"""The int8 graph says what the reference weights say."""

import numpy as np
import pytest

from services.autoqa.model import load_model
from services.autoqa.model.files import WEIGHTS, WEIGHTS_FOLDER
from services.autoqa.predictions import CustomerPrediction, MessageModel, Prediction

pytest.importorskip("torch", reason="the reference runtime needs torch (extra 'train' or 'gpu')")
if not (WEIGHTS_FOLDER / WEIGHTS).exists():
    pytest.skip("the reference weights are not in this checkout", allow_module_level=True)

from services.autoqa.training.data import load_parts  # training needs torch


def row(prediction: Prediction) -> list[float]:
    if isinstance(prediction, CustomerPrediction):
        return [*prediction.sentiment.values(), *prediction.flags.values()]
    return [*prediction.signals.values(), *prediction.tone.values()]


def test_graph_and_reference_agree(model: MessageModel) -> None:
    """On dev messages: few labels flip at 0.5, probabilities are close, revisions differ."""
    messages = [example.message for example in load_parts()["dev"][::25]]
    reference = load_model("torch", threads=2)
    ours = np.array([x for p in model.predict(messages) for x in row(p)])
    theirs = np.array([x for p in reference.predict(messages) for x in row(p)])
    assert np.abs(ours - theirs).mean() < 0.015
    assert ((ours >= 0.5) != (theirs >= 0.5)).mean() < 0.015
    assert model.revision != reference.revision
