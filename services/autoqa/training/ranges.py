"""Measures the range of activations at each quantised input, on training messages."""

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
    """(2, channels): lowest and highest input of each quantised layer over all tokens, padding left out."""
    ranges: dict[str, Tensor] = {}
    mask = torch.empty(0)

    def watch(name: str) -> None:
        def before(_: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            seen = inputs[0][mask]
            low, high = ranges.get(name, torch.zeros(2, seen.shape[-1]))
            ranges[name] = torch.stack([low.minimum(seen.amin(0)), high.maximum(seen.amax(0))])

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
