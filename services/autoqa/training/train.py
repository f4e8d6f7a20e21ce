"""Fine-tunes the encoder with all heads. Resumable; a run can be given a time limit it keeps.

neighbouring tasks, some passes -> our own messages, some passes -> moving average -> checkpoint.pt, log.jsonl
"""

import json
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from services.autoqa.model.encode import Encoder
from services.autoqa.model.network import EncoderShape, MessageNetwork, load_base
from services.autoqa.training.auxiliary import load_auxiliary
from services.autoqa.training.batches import (
    Batch,
    EncodedExample,
    encode_examples,
    make_batch,
    sorted_batches,
)
from services.autoqa.training.data import SEED, Example, load_parts
from services.autoqa.training.lessons import AuxiliaryHeads, AuxiliaryLesson, Lesson, OwnLesson
from services.autoqa.training.metrics import quick_scores

CHECKPOINT: Final = "checkpoint.pt"
_EMBEDDINGS: Final = ("words.", "positions.", "embedding_norm.")
_SAVE_EVERY: Final = 250
_LOG_EVERY: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainOptions:
    """The recipe."""

    base: str
    """Folder of the base encoder, or its name at the hub."""
    out: Path
    """Folder of the run: checkpoint and log."""
    start: Path | None = None
    """A finished run to begin from, with its heads."""
    epochs: int = 6
    """Passes over our own messages."""
    auxiliary: Path = Path("../shared/data")
    auxiliary_epochs: int = 0
    """Passes over the neighbouring tasks, before our own."""
    step_tokens: int = 2560
    """Padded tokens of one step, about 30 messages."""
    learning_rate: float = 1.5e-4
    layer_decay: float = 0.93
    """Each layer learns at this share of the rate of the layer above (Howard and Ruder 2018)."""
    head_learning_rate: float = 1e-3
    weight_decay: float = 0.01
    warm_up_ratio: float = 0.06
    dropout: float = 0.1
    augmented: float = 0.3
    """Share of messages that are changed by `augment.py`, anew in each pass."""
    average_decay: float = 0.998
    """Of the exponential moving average of the weights, which is what is kept."""
    minutes: float = 0.0
    """Where above 0: the run ends by then, the learning rate falls with the clock where that is ahead."""
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 2
    share: float = 1.0
    """Share of the training examples that is used, of each file alike: for the learning curve."""
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
    own = _share(parts["train"], options.share)
    dev = encode_examples(parts["dev"], encoder, training=False)
    shape = EncoderShape.from_config(json.loads((base / "config.json").read_text(encoding="utf-8")))
    network = MessageNetwork(shape, dropout=options.dropout)
    load_base(network, load_file(base / "model.safetensors"))
    if options.start is not None:
        network.load_state_dict(load_checkpoint(options.start)["network"], strict=False)
    data = load_auxiliary(options.auxiliary, options.seed) if options.auxiliary_epochs else None
    heads = AuxiliaryHeads(shape.hidden_size, data.answers if data else {})
    lesson: Lesson = OwnLesson(own, encoder, tokens=options.step_tokens, augmented=options.augmented)
    plan = [lesson] * options.epochs
    if data:
        plan = [
            AuxiliaryLesson(data, encoder, heads, tokens=options.step_tokens)
        ] * options.auxiliary_epochs + plan
    log.write(
        "train.started",
        options={name: str(v) if isinstance(v, Path) else v for name, v in asdict(options).items()},
        train=len(own),
        dev=len(dev),
        auxiliary=len(data.examples) if data else 0,
    )
    Run(options, network, heads, plan, dev, log).go()


def load_checkpoint(run: Path) -> dict[str, Any]:
    """What a run saved: `network` is the moving average, without the embeddings, which stay the base's."""
    state: dict[str, Any] = torch.load(run / CHECKPOINT, weights_only=True, map_location="cpu")
    return state


class Run:
    """One run's state: weights, their average, optimiser, place in the plan, seconds spent."""

    def __init__(
        self,
        options: TrainOptions,
        network: MessageNetwork,
        heads: AuxiliaryHeads,
        plan: Sequence[Lesson],
        dev: list[EncodedExample],
        log: Log,
    ) -> None:
        self.options, self.plan, self.dev, self.log = options, plan, dev, log
        self.network, self.heads = network.to(options.device), heads.to(options.device)
        for module in (network.words, network.positions, network.embedding_norm):
            module.requires_grad_(False)
        self.optimizer = torch.optim.AdamW(self._groups(), betas=(0.9, 0.98), eps=1e-6, fused=True)
        self.average = {name: value.detach().clone() for name, value in self._trained().items()}
        self.epoch, self.place, self.step = 0, 0, 0
        self.spent = 0.0
        self.started = time.monotonic()

    def _trained(self) -> dict[str, Tensor]:
        state = self.network.state_dict()
        return {name: value for name, value in state.items() if not name.startswith(_EMBEDDINGS)}

    def _groups(self) -> list[dict[str, Any]]:
        """Layers with rates that fall towards the bottom; biases and norms are not decayed."""
        options, depth = self.options, len(self.network.layers)
        groups: list[dict[str, Any]] = []

        def add(modules: Sequence[nn.Module], rate: float) -> None:
            parameters = [p for module in modules for p in module.parameters()]
            for matrix in (True, False):
                chosen = [p for p in parameters if (p.ndim > 1) == matrix]
                decay = options.weight_decay if matrix else 0.0
                groups.append({"params": chosen, "weight_decay": decay, "lr": rate, "top": rate})

        for index, layer in enumerate(self.network.layers):
            add([layer], options.learning_rate * options.layer_decay ** (depth - 1 - index))
        add([self.network.heads, self.heads], options.head_learning_rate)
        return [group for group in groups if group["params"]]

    def go(self) -> None:
        """All passes that are left."""
        self._resume()
        loss_sum, messages, tokens, since = 0.0, 0, 0, time.monotonic()
        while self.epoch < len(self.plan) and self._progress(0) < 1.0:
            lesson = self.plan[self.epoch]
            batches = lesson.open(self.options.seed + self.epoch)
            for indices in batches[self.place :]:
                progress = self._progress(self.place / len(batches))
                if progress >= 1.0:
                    break
                batch = make_batch(lesson.windows, indices)
                loss_sum += self._train_step(lesson, batch, progress)
                messages += len(indices)
                tokens += int(batch.mask.sum())
                self.place += 1
                self.step += 1
                if self.step % _LOG_EVERY == 0:
                    seconds = time.monotonic() - since
                    self.log.write(
                        "train.step",
                        step=self.step,
                        epoch=round(self.epoch + self.place / len(batches), 3),
                        progress=round(progress, 4),
                        loss=round(loss_sum / messages, 4),
                        tokens_per_second=round(tokens / seconds),
                    )
                    loss_sum, messages, tokens, since = 0.0, 0, 0, time.monotonic()
                if self.step % _SAVE_EVERY == 0:
                    self._save()
            self.epoch, self.place = self.epoch + 1, 0
            self._save()
            if isinstance(lesson, OwnLesson):
                self._evaluate()
            loss_sum, messages, tokens, since = 0.0, 0, 0, time.monotonic()
        seconds = round(self.spent + time.monotonic() - self.started)
        self.log.write("train.finished", step=self.step, seconds=seconds)

    def _progress(self, part: float) -> float:
        by_clock = 0.0
        if self.options.minutes > 0:
            by_clock = (self.spent + time.monotonic() - self.started) / (60 * self.options.minutes)
        return max((self.epoch + part) / len(self.plan), by_clock)

    def _train_step(self, lesson: Lesson, batch: Batch, progress: float) -> float:
        options = self.options
        self.network.train()
        torch.manual_seed(options.seed + self.step)
        warm_up = options.warm_up_ratio
        rate = min(progress / warm_up, 1.0) if progress < warm_up else (1 - progress) / (1 - warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = group["top"] * max(rate, 1e-3)
        with half_precision(options.device):
            loss = lesson.loss(self.network, _moved(batch, options.device))
        self.optimizer.zero_grad(set_to_none=True)
        # A message weighs the same in a step of many short ones and in one of few long ones.
        (loss / 30).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_([p for p in self.network.parameters() if p.grad is not None], 1.0)
        self.optimizer.step()
        # Young averages forget faster, so that the start is not remembered for long.
        keep = min(options.average_decay, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, value in self._trained().items():
                self.average[name].lerp_(value, 1 - keep)
        return loss.item()

    def _evaluate(self) -> None:
        held = {name: value.clone() for name, value in self._trained().items()}
        self.network.load_state_dict(self.average, strict=False)
        with half_precision(self.options.device):
            logits = predict_logits(self.network, self.dev)
        self.network.load_state_dict(held, strict=False)
        self.log.write("train.evaluated", step=self.step, **quick_scores(logits, self.dev))

    def _save(self) -> None:
        state = {
            "network": self.average,
            "trained": self._trained(),
            "heads": self.heads.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "epoch": self.epoch,
            "place": self.place,
            "step": self.step,
            "spent": self.spent + time.monotonic() - self.started,
        }
        path = self.options.out / CHECKPOINT
        torch.save(state, path.with_suffix(".tmp"))
        path.with_suffix(".tmp").replace(path)

    def _resume(self) -> None:
        if not (self.options.out / CHECKPOINT).exists():
            return
        state = load_checkpoint(self.options.out)
        self.network.load_state_dict(state["trained"], strict=False)
        self.average = {name: value.to(self.options.device) for name, value in state["network"].items()}
        self.heads.load_state_dict(state["heads"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epoch, self.place, self.step = state["epoch"], state["place"], state["step"]
        self.spent = state["spent"]
        self.log.write("train.resumed", step=self.step)


def half_precision(device: str) -> AbstractContextManager[Any]:
    """bf16 products where the processor has instructions for them, which are then four times as fast."""
    if device == "cuda" or "avx512_bf16" in _processor_flags():
        return torch.autocast(device, dtype=torch.bfloat16)
    return nullcontext()


@cache
def _processor_flags() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text(encoding="utf-8") if path.exists() else ""


def predict_logits(network: MessageNetwork, encoded: Sequence[EncodedExample], size: int = 32) -> Tensor:
    """Raw logits (examples, labels) of each example's window."""
    network.eval()
    device = network.heads.bias.device
    rows: list[Tensor] = [torch.empty(0)] * len(encoded)
    with torch.inference_mode():
        for batch in sorted_batches([example.window for example in encoded], size):
            moved = _moved(batch, device)
            logits, _ = network(moved.ids, moved.mask, moved.own)
            for row, index in enumerate(batch.indices):
                rows[index] = logits[row].float().cpu()
    return torch.stack(rows)


def _moved(batch: Batch, device: str | torch.device) -> Batch:
    return Batch(
        indices=batch.indices,
        ids=batch.ids.to(device),
        mask=batch.mask.to(device),
        own=batch.own.to(device),
    )


def _share(examples: list[Example], share: float) -> list[Example]:
    """Every n-th group of the list, which is in the order of the files, so that all files stay present."""
    groups: Mapping[tuple[str, str], int] = {
        key: i for i, key in enumerate(dict.fromkeys((e.file, e.group) for e in examples))
    }
    return [
        e
        for e in examples
        if int((groups[e.file, e.group] + 1) * share) > int(groups[e.file, e.group] * share)
    ]
