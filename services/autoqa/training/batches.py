"""Batches of encoded examples: padded tensors, sorted by length so that little is padding."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from services.autoqa.model.encode import Encoder, Window
from services.autoqa.training.data import Example, hides_channel


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedExample:
    """The message's first window, from which is learned, and the targets; NaN where no label is owed."""

    window: Window
    targets: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """(batch, tokens) tensors; `own` marks the message's own tokens, `indices` name the examples."""

    indices: list[int]
    ids: Tensor
    mask: Tensor
    own: Tensor
    targets: Tensor


def encode_examples(
    examples: Sequence[Example], encoder: Encoder, *, hide_channels: bool
) -> list[EncodedExample]:
    """Encodes each example once; in training some are read without their channel."""
    encoded = []
    for example in examples:
        message = example.message
        if hide_channels and hides_channel(example):
            message = replace(message, channel=None)
        window = encoder.encode(message).windows[0]
        targets = torch.tensor([float("nan") if t is None else t for t in example.targets])
        encoded.append(EncodedExample(window=window, targets=targets))
    return encoded


def make_batch(encoded: Sequence[EncodedExample], indices: list[int]) -> Batch:
    """Pads the chosen examples to their longest."""
    windows = [encoded[i].window for i in indices]
    width = max(len(window.ids) for window in windows)
    ids = torch.ones(len(windows), width, dtype=torch.long)
    mask = torch.zeros(len(windows), width, dtype=torch.bool)
    own = torch.zeros(len(windows), width, dtype=torch.bool)
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = torch.tensor(window.ids)
        mask[row, : len(window.ids)] = True
        own[row, window.first : window.last] = True
    targets = torch.stack([encoded[i].targets for i in indices])
    return Batch(indices=indices, ids=ids, mask=mask, own=own, targets=targets)


def sorted_batches(encoded: Sequence[EncodedExample], size: int) -> Iterator[Batch]:
    """Every example once, longest first."""
    order = sorted(range(len(encoded)), key=lambda i: -len(encoded[i].window.ids))
    for start in range(0, len(order), size):
        yield make_batch(encoded, order[start : start + size])


def shuffled_batches(encoded: Sequence[EncodedExample], size: int, seed: int) -> list[list[int]]:
    """Indices of one epoch's batches: neighbours in length, jittered by a tenth, in random order."""
    rng = random.Random(seed)  # noqa: S311  # the same order each run is what is wanted
    order = sorted(range(len(encoded)), key=lambda i: len(encoded[i].window.ids) * rng.uniform(0.95, 1.05))
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    rng.shuffle(batches)
    return batches
