"""The reference runtime: the fp16 weights in torch, in fp32 on the CPU and bf16 on a GPU."""

from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file

from services.autoqa.model.batching import BatchedModel
from services.autoqa.model.confidence import Confidence
from services.autoqa.model.encode import Encoder
from services.autoqa.model.files import (
    CONFIDENCE,
    TOKENIZER,
    WEIGHTS,
    check_config,
    revision_of,
    state_depths,
)
from services.autoqa.model.network import EncoderShape, MessageNetwork
from services.autoqa.model.reading import Floats

BATCH_TOKENS: Final = {"cpu": 2048, "cuda": 65536}

Device = Literal["cpu", "cuda"]


class TorchNetwork:
    """The network on one device. On the CPU, torch's thread count is the process's: the last load decides."""

    def __init__(self, network: MessageNetwork, *, device: Device, threads: int) -> None:
        self.gives_states = True
        """See Network."""
        self._dtype = torch.bfloat16 if device == "cuda" else torch.float32
        self._device = device
        self._network = network.eval().to(device)
        # The heads stay fp32: contributions must add up to the logits.
        for module in (network.words, network.positions, network.embedding_norm, network.layers):
            module.to(self._dtype)
        if device == "cpu":
            torch.set_num_threads(threads)

    def __call__(
        self, ids: NDArray[np.int64], mask: NDArray[np.bool_], own: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """See Network."""
        with torch.inference_mode():
            logits, contributions = self._network(
                *(torch.from_numpy(array).to(self._device) for array in (ids, mask, own))
            )
        return logits.float().cpu().numpy(), contributions.float().cpu().numpy()

    def with_states(
        self, ids: NDArray[np.int64], mask: NDArray[np.bool_], own: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, list[Floats]]:
        """See Network."""
        with torch.inference_mode():
            tokens, masked, marked = (torch.from_numpy(array).to(self._device) for array in (ids, mask, own))
            states = list(self._network.depths(tokens, masked))
            logits, contributions = self._network.heads(states[-1], marked)
            chosen = [states[depth].float().cpu().numpy() for depth in state_depths(len(states) - 1)]
        return logits.float().cpu().numpy(), contributions.float().cpu().numpy(), chosen


def load_network(folder: Path) -> MessageNetwork:
    """The reference weights, widened to fp32."""
    network = MessageNetwork(EncoderShape.from_config(check_config(folder)["encoder"]))
    state = load_file(folder / WEIGHTS)
    network.load_state_dict({name: tensor.float() for name, tensor in state.items()})
    return network.eval()


def load_torch_model(folder: Path, *, device: Device, threads: int) -> BatchedModel:
    """Opens the weights in `folder`."""
    return BatchedModel(
        encoder=Encoder(folder / TOKENIZER),
        network=TorchNetwork(load_network(folder), device=device, threads=threads),
        confidence=Confidence.load(folder / CONFIDENCE),
        revision=revision_of(folder, WEIGHTS, device),
        batch_tokens=BATCH_TOKENS[device],
        workers=1,
    )
