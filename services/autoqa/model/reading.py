"""From a network's raw numbers to predictions: windows joined, probabilities calibrated, evidence chosen.

A flag or signal of a long message counts as in its strongest window; sentiment and tone are the mean over
windows, since they speak of the whole message. Evidence is the sentence whose tokens contributed most.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.confidence import CHOICES, SWITCHES, Confidence
from services.autoqa.model.encode import EncodedMessage
from services.autoqa.model.labels import (
    FLAGS,
    FLAGS_AT,
    LABELS,
    SENTIMENT_AT,
    SENTIMENTS,
    SIGNALS,
    SIGNALS_AT,
    TONE_AT,
    TONES,
)
from services.autoqa.predictions import AgentPrediction, CustomerPrediction, Prediction, Span

Floats = NDArray[np.float32]

DIGITS = 4
"""Probabilities are rounded to this many digits: float sums differ in the seventh with a batch's shape."""


def read_message(
    role: str,
    encoded: EncodedMessage,
    logits: Sequence[Floats],
    contributions: Sequence[Floats],
    confidence: Confidence,
    *,
    language: str | None = None,
) -> Prediction:
    """One prediction from each window's logits (labels) and contributions (own tokens, labels)."""
    joined, strongest = _joined(np.stack(logits))
    by_sentence = [
        _by_sentence(window.sentences, values)
        for window, values in zip(encoded.windows, contributions, strict=True)
    ]
    row = confidence.probabilities(joined[np.newaxis], [language])[0].round(DIGITS).tolist()

    def switch_evidence(label: int) -> Span:
        sums = by_sentence[strongest[label]]
        return encoded.sentences[max(sums, key=lambda sentence: float(sums[sentence][label]))]

    def signal_evidence(label: int) -> Span:
        """A greeting is two words: the strongest token tells its sentence, a sum would favour long ones."""
        window, values = encoded.windows[strongest[label]], contributions[strongest[label]]
        return encoded.sentences[window.sentences[int(values[:, label].argmax())]]

    def choice_evidence(at: slice) -> Span:
        label = int(joined[at].argmax())
        sums = [(s, float(v[at][label] - v[at].mean())) for window in by_sentence for s, v in window.items()]
        return encoded.sentences[max(sums, key=lambda pair: pair[1])[0]]

    if role == "customer":
        return CustomerPrediction(
            sentiment=dict(zip(SENTIMENTS, row[SENTIMENT_AT], strict=True)),
            flags=dict(zip(FLAGS, row[FLAGS_AT], strict=True)),
            sentiment_evidence=choice_evidence(SENTIMENT_AT),
            flag_evidence={flag: switch_evidence(FLAGS_AT.start + i) for i, flag in enumerate(FLAGS)},
        )
    return AgentPrediction(
        signals=dict(zip(SIGNALS, row[SIGNALS_AT], strict=True)),
        tone=dict(zip(TONES, row[TONE_AT], strict=True)),
        signal_evidence={s: signal_evidence(SIGNALS_AT.start + i) for i, s in enumerate(SIGNALS)},
        tone_evidence=choice_evidence(TONE_AT),
    )


def _joined(logits: Floats) -> tuple[Floats, list[int]]:
    """Logits of the whole message, and for each label the window that decided."""
    joined = np.zeros(len(LABELS), dtype=np.float32)
    for at in CHOICES.values():
        joined[at] = logits[:, at].mean(axis=0)
    switches = list(SWITCHES)
    joined[switches] = logits[:, switches].max(axis=0)
    return joined, [int(i) for i in logits.argmax(axis=0)]


def _by_sentence(sentences: Sequence[int], contributions: Floats) -> dict[int, Floats]:
    """Contributions summed over the tokens of each sentence."""
    sums: dict[int, Floats] = {}
    for sentence, values in zip(sentences, contributions, strict=True):
        sums[sentence] = sums[sentence] + values if sentence in sums else values
    return sums
