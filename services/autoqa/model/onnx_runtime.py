"""The default runtime: the int8 graph in ONNX Runtime on the CPU. Needs no torch."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from services.autoqa.model.batching import BatchedModel
from services.autoqa.model.confidence import Confidence
from services.autoqa.model.encode import Encoder
from services.autoqa.model.files import CONFIDENCE, GRAPH, STATES, TOKENIZER, check_config, revision_of
from services.autoqa.model.reading import Floats

BATCH_TOKENS: Final = 512
"""Padded tokens of one pass: activations of one layer then stay near the processor's caches."""


class OnnxNetwork:
    """One session; each call runs on the thread that makes it, and several may run at once."""

    def __init__(self, graph: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])
        self.gives_states = {output.name for output in self._session.get_outputs()}.issuperset(STATES)
        """See Network."""

    def __call__(
        self, ids: NDArray[np.int64], mask: NDArray[np.bool_], own: NDArray[np.bool_]
    ) -> tuple[Floats, Floats]:
        """See Network."""
        logits, contributions = self._run((), ids, mask, own)
        return logits, contributions

    def with_states(
        self, ids: NDArray[np.int64], mask: NDArray[np.bool_], own: NDArray[np.bool_]
    ) -> tuple[Floats, Floats, list[Floats]]:
        """See Network."""
        logits, contributions, *states = self._run(STATES, ids, mask, own)
        return logits, contributions, states

    def _run(
        self,
        more: Sequence[str],
        ids: NDArray[np.int64],
        mask: NDArray[np.bool_],
        own: NDArray[np.bool_],
    ) -> list[Floats]:
        found: list[Floats] = self._session.run(
            ["logits", "contributions", *more],
            {"ids": ids, "mask": mask.astype(np.int32), "own": own.astype(np.float32)},
        )
        return found


def load_onnx_model(folder: Path, *, threads: int) -> BatchedModel:
    """Opens the graph in `folder`; `threads` passes run at once."""
    check_config(folder)
    return BatchedModel(
        encoder=Encoder(folder / TOKENIZER),
        network=OnnxNetwork(folder / GRAPH),
        confidence=Confidence.load(folder / CONFIDENCE),
        revision=revision_of(folder, GRAPH),
        batch_tokens=BATCH_TOKENS,
        workers=threads,
    )
