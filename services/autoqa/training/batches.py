"""Batches of encoded examples: padded tensors of few different shapes, with little padding."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from services.autoqa.model.encode import Encoder, Window
from services.autoqa.training.augment import augment
from services.autoqa.training.data import Example, hides_channel

_WIDTH_STEP: Final = 16
"""Batches are so many tokens wide or a multiple: each new shape costs a CPU's kernels a warm-up."""


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


def encode_examples(
    examples: Sequence[Example], encoder: Encoder, *, training: bool, augmented: float = 0.0, seed: int = 0
) -> list[EncodedExample]:
    """Encodes each example once. In training some lose their channel, and an `augmented` share is changed."""
    encoded = []
    rng = random.Random(seed)  # noqa: S311  # the same changes each run are what is wanted
    for example in examples:
        message = example.message
        if training:
            channel = None if hides_channel(example) else message.channel
            message = replace(message, channel=channel, text=augment(message.text, rng, share=augmented))
        window = encoder.encode(message).windows[0]
        targets = torch.tensor([float("nan") if t is None else t for t in example.targets])
        encoded.append(EncodedExample(window=window, targets=targets))
    return encoded


def make_batch(windows: Sequence[Window], indices: list[int]) -> Batch:
    """Pads the chosen windows to the next step of widths."""
    chosen = [windows[i] for i in indices]
    width = _width(max(len(window.ids) for window in chosen))
    ids = torch.ones(len(chosen), width, dtype=torch.long)
    mask = torch.zeros(len(chosen), width, dtype=torch.bool)
    own = torch.zeros(len(chosen), width, dtype=torch.bool)
    for row, window in enumerate(chosen):
        ids[row, : len(window.ids)] = torch.tensor(window.ids)
        mask[row, : len(window.ids)] = True
        own[row, window.first : window.last] = True
    return Batch(indices=indices, ids=ids, mask=mask, own=own)


def sorted_batches(windows: Sequence[Window], size: int) -> Iterator[Batch]:
    """Every window once, longest first."""
    order = sorted(range(len(windows)), key=lambda i: -len(windows[i].ids))
    for start in range(0, len(order), size):
        yield make_batch(windows, order[start : start + size])


def shuffled_batches(windows: Sequence[Window], tokens: int, rng: random.Random) -> list[list[int]]:
    """Indices of one epoch's batches in random order: of one width each, of about `tokens` tokens."""
    by_width: dict[int, list[int]] = {}
    for index, window in enumerate(windows):
        by_width.setdefault(_width(len(window.ids)), []).append(index)
    batches: list[list[int]] = []
    for width, members in sorted(by_width.items()):
        rng.shuffle(members)
        size = max(1, tokens // width)
        batches.extend(members[start : start + size] for start in range(0, len(members), size))
    rng.shuffle(batches)
    return batches


def _width(tokens: int) -> int:
    return -(-tokens // _WIDTH_STEP) * _WIDTH_STEP
