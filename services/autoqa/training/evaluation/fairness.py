"""Do answers change with who writes? Counterfactual swaps, and sentences said in two ways."""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from services.autoqa.model.labels import LABELS
from services.autoqa.predictions import MessageInput
from services.autoqa.training.data import DATA, SEED, Example
from services.autoqa.training.evaluation.message_logits import MessageLogits
from services.autoqa.training.evaluation.shift import ShiftRow, shift_rows
from services.autoqa.training.evaluation.swaps import SWAPS, Swap
from shared.domain.conversation import Channel

SENTENCE_PAIRS: Final = DATA / "evaluation" / "sentence_pairs.jsonl"
_MOST: Final = 150
"""Messages of one swap: more would say the same, later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SentencePair:
    """One meaning twice: in the standard language, and as a dialect or a learner would put it."""

    kind: Literal["dialect", "non_native"]
    language: str
    role: Literal["customer", "agent"]
    standard: str
    other: str


def load_pairs(path: Path = SENTENCE_PAIRS) -> list[SentencePair]:
    """The hand-made list of the repository."""
    with path.open(encoding="utf-8") as lines:
        return [SentencePair(**json.loads(line)) for line in lines]


def swapped(message: MessageInput, swap: Swap, seed: str) -> MessageInput | None:
    """The message and the turns before it, swapped alike; None where its own text does not change."""
    text = swap(message.text, random.Random(seed))  # noqa: S311  # the same names each run
    if text is None:
        return None
    context = tuple(
        replace(turn, text=swap(turn.text, random.Random(seed)) or turn.text)  # noqa: S311
        for turn in message.context
    )
    return replace(message, text=text, context=context)


def fairness_rows(
    examples: Sequence[Example], pairs: Sequence[SentencePair], reader: MessageLogits
) -> list[ShiftRow]:
    """By swap and head, over held-out messages; then the sentence pairs by kind and language."""
    rows: list[ShiftRow] = []
    for name, swap in SWAPS.items():
        found = [(example, swapped(example.message, swap, f"{SEED} {example.id}")) for example in examples]
        changed = [(example, message) for example, message in found if message is not None]
        changed = changed[:: max(1, -(-len(changed) // _MOST))]
        if changed:
            before = reader.probabilities([example.message for example, _ in changed], about=name)
            after = reader.probabilities([message for _, message in changed], about=name)
            owed = np.array([[t is not None for t in example.targets] for example, _ in changed])
            rows += shift_rows(f"{name} ({len(changed)} messages)", before, after, owed)
    for kind, language in sorted({(pair.kind, pair.language) for pair in pairs}):
        chosen = [pair for pair in pairs if (pair.kind, pair.language) == (kind, language)]
        before = reader.probabilities([_message(p, p.standard) for p in chosen], about="standard")
        after = reader.probabilities([_message(p, p.other) for p in chosen], about=kind)
        owed = np.array([_owed(pair) for pair in chosen])
        rows += shift_rows(
            f"{kind.replace('_', '-')} {language} ({len(chosen)} sentence pairs)", before, after, owed
        )
    return rows


def _message(pair: SentencePair, text: str) -> MessageInput:
    return MessageInput(role=pair.role, channel=Channel.CHAT, text=text, language=pair.language)


def _owed(pair: SentencePair) -> NDArray[np.bool_]:
    heads = ("sentiment.", "flag.") if pair.role == "customer" else ("signal.", "tone.")
    return np.array([label.startswith(heads) for label in LABELS])
