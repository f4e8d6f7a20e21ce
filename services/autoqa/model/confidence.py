"""Confidence calibration: from raw logits to probabilities, with numbers fitted on the development part.

Flags and signals: p = sigmoid(slope * logit + offset), one pair a label (Platt 1999). Sentiment and tone:
p = softmax(logits / temperature + offsets) (Guo et al. 2017 with class offsets). So 0.5 is where a label is
more likely true than not; `thresholds` holds where F1 was highest, which for rare labels lies lower.

German and English have numbers of their own, fitted to stay near those of all messages together, which
serve where the language is another one or not known.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.labels import FLAGS_AT, LABELS, SENTIMENT_AT, SIGNALS_AT, TONE_AT

Floats = NDArray[np.float64]

SWITCHES = (*range(FLAGS_AT.start, FLAGS_AT.stop), *range(SIGNALS_AT.start, SIGNALS_AT.stop))
"""Places of the labels that are yes or no."""
CHOICES = {"sentiment": SENTIMENT_AT, "tone": TONE_AT}
"""Places of the labels of which exactly one holds."""
POOR_TONE: Final = "tone.poor"
"""Answered yes or no by the category tone, so it has a floor of its own beside that of the choice."""
ANSWERS: Final = (*(LABELS[i] for i in SWITCHES), *CHOICES, POOR_TONE)
"""What can be answered about a message, and so has a floor."""

ANY_LANGUAGE: Final = "all"
"""The numbers for whatever language."""
LANGUAGES: Final = ("de", "en")
"""Languages with numbers of their own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers:
    """Fitted numbers of one language, all keyed by names of LABELS or of CHOICES."""

    slopes: Mapping[str, float]
    offsets: Mapping[str, float]
    temperatures: Mapping[str, float]
    thresholds: Mapping[str, float]

    @classmethod
    def untrained(cls) -> "Numbers":
        """They change nothing."""
        return cls(
            slopes={LABELS[i]: 1.0 for i in SWITCHES},
            offsets=dict.fromkeys(LABELS, 0.0),
            temperatures=dict.fromkeys(CHOICES, 1.0),
            thresholds={LABELS[i]: 0.5 for i in SWITCHES},
        )

    def probabilities(self, logits: Floats) -> Floats:
        """Calibrated probabilities (rows, labels) in the order of LABELS."""
        result = np.zeros_like(logits)
        for i in SWITCHES:
            result[:, i] = _sigmoid(self.slopes[LABELS[i]] * logits[:, i] + self.offsets[LABELS[i]])
        for name, at in CHOICES.items():
            offsets = np.array([self.offsets[label] for label in LABELS[at]])
            result[:, at] = _softmax(logits[:, at] / self.temperatures[name] + offsets)
        return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Confidence:
    """Numbers by language, ANY_LANGUAGE always among them, and the floors that hold for every language.

    `floors` gives for each of ANSWERS the confidence 0.5..1 from which on at least 95 % of the answers to
    held-out messages were right. The confidence of an answer is the probability of the likelier one.
    """

    languages: Mapping[str, Numbers]
    floors: Mapping[str, float]

    @classmethod
    def untrained(cls) -> "Confidence":
        """Probabilities as the raw logits give them, and no floor."""
        return cls(languages={ANY_LANGUAGE: Numbers.untrained()}, floors=dict.fromkeys(ANSWERS, 0.5))

    @classmethod
    def load(cls, path: Path) -> "Confidence":
        """Reads what `save` wrote."""
        stored = json.loads(path.read_text(encoding="utf-8"))
        languages = {language: Numbers(**numbers) for language, numbers in stored["languages"].items()}
        return cls(languages=languages, floors=stored["floors"])

    def save(self, path: Path) -> None:
        """Writes JSON with six digits."""
        languages = {
            language: {field: _rounded(values) for field, values in asdict(numbers).items()}
            for language, numbers in self.languages.items()
        }
        stored = {"languages": languages, "floors": _rounded(self.floors)}
        path.write_text(json.dumps(stored, indent=1, sort_keys=True) + "\n", encoding="utf-8")

    def numbers(self, language: str | None) -> Numbers:
        """Those of `language`, a code like `de` or `de-CH`; those of any where it has none."""
        code = (language or ANY_LANGUAGE).lower().split("-")[0]
        return self.languages.get(code, self.languages[ANY_LANGUAGE])

    def probabilities(
        self, logits: NDArray[np.floating], languages: Sequence[str | None] | None = None
    ) -> Floats:
        """Calibrated probabilities (rows, labels) in the order of LABELS; `languages`: of each row."""
        values = np.asarray(logits, dtype=np.float64)
        if languages is None:
            return self.numbers(None).probabilities(values)
        result = np.zeros_like(values)
        for language in dict.fromkeys(languages):
            rows = np.array([other == language for other in languages])
            result[rows] = self.numbers(language).probabilities(values[rows])
        return result

    def thresholds(self, languages: Sequence[str | None]) -> Floats:
        """(rows, labels) where F1 was highest; 0.5 for labels of a choice, which the likeliest answers."""
        rows = {
            language: [self.numbers(language).thresholds.get(label, 0.5) for label in LABELS]
            for language in set(languages)
        }
        return np.array([rows[language] for language in languages]).reshape(-1, len(LABELS))


def _rounded(values: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in values.items()}


def _sigmoid(values: Floats) -> Floats:
    result: Floats = 1 / (1 + np.exp(-np.clip(values, -50, 50)))
    return result


def _softmax(values: Floats) -> Floats:
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    result: Floats = powers / powers.sum(axis=1, keepdims=True)
    return result
