"""The default runtime's logits, each distinct message read once however often it is asked for."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from services.autoqa.model.batching import batches, padded
from services.autoqa.model.confidence import Confidence
from services.autoqa.model.encode import Encoder
from services.autoqa.model.files import CONFIDENCE, GRAPH, TOKENIZER
from services.autoqa.model.labels import LABELS
from services.autoqa.model.onnx_runtime import BATCH_TOKENS, OnnxNetwork
from services.autoqa.predictions import MessageInput

Floats = NDArray[np.float64]


class MessageLogits:
    """Reads first windows, which training and 99.9 % of our messages know alone."""

    def __init__(self, folder: Path, *, threads: int) -> None:
        self._encoder = Encoder(folder / TOKENIZER)
        self._network = OnnxNetwork(folder / GRAPH)
        self._threads = threads
        self._known: dict[MessageInput, Floats] = {}
        self.confidence = Confidence.load(folder / CONFIDENCE)
        """As it ships."""

    def logits(self, messages: Sequence[MessageInput], *, about: str) -> Floats:
        """(messages, labels), in order; `about` names the work on the progress bar."""
        # The language chooses the calibration only.
        plain = [replace(message, language=None) for message in messages]
        fresh = [message for message in dict.fromkeys(plain) if message not in self._known]
        windows = [self._encoder.encode(message).windows[0] for message in fresh]
        order = sorted(range(len(fresh)), key=lambda i: len(windows[i].ids))
        chunks = [order[share] for share in batches([len(windows[i].ids) for i in order], BATCH_TOKENS)]
        with (
            tqdm(total=len(fresh), desc=about, unit=" messages", disable=None) as bar,
            ThreadPoolExecutor(self._threads) as pool,
        ):
            passes = pool.map(lambda chunk: self._network(*padded([windows[i] for i in chunk])), chunks)
            for chosen, (rows, _) in zip(chunks, passes, strict=True):
                self._known.update(
                    (fresh[i], row) for i, row in zip(chosen, rows.astype(np.float64), strict=True)
                )
                bar.update(len(chosen))
        return np.array([self._known[message] for message in plain]).reshape(-1, len(LABELS))

    def probabilities(self, messages: Sequence[MessageInput], *, about: str) -> Floats:
        """Calibrated as shipped."""
        languages = [message.language for message in messages]
        return self.confidence.probabilities(self.logits(messages, about=about), languages)
