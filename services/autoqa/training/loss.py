"""The loss: binary cross-entropy for flags and signals, cross-entropy for sentiment and tone."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from services.autoqa.model.labels import FLAGS_AT, SENTIMENT_AT, SIGNALS_AT, TONE_AT

MAX_POSITIVE_WEIGHT = 2.5
"""Rare labels weigh sqrt(negatives / positives), at most this: mild, the rest is left to calibration."""


def positive_weights(targets: Sequence[Sequence[float | None]]) -> Tensor:
    """One weight a label, from the training part's targets."""
    known = torch.tensor([[float("nan") if t is None else t for t in row] for row in targets])
    positives = (known == 1).sum(0).clamp(min=1)
    negatives = (known == 0).sum(0)
    return (negatives / positives).sqrt().clamp(1.0, MAX_POSITIVE_WEIGHT)


def message_loss(logits: Tensor, targets: Tensor, weights: Tensor) -> Tensor:
    """Sum over messages of the sum over the heads that the message's role has."""
    customer = ~targets[:, SENTIMENT_AT.start].isnan()
    total = logits.new_zeros(())
    for rows, choice, switches in ((customer, SENTIMENT_AT, FLAGS_AT), (~customer, TONE_AT, SIGNALS_AT)):
        if rows.any():
            chosen, goal = logits[rows], targets[rows]
            total = total + functional.cross_entropy(
                chosen[:, choice], goal[:, choice].argmax(1), reduction="sum"
            )
            total = total + functional.binary_cross_entropy_with_logits(
                chosen[:, switches], goal[:, switches], pos_weight=weights[switches], reduction="sum"
            )
    return total
