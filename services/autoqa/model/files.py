"""The folder of weights: names of its files, a check that it fits this code, and its revision."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from services.autoqa.model.labels import LABELS
from shared.errors import Stop

WEIGHTS_FOLDER: Final = Path(__file__).parent / "weights"
"""The weights that ship with the repository."""

CONFIG: Final = "config.json"
"""Sizes of the encoder, names of the labels, how the weights were made."""
WEIGHTS: Final = "model.safetensors"
"""Reference weights, fp16."""
GRAPH: Final = "model.onnx"
"""Int8 graph made from them."""
TOKENIZER: Final = "tokenizer.json"
CONFIDENCE: Final = "confidence.json"
OUTCOME: Final = "outcome.json"

STATES: Final = ("states.low", "states.middle", "states.high")
"""Outputs of the graph that custom categories read: (batch, tokens, hidden), one a depth."""


def state_depths(layers: int) -> tuple[int, int, int]:
    """After how many layers the states are taken: none, half of them, all."""
    return 0, layers // 2, layers


def check_config(folder: Path) -> dict[str, Any]:
    """The folder's config; stops where its labels are not this code's."""
    config: dict[str, Any] = json.loads((folder / CONFIG).read_text(encoding="utf-8"))
    if config["labels"] != list(LABELS):
        raise Stop(f"the weights in {folder} were trained for other labels")
    return config


def revision_of(folder: Path, weights: str, *settings: str) -> str:
    """Twelve hex digits over weights, tokenizer, config, calibration and whatever else decides answers."""
    digest = hashlib.sha256("\n".join(("1", weights, *settings)).encode())
    for name in (CONFIG, TOKENIZER, CONFIDENCE, weights):
        with (folder / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:12]
