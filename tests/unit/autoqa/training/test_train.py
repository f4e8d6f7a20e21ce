"""A run that was cut off goes on as if it had not been."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor

from services.autoqa.model.encode import Window
from services.autoqa.model.network import EncoderShape, MessageNetwork
from services.autoqa.training.batches import Batch, shuffled_batches
from services.autoqa.training.lessons import AuxiliaryHeads
from services.autoqa.training.train import Log, Run, TrainOptions, load_checkpoint

SHAPE = EncoderShape(
    vocab_size=50,
    hidden_size=16,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=32,
    max_position_embeddings=64,
    type_vocab_size=1,
    layer_norm_eps=1e-5,
)


class PushUp:
    """Wants every logit high; says "power cut" at one step."""

    def __init__(self, cut_at: int | None = None) -> None:
        rng = random.Random(1)
        self.windows: Sequence[Window] = [_window(rng, rng.randrange(4, 40)) for _ in range(60)]
        self._cut_at = cut_at
        self.steps = 0

    def open(self, seed: int) -> list[list[int]]:
        """See Lesson."""
        return shuffled_batches(self.windows, 128, random.Random(seed))

    def loss(self, network: MessageNetwork, batch: Batch) -> Tensor:
        """See Lesson."""
        if self.steps == self._cut_at:
            raise KeyboardInterrupt("power cut")
        self.steps += 1
        logits, _ = network(batch.ids, batch.mask, batch.own)
        return -torch.nn.functional.logsigmoid(logits.float()).sum()


def _window(rng: random.Random, length: int) -> Window:
    ids = tuple(rng.randrange(5, 50) for _ in range(length))
    return Window(ids=ids, first=1, last=length - 1, sentences=(0,) * (length - 2))


def _run(out: Path, lesson: PushUp) -> Run:
    out.mkdir(exist_ok=True)
    torch.manual_seed(7)
    options = TrainOptions(base="", out=out, threads=1)
    network = MessageNetwork(SHAPE, dropout=0.1)
    return Run(options, network, AuxiliaryHeads(16, {}), [lesson] * 3, [], Log(out / "log.jsonl"))


def test_a_run_learns(tmp_path: Path) -> None:
    """The loss falls, and the averaged weights follow."""
    run = _run(tmp_path, PushUp())
    bias = run.network.heads.bias.detach().clone()
    run.go()
    assert (load_checkpoint(tmp_path)["network"]["heads.bias"] > bias).all()


def test_a_run_that_is_cut_off_ends_as_one_that_was_not(tmp_path: Path) -> None:
    """Weights, averages and optimiser go on from the last whole pass."""
    whole = PushUp()
    _run(tmp_path / "whole", whole).go()
    with pytest.raises(KeyboardInterrupt):
        _run(tmp_path / "cut", PushUp(cut_at=whole.steps // 3 + 2)).go()
    rest = PushUp()
    _run(tmp_path / "cut", rest).go()
    assert rest.steps < whole.steps
    expected, resumed = (load_checkpoint(tmp_path / name)["network"] for name in ("whole", "cut"))
    for name, value in expected.items():
        torch.testing.assert_close(resumed[name], value, msg=name)
