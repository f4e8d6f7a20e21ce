"""The confidence floors that were measured with the weights, by category."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from services.autoqa.model.confidence import POOR_TONE, Confidence
from services.autoqa.model.files import CONFIDENCE, WEIGHTS_FOLDER
from shared.domain.labels import Signal
from shared.domain.scorecard import CategoryId

__all__ = ["measured_floors", "stored_floors"]

_ANSWER_OF: Final[Mapping[CategoryId, str]] = {
    CategoryId.GREETING: f"signal.{Signal.GREETING}",
    CategoryId.CLOSING: f"signal.{Signal.CLOSING}",
    CategoryId.EMPATHY: f"signal.{Signal.EMPATHY}",
    CategoryId.SOLUTION: f"signal.{Signal.SOLUTION}",
    CategoryId.TONE: POOR_TONE,
}
"""What the model is asked for a category. The others' answers are no single answer of the model."""


def measured_floors(confidence: Confidence) -> dict[CategoryId, float]:
    """Floors of the categories that rest on one answer of the model."""
    return {category: confidence.floors[answer] for category, answer in _ANSWER_OF.items()}


def stored_floors(folder: Path | None) -> dict[CategoryId, float]:
    """Those in `folder`; of the shipped weights when None."""
    return measured_floors(Confidence.load((folder or WEIGHTS_FOLDER) / CONFIDENCE))
