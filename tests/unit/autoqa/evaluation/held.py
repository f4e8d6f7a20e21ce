"""Held-out messages in short, with logits as told."""

import numpy as np

from services.autoqa.model.labels import FLAGS_AT, LABELS, SENTIMENT_AT
from services.autoqa.predictions import MessageInput
from services.autoqa.training.data import Example
from services.autoqa.training.evaluation.heldout import HeldOut

CHURN = LABELS.index("flag.churn")


def customers(
    *, churn: list[bool], logits: list[float], language: str = "de", groups: list[str] | None = None
) -> HeldOut:
    """Neutral customers' messages that churn or not; all other logits say no."""
    n = len(churn)
    rows, targets = np.full((n, len(LABELS)), -6.0), np.full((n, len(LABELS)), np.nan)
    targets[:, SENTIMENT_AT] = targets[:, FLAGS_AT] = 0.0
    targets[:, SENTIMENT_AT.start + 1] = 1.0
    rows[:, SENTIMENT_AT.start + 1] = 6.0
    targets[:, CHURN], rows[:, CHURN] = churn, logits
    names = groups or [f"g{i}" for i in range(n)]
    examples = [
        Example(
            id=f"m{i}",
            file="file",
            group=names[i],
            language=language,
            message=MessageInput(role="customer", channel=None, text=f"text {i}", language=language),
            targets=tuple(None if np.isnan(t) else float(t) for t in targets[i]),
        )
        for i in range(n)
    ]
    return HeldOut(examples=examples, logits=rows, targets=targets)
