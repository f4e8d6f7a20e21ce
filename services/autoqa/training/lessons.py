"""What one pass over the data consists of: our own messages, or the neighbouring tasks."""

import random
from collections.abc import Mapping, Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from services.autoqa.model.encode import Encoder, Window
from services.autoqa.model.network import MessageNetwork
from services.autoqa.training.auxiliary import AuxiliaryData
from services.autoqa.training.batches import Batch, EncodedExample, encode_examples, shuffled_batches
from services.autoqa.training.data import Example
from services.autoqa.training.loss import message_loss, positive_weights


class Lesson(Protocol):
    """One kind of data with its loss."""

    def open(self, seed: int) -> list[list[int]]:
        """Prepares a pass (fresh augmentation) and names its batches; the same for the same seed."""
        ...

    @property
    def windows(self) -> Sequence[Window]:
        """Of the pass that is open."""
        ...

    def loss(self, network: MessageNetwork, batch: Batch) -> Tensor:
        """Summed over the batch's messages."""
        ...


class OwnLesson:
    """Our own messages with all heads."""

    def __init__(
        self, examples: Sequence[Example], encoder: Encoder, *, tokens: int, augmented: float
    ) -> None:
        self._examples, self._encoder = examples, encoder
        self._tokens, self._augmented = tokens, augmented
        self._encoded: list[EncodedExample] = []
        self._weights = positive_weights([example.targets for example in examples])
        self.windows: list[Window] = []

    def open(self, seed: int) -> list[list[int]]:
        """See Lesson."""
        self._encoded = encode_examples(
            self._examples, self._encoder, training=True, augmented=self._augmented, seed=seed
        )
        self.windows = [example.window for example in self._encoded]
        rng = random.Random(seed)  # noqa: S311  # the same order each run is what is wanted
        return shuffled_batches(self.windows, self._tokens, rng)

    def loss(self, network: MessageNetwork, batch: Batch) -> Tensor:
        """See Lesson."""
        logits, _ = network(batch.ids, batch.mask, batch.own)
        targets = torch.stack([self._encoded[i].targets for i in batch.indices]).to(logits.device)
        return message_loss(logits.float(), targets, self._weights.to(logits.device))


class AuxiliaryHeads(nn.Module):
    """A linear layer a task on the mean of the message's states; not part of what ships."""

    def __init__(self, hidden: int, answers: Mapping[str, int]) -> None:
        super().__init__()
        self.tasks = nn.ModuleDict({task: nn.Linear(hidden, count) for task, count in answers.items()})

    def forward(self, states: Tensor, own: Tensor, tasks: Sequence[str], answers: Tensor) -> Tensor:
        """Cross-entropy summed over the rows, each read by its task's layer."""
        weights = own.unsqueeze(-1).to(states.dtype)
        means = (states * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)
        total = states.new_zeros((), dtype=torch.float32)
        for task in sorted(set(tasks)):
            rows = torch.tensor([i for i, t in enumerate(tasks) if t == task], device=states.device)
            logits = self.tasks[task](means[rows]).float()
            total = total + functional.cross_entropy(logits, answers[rows], reduction="sum")
        return total


class AuxiliaryLesson:
    """The neighbouring tasks, mixed."""

    def __init__(self, data: AuxiliaryData, encoder: Encoder, heads: AuxiliaryHeads, *, tokens: int) -> None:
        self._data, self._heads, self._tokens = data, heads, tokens
        self.windows = [encoder.encode(example.message).windows[0] for example in data.examples]

    def open(self, seed: int) -> list[list[int]]:
        """See Lesson."""
        rng = random.Random(seed)  # noqa: S311  # the same order each run is what is wanted
        return shuffled_batches(self.windows, self._tokens, rng)

    def loss(self, network: MessageNetwork, batch: Batch) -> Tensor:
        """See Lesson."""
        examples = [self._data.examples[i] for i in batch.indices]
        answers = torch.tensor([example.answer for example in examples], device=batch.ids.device)
        states = network.states(batch.ids, batch.mask)
        loss: Tensor = self._heads(states, batch.own, [example.task for example in examples], answers)
        return loss
