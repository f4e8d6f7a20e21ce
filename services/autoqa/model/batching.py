"""A message model over any network: what torch and ONNX share.

messages | each distinct one once | windows | batches by token budget | network | predictions, in order

Batches run side by side, one a worker. Where a worker is one core, that keeps two cores busier than sharing
out each pass does: small products share badly, and what lies between them not at all.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.confidence import Confidence
from services.autoqa.model.encode import EncodedMessage, Encoder, Window
from services.autoqa.model.reading import Floats, read_message
from services.autoqa.predictions import MessageInput, Prediction

_PAD: Final = 1


class Network(Protocol):
    """One forward pass. Thread-safe; padding does not change a row's numbers beyond float rounding."""

    def __call__(
        self, ids: NDArray[np.int64], mask: NDArray[np.bool_], own: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """Logits (batch, labels), contributions (batch, tokens, labels); all inputs are (batch, tokens)."""
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
        logits, contributions = self._forward(encoded)
        answers = {
            message: read_message(
                message.role,
                encoded[i],
                logits[i],
                contributions[i],
                self._confidence,
                language=message.language,
            )
            for i, message in enumerate(distinct)
        }
        return [answers[message] for message in messages]

    def _forward(self, encoded: Sequence[EncodedMessage]) -> tuple[list[list[Floats]], list[list[Floats]]]:
        logits: list[list[Floats]] = [[np.empty(0, np.float32)] * len(e.windows) for e in encoded]
        contributions: list[list[Floats]] = [[np.empty(0, np.float32)] * len(e.windows) for e in encoded]
        places = [(i, j) for i, message in enumerate(encoded) for j in range(len(message.windows))]
        places.sort(key=lambda place: len(encoded[place[0]].windows[place[1]].ids))
        windows = [encoded[i].windows[j] for i, j in places]
        lengths = [len(window.ids) for window in windows]
        # Few messages are shared out too, so that one conversation alone is answered sooner.
        budget = min(self._batch_tokens, -(-sum(lengths) // self._workers))
        shares = list(batches(lengths, budget))
        passes = self._pool.map(self._pass, [windows[share] for share in shares])
        for share, (batch_logits, batch_contributions) in zip(shares, passes, strict=True):
            for row, ((i, j), window) in enumerate(zip(places[share], windows[share], strict=True)):
                logits[i][j] = batch_logits[row]
                contributions[i][j] = batch_contributions[row, window.first : window.last]
        return logits, contributions

    def _pass(self, windows: Sequence[Window]) -> tuple[Floats, Floats]:
        return self._network(*padded(windows))


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
