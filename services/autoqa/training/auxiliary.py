"""Neighbouring tasks from public class A sets: a first lesson for the encoder, whose heads are thrown away.

Each set is one task with one answer a message: offence, emotion, empathy, politeness, intent, dialogue act.
Read from `../shared/data` (see its README for sources and licences); a set that is missing is left out.
"""

import gzip
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from services.autoqa.predictions import EarlierTurn, MessageInput

MOST_EXAMPLES: Final = 4000
"""Of one set, drawn by the seed."""
_MOST_ANSWERS: Final = 64
"""The commonest answers of a set; rarer ones share the last place."""

Role = Literal["customer", "agent"]
Record = Mapping[str, Any]
Answered = Iterator[tuple[MessageInput, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuxiliaryExample:
    """`answer` counts from 0 within the task's answers."""

    task: str
    message: MessageInput
    answer: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuxiliaryData:
    """All examples, and how many answers each task knows."""

    examples: tuple[AuxiliaryExample, ...]
    answers: Mapping[str, int]


def load_auxiliary(folder: Path, seed: int) -> AuxiliaryData:
    """The sets of SETS that lie in `folder`."""
    examples: list[AuxiliaryExample] = []
    answers: dict[str, int] = {}
    for task, read in SETS.items():
        path = folder / task / "train.jsonl.gz"
        if not path.exists():
            continue
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            pairs = [pair for line in lines for pair in read(json.loads(line))]
        random.Random(seed).shuffle(pairs)  # noqa: S311  # the same draw each run is what is wanted
        pairs = pairs[:MOST_EXAMPLES]
        known = [answer for answer, _ in Counter(answer for _, answer in pairs).most_common(_MOST_ANSWERS)]
        place = {answer: i for i, answer in enumerate(known)}
        answers[task] = len(known) + 1
        examples.extend(
            AuxiliaryExample(task=task, message=message, answer=place.get(answer, len(known)))
            for message, answer in pairs
        )
    return AuxiliaryData(examples=tuple(examples), answers=answers)


def _label(record: Record) -> str:
    return str(record["label"])


def _single(role: Role, answer: Callable[[Record], str]) -> Callable[[Record], Answered]:
    def read(record: Record) -> Answered:
        context = (EarlierTurn(role="customer", text=record["context"]),) if record.get("context") else ()
        yield MessageInput(role=role, channel=None, text=record["text"], context=context), answer(record)

    return read


def _acts(record: Record) -> Answered:
    """Agent turns of a dialogue with their first act, each with the turns before it."""
    turns: list[EarlierTurn] = []
    for message in record["messages"]:
        act = message.get("act")
        if message["role"] == "agent" and act:
            name = act if isinstance(act, str) else act[0]
            yield MessageInput(role="agent", channel=None, text=message["text"], context=tuple(turns)), name
        turns.append(EarlierTurn(role=message["role"], text=message["text"]))


def _first(values: list[str], otherwise: str) -> str:
    return values[0] if values else otherwise


SETS: Final[Mapping[str, Callable[[Record], Answered]]] = {
    "germeval2018_offense": _single("customer", lambda r: str(r["labels"]["fine"])),
    "goemotions": _single("customer", lambda r: _first(r["labels"], "neutral")),
    "brighter_emotion_de": _single("customer", lambda r: _first(r["labels"]["emotion"], "none")),
    "htw_chatbot_de": _single("customer", _label),
    "epitome_empathy_en": _single("agent", lambda r: str(r["labels"]["emotional_reaction"])),
    "politeness_wiki_en": _single("agent", _label),
    "bitext_support_en": _single("customer", _label),
    "banking77_en": _single("customer", _label),
    "hint3_en": _single("customer", _label),
    "clinc150_en": _single("customer", _label),
    "massive_de": _single("customer", _label),
    "gdpr_bot_de": _single("customer", _label),
    "nlupp_en": _single("customer", lambda r: _first(r["labels"]["intents"], "none")),
    "multidogo_en": _single("customer", lambda r: _first(r["labels"]["intent"], "none")),
    "star_en": _acts,
    "sgd_acts_en": _acts,
}
