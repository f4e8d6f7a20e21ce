"""What the encoder made of a message, for heads that are trained later from a company's own examples.

    features = [ m_0 / |m_0|, m_1 / |m_1|, m_2 / |m_2| ] / sqrt(3)        m_k = mean over the own tokens

The states are those of the embedding, the middle and the last layer: fine-tuning bends the last ones towards
the shipped labels, so the lower ones tell other things apart better. The mean is a sum, so the features are
the sum of one addend a sentence: whatever is linear in them can be explained sentence by sentence, exactly.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.autoqa.predictions import MessageInput, MessageModel, Prediction, Span

__all__ = ["DEPTHS", "Embedding", "Floats", "ReadingModel"]

Floats = NDArray[np.float64]

DEPTHS: Final = 3
"""How many layers' states are joined."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Embedding:
    """`sums` (sentences, DEPTHS, width): each sentence's states summed over its `tokens` in all."""

    sentences: tuple[Span, ...]
    sums: NDArray[np.float32]
    tokens: int

    def shares(self) -> Floats:
        """(sentences, DEPTHS * width): each sentence's addend; an overlong message's unread ones are 0."""
        total = self.sums.sum(axis=0, dtype=np.float64)
        lengths = np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)
        scaled: Floats = self.sums / (lengths * DEPTHS**0.5)
        return scaled.reshape(len(self.sums), -1)

    def features(self) -> Floats:
        """(DEPTHS * width,), of length 1."""
        total: Floats = self.shares().sum(axis=0)
        return total


class ReadingModel(MessageModel, Protocol):
    """A message model over which heads of a company's own can be trained."""

    @property
    def gives_states(self) -> bool:
        """Whether `embed` may be called: a graph made before custom categories lacks that output."""
        ...

    def embed(self, messages: Sequence[MessageInput]) -> list[tuple[Prediction, Embedding]]:
        """As `predict`, with each message's embedding from the same pass. Raises `Stop` without states."""
        ...
