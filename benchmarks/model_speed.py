"""Messages a second: our ONNX runtime beside the plain way, transformers fp32 message by message.

    python -m benchmarks.model_speed --messages 400 --rounds 3

Both read the same messages with the same threads in one run, in turns, so that a busy machine slows both.
The plain way is the base encoder in transformers with mean pooling and one linear layer for all labels,
called once a message: what a first implementation does. Ours includes tokenising, calibration and evidence.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median

import torch
from transformers import AutoModel, AutoTokenizer

from services.autoqa.model import load_model
from services.autoqa.model.labels import LABELS
from services.autoqa.predictions import MessageInput
from services.autoqa.training.__main__ import DEFAULT_BASE
from services.autoqa.training.data import load_conversations


def plain_way(base: str, threads: int) -> Callable[[Sequence[MessageInput]], None]:
    """Transformers fp32, one message a call."""
    torch.set_num_threads(threads)
    tokenizer = AutoTokenizer.from_pretrained(base)
    encoder = AutoModel.from_pretrained(base, add_pooling_layer=False, dtype=torch.float32).eval()
    heads = torch.nn.Linear(encoder.config.hidden_size, len(LABELS))

    def read(messages: Sequence[MessageInput]) -> None:
        with torch.inference_mode():
            for message in messages:
                context = " ".join(turn.text for turn in message.context)[-256:]
                batch = tokenizer(context, message.text, truncation=True, max_length=320, return_tensors="pt")
                heads(encoder(**batch).last_hidden_state.mean(dim=1)).sigmoid()

    return read


def seconds(read: Callable[[Sequence[MessageInput]], object], messages: Sequence[MessageInput]) -> float:
    """Wall-clock time of one call."""
    began = time.perf_counter()
    read(messages)
    return time.perf_counter() - began


def main() -> None:
    """Prints messages and conversations a second of both, and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--base", default=DEFAULT_BASE)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    conversations = load_conversations()[::3]
    messages = [example.message for c in conversations for example in c.examples][: arguments.messages]
    per_conversation = sum(len(c.examples) for c in conversations) / len(conversations)
    ours = load_model("onnx", arguments.folder, threads=arguments.threads).predict
    plain = plain_way(arguments.base, arguments.threads)
    ours(messages[:50])
    plain(messages[:10])
    pairs = [(seconds(ours, messages), seconds(plain, messages)) for _ in range(arguments.rounds)]
    for name, times in (
        ("ours, ONNX int8", [a for a, _ in pairs]),
        ("plain, transformers fp32", [b for _, b in pairs]),
    ):
        rate = len(messages) / median(times)
        print(f"{name}: {rate:.1f} messages/s, {rate / per_conversation:.1f} conversations/s")
    rounds = ", ".join(f"{b / a:.1f}" for a, b in pairs)
    print(f"ratio: {median(b / a for a, b in pairs):.1f} (rounds: {rounds})")


if __name__ == "__main__":
    main()
