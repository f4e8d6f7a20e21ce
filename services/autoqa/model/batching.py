"""A message model over any network: what torch and ONNX share.

messages | each distinct one once | windows | batches by token budget | network | predictions, in order

Batches run side by side, one a worker. Where a worker is one core, that keeps two cores busier than sharing
out each pass does: small products share badly, and what lies between them not at all.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.autoqa.embedding import Embedding
from services.autoqa.model.confidence import Confidence
from services.autoqa.model.encode import EncodedMessage, Encoder, Window
from services.autoqa.model.reading import Floats, read_message
from services.autoqa.predictions import MessageInput, Prediction
from shared.errors import Stop

_PAD: Final = 1


class Network(Protocol):
    """One forward pass. Thread-safe; padding does not change a row's numbers beyond float rounding."""

    def __call__(
        self, ids: NDArray[np.int64], mask: NDArray[np.bool_], own: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """Logits (batch, labels), contributions (batch, tokens, labels); all inputs are (batch, tokens)."""
        ...

    @property
    def gives_states(self) -> bool:
        """Whether `with_states` may be called: graphs made before custom categories have no such output."""
        ...

    def with_states(
        self, ids: NDArray[np.int64], mask: NDArray[np.bool_], own: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, list[Floats]]:
        """The same, and the states (batch, tokens, hidden) at each of the depths of `embedding`."""
        ...


class BatchedModel:
    """The message model: encoder, network and calibration joined. See MessageModel."""

    def __init__(
        self,
        *,
        encoder: Encoder,
        network: Network,
        confidence: Confidence,
        revision: str,
        batch_tokens: int,
        workers: int,
    ) -> None:
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="network")
        self._encoder = encoder
        self._network = network
        self._confidence = confidence
        self._revision = revision
        self._batch_tokens = batch_tokens

    @property
    def revision(self) -> str:
        """Names weights, calibration and runtime: equal revisions give equal predictions."""
        return self._revision

    def token_counts(self, messages: Sequence[MessageInput]) -> list[int]:
        """Tokens that each message will cost, context included."""
        return [self._encoder.encode(message).tokens for message in messages]

    def predict(self, messages: Sequence[MessageInput]) -> list[Prediction]:
        """One prediction a message, in order; equal messages are read once."""
        distinct = list(dict.fromkeys(messages))
        encoded = [self._encoder.encode(message) for message in distinct]
        raw = self._forward(encoded, with_states=False)
        answers = dict(zip(distinct, self._predictions(distinct, encoded, raw), strict=True))
        return [answers[message] for message in messages]

    @property
    def gives_states(self) -> bool:
        """Whether `embed` may be called."""
        return self._network.gives_states

    def embed(self, messages: Sequence[MessageInput]) -> list[tuple[Prediction, Embedding]]:
        """As `predict`, with each message's embedding from the same pass. Raises `Stop` without states."""
        if not self.gives_states:
            raise Stop("the graph gives no states: make it anew from the reference weights", reason="model")
        distinct = list(dict.fromkeys(messages))
        encoded = [self._encoder.encode(message) for message in distinct]
        raw = self._forward(encoded, with_states=True)
        embeddings = [
            Embedding(
                sentences=message.sentences,
                sums=np.sum(windows, axis=0),
                tokens=sum(len(window.sentences) for window in message.windows),
            )
            for message, windows in zip(encoded, raw.sums, strict=True)
        ]
        predictions = self._predictions(distinct, encoded, raw)
        answers = dict(zip(distinct, zip(predictions, embeddings, strict=True), strict=True))
        return [answers[message] for message in messages]

    def _predictions(
        self, messages: Sequence[MessageInput], encoded: Sequence[EncodedMessage], raw: "_Raw"
    ) -> list[Prediction]:
        return [
            read_message(
                message.role,
                encoded[i],
                raw.logits[i],
                raw.contributions[i],
                self._confidence,
                language=message.language,
            )
            for i, message in enumerate(messages)
        ]

    def _forward(self, encoded: Sequence[EncodedMessage], *, with_states: bool) -> "_Raw":
        raw = _Raw.of(encoded)
        places = [(i, j) for i, message in enumerate(encoded) for j in range(len(message.windows))]
        places.sort(key=lambda place: len(encoded[place[0]].windows[place[1]].ids))
        windows = [encoded[i].windows[j] for i, j in places]
        lengths = [len(window.ids) for window in windows]
        # Few messages are shared out too, so that one conversation alone is answered sooner.
        budget = min(self._batch_tokens, -(-sum(lengths) // self._workers))
        shares = list(batches(lengths, budget))
        forward = self._pass_with_states if with_states else self._pass
        passes = self._pool.map(forward, [windows[share] for share in shares])
        for share, (logits, contributions, states) in zip(shares, passes, strict=True):
            for row, ((i, j), window) in enumerate(zip(places[share], windows[share], strict=True)):
                raw.logits[i][j] = logits[row]
                raw.contributions[i][j] = contributions[row, window.first : window.last]
                if states:
                    own = [depth[row, window.first : window.last] for depth in states]
                    raw.sums[i][j] = _sentence_sums(window, own, count=len(encoded[i].sentences))
        return raw

    def _pass(self, windows: Sequence[Window]) -> tuple[Floats, Floats, list[Floats]]:
        return (*self._network(*padded(windows)), [])

    def _pass_with_states(self, windows: Sequence[Window]) -> tuple[Floats, Floats, list[Floats]]:
        return self._network.with_states(*padded(windows))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Raw:
    """What the network gave, by message and window; `sums` (sentences, depths, hidden) where asked for."""

    logits: list[list[Floats]]
    contributions: list[list[Floats]]
    sums: list[list[Floats]]

    @classmethod
    def of(cls, encoded: Sequence[EncodedMessage]) -> "_Raw":
        def empty() -> list[list[Floats]]:
            return [[np.empty(0, np.float32)] * len(message.windows) for message in encoded]

        return cls(logits=empty(), contributions=empty(), sums=empty())


def _sentence_sums(window: Window, own: Sequence[Floats], *, count: int) -> Floats:
    """States of the message's own tokens, summed sentence by sentence: a window's sentences are in order."""
    numbers = np.array(window.sentences)
    starts = np.flatnonzero(np.diff(numbers, prepend=-1))
    sums = np.zeros((count, len(own), own[0].shape[1]), dtype=np.float32)
    for place, states in enumerate(own):
        sums[numbers[starts], place] = np.add.reduceat(states, starts, axis=0)
    return sums


def batches(sorted_lengths: Sequence[int], budget: int) -> Iterator[slice]:
    """Runs of an ascending list whose padded size stays within `budget` tokens; at least one item each."""
    start = 0
    for end in range(1, len(sorted_lengths) + 1):
        if end == len(sorted_lengths) or sorted_lengths[end] * (end + 1 - start) > budget:
            yield slice(start, end)
            start = end


def padded(windows: Sequence[Window]) -> tuple[NDArray[np.int64], NDArray[np.bool_], NDArray[np.bool_]]:
    """Ids, mask and own-token marks of one batch."""
    shape = (len(windows), max(len(window.ids) for window in windows))
    ids = np.full(shape, _PAD, dtype=np.int64)
    mask = np.zeros(shape, dtype=np.bool_)
    own = np.zeros(shape, dtype=np.bool_)
    for row, window in enumerate(windows):
        ids[row, : len(window.ids)] = window.ids
        mask[row, : len(window.ids)] = True
        own[row, window.first : window.last] = True
    return ids, mask, own
