"""Score shift under augmentations, which leave every label as it is."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from services.autoqa.predictions import MessageInput
from services.autoqa.training.data import SEED, Example
from services.autoqa.training.evaluation.message_logits import MessageLogits
from services.autoqa.training.evaluation.shift import ShiftRow, shift_rows

Augmentation = Callable[[str, random.Random], str]

SAMPLE: Final = 240


def sample_of(examples: Sequence[Example], size: int = SAMPLE) -> list[Example]:
    """A seeded sample, half German and half English where there are enough."""
    chosen: list[Example] = []
    for language in ("de", "en"):
        spoken = [example for example in examples if example.language == language]
        rng = random.Random(SEED)  # noqa: S311  # the same sample each run is what is wanted
        chosen += rng.sample(spoken, min(size // 2, len(spoken)))
    return chosen


def augmented(messages: Sequence[MessageInput], augmentation: Augmentation) -> list[MessageInput]:
    """Each message changed with random numbers of its own, so that one more message changes no other."""
    return [
        replace(message, text=augmentation(message.text, random.Random(f"{SEED} {i}")))  # noqa: S311
        for i, message in enumerate(messages)
    ]


def robustness_rows(
    examples: Sequence[Example], reader: MessageLogits, augmentations: Mapping[str, Augmentation]
) -> list[ShiftRow]:
    """By augmentation and head, over the messages whose text it changed."""
    chosen = sample_of(examples)
    owed = np.array([[target is not None for target in example.targets] for example in chosen])
    messages = [example.message for example in chosen]
    before = reader.probabilities(messages, about="plain")
    rows: list[ShiftRow] = []
    for name, augmentation in augmentations.items():
        changed = augmented(messages, augmentation)
        places = [i for i, message in enumerate(changed) if message.text != messages[i].text]
        if places:
            after = reader.probabilities([changed[i] for i in places], about=name)
            rows += shift_rows(name, before[places], after, owed[places])
    return rows
