"""Confidence calibration: from raw logits to probabilities, with numbers fitted on the development part.

Flags and signals: p = sigmoid(slope * logit + offset), one pair a label (Platt 1999). Sentiment and tone:
p = softmax(logits / temperature + offsets) (Guo et al. 2017 with class offsets). So 0.5 is where a label is
more likely true than not; `thresholds` holds where F1 was highest, which for rare labels lies lower.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.labels import FLAGS_AT, LABELS, SENTIMENT_AT, SIGNALS_AT, TONE_AT

Floats = NDArray[np.float64]

SWITCHES = (*range(FLAGS_AT.start, FLAGS_AT.stop), *range(SIGNALS_AT.start, SIGNALS_AT.stop))
"""Places of the labels that are yes or no."""
CHOICES = {"sentiment": SENTIMENT_AT, "tone": TONE_AT}
"""Places of the labels of which exactly one holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Fitted numbers, all keyed by names of LABELS or of CHOICES."""

    slopes: Mapping[str, float]
    offsets: Mapping[str, float]
    temperatures: Mapping[str, float]
    thresholds: Mapping[str, float]

    @classmethod
    def untrained(cls) -> "Confidence":
        """Probabilities as the raw logits give them."""
        return cls(
            slopes={LABELS[i]: 1.0 for i in SWITCHES},
            offsets=dict.fromkeys(LABELS, 0.0),
            temperatures=dict.fromkeys(CHOICES, 1.0),
            thresholds={LABELS[i]: 0.5 for i in SWITCHES},
        )

    @classmethod
    def load(cls, path: Path) -> "Confidence":
        """Reads what `save` wrote."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        """Writes JSON with six digits."""
        rounded = {
            field: {name: round(value, 6) for name, value in numbers.items()}
            for field, numbers in asdict(self).items()
        }
        path.write_text(json.dumps(rounded, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def probabilities(self, logits: NDArray[np.floating]) -> Floats:
        """Calibrated probabilities (rows, labels) in the order of LABELS."""
        values = np.asarray(logits, dtype=np.float64)
        result = np.zeros_like(values)
        for i in SWITCHES:
            result[:, i] = _sigmoid(self.slopes[LABELS[i]] * values[:, i] + self.offsets[LABELS[i]])
        for name, at in CHOICES.items():
            offsets = np.array([self.offsets[label] for label in LABELS[at]])
            result[:, at] = _softmax(values[:, at] / self.temperatures[name] + offsets)
        return result


def _sigmoid(values: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-np.clip(values, -50, 50)))
    return result


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result
