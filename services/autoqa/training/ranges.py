"""Measures range and mean of activations at each quantised input, on training messages."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from services.autoqa.model.network import MessageNetwork
from services.autoqa.training.batches import EncodedExample, sorted_batches

QUANTIZED = ("qkv", "attention_out", "up", "down")


def activation_ranges(
    network: MessageNetwork, encoded: Sequence[EncodedExample]
) -> dict[str, NDArray[np.float32]]:
    """(3, channels): lowest, highest and mean input of each quantised layer over all tokens but padding."""
    ranges: dict[str, Tensor] = {}
    counts: dict[str, int] = {}
    mask = torch.empty(0)

    def watch(name: str) -> None:
        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen = inputs[0][mask]
            low, high, mean = ranges.get(name, torch.zeros(3, seen.shape[-1]))
            counts[name] = counts.get(name, 0) + len(seen)
            mean = mean + (seen.mean(0) - mean) * (len(seen) / counts[name])
            ranges[name] = torch.stack([low.minimum(seen.amin(0)), high.maximum(seen.amax(0)), mean])

        hooks.append(network.get_submodule(name).register_forward_pre_hook(before))

    hooks: list[torch.utils.hooks.RemovableHandle] = []
    for index in range(len(network.layers)):
        for linear in QUANTIZED:
            watch(f"layers.{index}.{linear}")
    network.eval()
    with torch.inference_mode():
        for batch in sorted_batches([example.window for example in encoded], 32):
            mask = batch.mask
            network(batch.ids, batch.mask, batch.own)
    for hook in hooks:
        hook.remove()
    return {name: bounds.numpy() for name, bounds in ranges.items()}
