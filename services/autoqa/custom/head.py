"""The head of a custom category: logistic regression over a message's embedding.

    p = sigmoid(slope * (w . features + bias) + offset)

Linear in the features, which are a sum over sentences: a sentence's addend is its exact share of the logit.
`slope` and `offset` are fitted on answers to messages that the head had not seen (training.py).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from services.autoqa.embedding import Embedding, Floats
from services.autoqa.predictions import Span

__all__ = ["CategoryReading", "Head", "read_message", "sigmoid"]

_DIGITS: Final = 4
"""Float sums differ in the seventh digit with a batch's shape."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Head:
    """`weights` (features,)."""

    weights: Floats
    bias: float
    slope: float
    offset: float

    def logit(self, features: Floats) -> float:
        """Calibrated: 0 is where yes and no are equally likely."""
        return self.slope * (float(self.weights @ features) + self.bias) + self.offset


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryReading:
    """What a head said of one message: calibrated probability 0..1, and the sentence that weighed most.

    `input_hash` names what was read, as in `readings.Reading`.
    """

    input_hash: bytes
    probability: float
    evidence: Span


def read_message(head: Head, embedding: Embedding, *, input_hash: bytes) -> CategoryReading:
    """Apply `head`."""
    shares = embedding.shares()
    probability = sigmoid(head.logit(shares.sum(axis=0)))
    strongest = int(np.argmax(shares @ head.weights))
    return CategoryReading(
        input_hash=input_hash,
        probability=round(probability, _DIGITS),
        evidence=embedding.sentences[strongest],
    )


def sigmoid(value: float) -> float:
    """Without overflow."""
    return float(1 / (1 + np.exp(-np.clip(value, -50, 50))))
