"""From a run's checkpoint to the folder that ships.

checkpoint -> fp16 reference weights -> confidence calibration on dev -> int8 graph -> outcome heads
"""

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import onnx
import torch
from safetensors.torch import load_file, save_file

from services.autoqa.model.confidence import Confidence
from services.autoqa.model.encode import CONTEXT_TOKENS, MAX_WINDOWS, MESSAGE_TOKENS, Encoder
from services.autoqa.model.files import CONFIDENCE, CONFIG, GRAPH, OUTCOME, TOKENIZER, WEIGHTS
from services.autoqa.model.labels import LABELS
from services.autoqa.model.network import EncoderShape, MessageNetwork, load_base
from services.autoqa.model.onnx_runtime import load_onnx_model
from services.autoqa.model.torch_runtime import load_network
from services.autoqa.training.batches import encode_examples
from services.autoqa.training.calibrate import fit_confidence
from services.autoqa.training.data import load_conversations, load_parts, split_conversations
from services.autoqa.training.evaluation.heldout import held_out
from services.autoqa.training.evaluation.message_logits import MessageLogits
from services.autoqa.training.onnx_graph import build_graph
from services.autoqa.training.outcome import fit_outcome, save_outcome, turns_of
from services.autoqa.training.ranges import activation_ranges
from services.autoqa.training.train import base_folder, load_checkpoint

_RANGE_EXAMPLES: Final = 800
"""Training messages on which activation ranges are measured."""


def export(run: Path, base: str, out: Path, *, threads: int = 2) -> None:
    """Writes all files of `out` anew; what is there is replaced only when everything is made."""
    torch.set_num_threads(threads)
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent) as scratch:
        folder = Path(scratch) / "weights"
        folder.mkdir()
        write_reference(run, base_folder(base), folder)
        write_graph(folder)
        write_confidence(folder, threads=threads)
        write_outcome(folder, threads=threads)
        out.mkdir(exist_ok=True)
        for made in folder.iterdir():
            made.chmod(0o644)
            made.replace(out / made.name)


def write_reference(run: Path, base: Path, folder: Path) -> None:
    """Config, tokenizer and fp16 weights; the embeddings are the base's own."""
    shape_config = json.loads((base / "config.json").read_text(encoding="utf-8"))
    shape = EncoderShape.from_config(shape_config)
    network = MessageNetwork(shape)
    load_base(network, load_file(base / "model.safetensors"))
    checkpoint = load_checkpoint(run)
    network.load_state_dict(checkpoint["network"], strict=False)
    save_file({name: tensor.half() for name, tensor in network.state_dict().items()}, folder / WEIGHTS)
    shutil.copyfile(base / "tokenizer.json", folder / TOKENIZER)
    config: dict[str, Any] = {
        "encoder": {name: shape_config[name] for name in EncoderShape.__slots__},
        "labels": list(LABELS),
        "context_tokens": CONTEXT_TOKENS,
        "message_tokens": MESSAGE_TOKENS,
        "max_windows": MAX_WINDOWS,
        "steps": checkpoint["step"],
    }
    (folder / CONFIG).write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    Confidence.untrained().save(folder / CONFIDENCE)


def write_graph(folder: Path) -> None:
    """The int8 graph from the reference weights."""
    network = load_network(folder)
    part = load_parts()["train"]
    chosen = part[:: max(1, len(part) // _RANGE_EXAMPLES)]
    encoded = encode_examples(chosen, Encoder(folder / TOKENIZER), training=True)
    state = {name: tensor.numpy() for name, tensor in network.state_dict().items()}
    shape = EncoderShape.from_config(json.loads((folder / CONFIG).read_text(encoding="utf-8"))["encoder"])
    onnx.save(build_graph(state, shape, activation_ranges(network, encoded)), folder / GRAPH)


def write_confidence(folder: Path, *, threads: int) -> None:
    """Fitted on the default runtime's logits for the dev part."""
    dev = load_parts()["dev"]
    held = held_out(dev, MessageLogits(folder, threads=threads))
    fit_confidence(held.logits, held.targets, held.languages.tolist()).save(folder / CONFIDENCE)


def write_outcome(folder: Path, *, threads: int) -> None:
    """Fitted on the training conversations as the default runtime reads them."""
    conversations = split_conversations(load_conversations())["train"]
    turns = turns_of(conversations, load_onnx_model(folder, threads=threads))
    save_outcome(fit_outcome(turns, conversations), folder / OUTCOME)
