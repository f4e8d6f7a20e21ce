"""Fine-tunes the encoder with all heads. Resumable; a run can be given a time limit it keeps.

data -> windows -> frozen bottom layers, once -> epochs of the rest -> checkpoint.pt, log.jsonl
"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor

from services.autoqa.model.encode import Encoder
from services.autoqa.model.network import EncoderShape, MessageNetwork, load_base
from services.autoqa.training.batches import (
    EncodedExample,
    encode_examples,
    make_batch,
    shuffled_batches,
    sorted_batches,
)
from services.autoqa.training.data import SEED, Example, load_parts
from services.autoqa.training.loss import message_loss, positive_weights
from services.autoqa.training.metrics import quick_scores

CHECKPOINT: Final = "checkpoint.pt"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """The recipe."""

    base: str
    """Folder of the base encoder, or its name at the hub."""
    out: Path
    """Folder of the run: checkpoint and log."""
    epochs: int = 3
    frozen_layers: int = 4
    """Bottom layers that keep the base's weights; their outputs are computed once."""
    batch_size: int = 32
    learning_rate: float = 1.5e-4
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up_ratio: float = 0.06
    dropout: float = 0.1
    minutes: float = 0.0
    """Where above 0: the run ends by then, the learning rate falls with the clock where that is ahead."""
    threads: int = 2
    limit: int = 0
    """Where above 0: only so many examples, to try the recipe."""
    seed: int = SEED


class Log:
    """Appends one JSON object a line; never message text."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, event: str, **fields: Any) -> None:
        """Appends to the file and prints."""
        line = json.dumps(
            {"event": event, "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), **fields}
        )
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)


def base_folder(base: str) -> Path:
    """A local folder as it is; any other name is fetched from the hub once."""
    if Path(base).is_dir():
        return Path(base)
    from huggingface_hub import snapshot_download

    return Path(snapshot_download(base, allow_patterns=["*.json", "model.safetensors"]))


def train(options: TrainOptions) -> None:
    """Runs, or resumes, the run in `options.out`."""
    torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    options.out.mkdir(parents=True, exist_ok=True)
    log = Log(options.out / "log.jsonl")
    base = base_folder(options.base)
    encoder = Encoder(base / "tokenizer.json")
    parts = load_parts()
    train_part, dev_part = _limited(parts["train"], options), _limited(parts["dev"], options)
    encoded = encode_examples(train_part, encoder, hide_channels=True)
    dev = encode_examples(dev_part, encoder, hide_channels=False)
    shape = EncoderShape.from_config(json.loads((base / "config.json").read_text(encoding="utf-8")))
    network = MessageNetwork(shape, dropout=options.dropout)
    load_base(network, load_file(base / "model.safetensors"))
    log.write(
        "train.started",
        options={**asdict(options), "out": str(options.out)},
        train=len(encoded),
        dev=len(dev),
        tokens=sum(len(e.window.ids) for e in encoded),
    )
    _Run(options, network, encoded, dev, dev_part, log).go()


class _Run:
    """One run's state: weights, optimiser, place in the epochs, seconds spent."""

    def __init__(
        self,
        options: TrainOptions,
        network: MessageNetwork,
        encoded: list[EncodedExample],
        dev: list[EncodedExample],
        dev_part: Sequence[Example],
        log: Log,
    ) -> None:
        self.options, self.network, self.encoded, self.dev, self.log = options, network, encoded, dev, log
        self.dev_part = dev_part
        self.weights = positive_weights(encoded)
        self.steps_per_epoch = -(-len(encoded) // options.batch_size)
        self.step = 0
        self.spent = 0.0
        self.optimizer = torch.optim.AdamW(self._groups(), betas=(0.9, 0.98), eps=1e-6, fused=True)

    def _groups(self) -> list[dict[str, Any]]:
        """Trainable weights: all but the embeddings and the frozen layers."""
        options, network = self.options, self.network
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        for module in (*network.layers[options.frozen_layers :], network.heads):
            for parameter in module.parameters():
                parameter.requires_grad_(True)
        body = [p for layer in network.layers[options.frozen_layers :] for p in layer.parameters()]
        rates = {"lr": options.learning_rate, "top": options.learning_rate}
        heads = {"lr": options.head_learning_rate, "top": options.head_learning_rate}
        return [
            {"params": [p for p in body if p.ndim > 1], "weight_decay": options.weight_decay, **rates},
            {"params": [p for p in body if p.ndim == 1], "weight_decay": 0.0, **rates},
            {"params": list(network.heads.parameters()), "weight_decay": 0.0, **heads},
        ]

    def go(self) -> None:
        """All epochs that are left."""
        self._resume()
        started = time.monotonic()
        cache = self._cached_bottom()
        total = self.options.epochs * self.steps_per_epoch
        loss_sum, tokens, since = 0.0, 0, time.monotonic()
        while self.step < total:
            epoch, place = divmod(self.step, self.steps_per_epoch)
            batches = shuffled_batches(self.encoded, self.options.batch_size, self.options.seed + epoch)
            for indices in batches[place:]:
                progress = self._progress(total, started)
                if progress >= 1.0:
                    total = self.step
                    break
                loss_sum += self._train_step(indices, cache, progress)
                tokens += sum(len(self.encoded[i].window.ids) for i in indices)
                self.step += 1
                if self.step % 50 == 0:
                    seconds = time.monotonic() - since
                    self.log.write(
                        "train.step",
                        step=self.step,
                        epoch=round(self.step / self.steps_per_epoch, 3),
                        progress=round(progress, 4),
                        loss=round(loss_sum / 50, 4),
                        tokens_per_second=round(tokens / seconds),
                        seconds_per_step=round(seconds / 50, 3),
                    )
                    loss_sum, tokens, since = 0.0, 0, time.monotonic()
                if self.step % 250 == 0:
                    self._save(started)
            self._save(started)
            self._evaluate()
            since, tokens, loss_sum = time.monotonic(), 0, 0.0
        self.log.write(
            "train.finished", step=self.step, seconds=round(self.spent + time.monotonic() - started)
        )

    def _progress(self, total: int, started: float) -> float:
        by_clock = 0.0
        if self.options.minutes > 0:
            by_clock = (self.spent + time.monotonic() - started) / (60 * self.options.minutes)
        return max(self.step / total, by_clock)

    def _train_step(self, indices: list[int], cache: list[Tensor], progress: float) -> float:
        self.network.train()
        torch.manual_seed(self.options.seed + self.step)
        warm_up = self.options.warm_up_ratio
        share = min(progress / warm_up, 1.0) if progress < warm_up else (1 - progress) / (1 - warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = group["top"] * max(share, 1e-3)
        batch = make_batch(self.encoded, indices)
        hidden = torch.zeros(*batch.ids.shape, cache[0].shape[-1])
        for row, index in enumerate(indices):
            hidden[row, : cache[index].shape[0]] = cache[index]
        logits, _ = self.network.upper(hidden, batch.mask, batch.own, self.options.frozen_layers)
        loss = message_loss(logits, batch.targets, self.weights)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_([p for p in self.network.parameters() if p.grad is not None], 1.0)
        self.optimizer.step()
        return loss.item()

    def _cached_bottom(self) -> list[Tensor]:
        """Outputs of the frozen layers, half precision: about 0.8 kB a token."""
        self.network.eval()
        cache: list[Tensor] = [torch.empty(0)] * len(self.encoded)
        began = time.monotonic()
        with torch.inference_mode():
            for batch in sorted_batches(self.encoded, self.options.batch_size):
                hidden = self.network.lower(batch.ids, batch.mask, self.options.frozen_layers)
                for row, index in enumerate(batch.indices):
                    cache[index] = hidden[row, : len(self.encoded[index].window.ids)].half().clone()
        self.log.write(
            "train.cached", layers=self.options.frozen_layers, seconds=round(time.monotonic() - began)
        )
        return cache

    def _evaluate(self) -> None:
        logits = predict_logits(self.network, self.dev, self.options.batch_size)
        self.log.write("train.evaluated", step=self.step, **quick_scores(logits, self.dev))

    def _save(self, started: float) -> None:
        now = time.monotonic()
        state = {
            "network": {
                name: value
                for name, value in self.network.state_dict().items()
                if not name.startswith(("words.", "positions.", "embedding_norm."))
            },
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "spent": self.spent + now - started,
        }
        path = self.options.out / CHECKPOINT
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    def _resume(self) -> None:
        path = self.options.out / CHECKPOINT
        if path.exists():
            state = torch.load(path, weights_only=True)
            self.network.load_state_dict(state["network"], strict=False)
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent = state["step"], state["spent"]
            self.log.write("train.resumed", step=self.step)


def predict_logits(network: MessageNetwork, encoded: Sequence[EncodedExample], size: int = 32) -> Tensor:
    """Raw logits (examples, labels) of each example's window."""
    network.eval()
    rows: list[Tensor] = [torch.empty(0)] * len(encoded)
    with torch.inference_mode():
        for batch in sorted_batches(encoded, size):
            logits, _ = network(batch.ids, batch.mask, batch.own)
            for row, index in enumerate(batch.indices):
                rows[index] = logits[row].clone()
    return torch.stack(rows)


def _limited(examples: list[Example], options: TrainOptions) -> list[Example]:
    """Every n-th example, so that all files stay present."""
    return examples if not options.limit else examples[:: max(1, len(examples) // options.limit)]
