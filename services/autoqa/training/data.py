"""Our own labelled data as training examples, and its one split into training and development part."""

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from services.autoqa.model.labels import FLAGS, LABELS, SENTIMENTS, SIGNALS, TONES
from services.autoqa.predictions import EarlierTurn, MessageInput
from shared.domain.conversation import Channel

DATA: Final = Path("data")
DEV_EVERY: Final = {"messages": 10, "conversations": 7}
"""Every n-th group goes to the development part; more of the few conversations, for the outcome heads."""
SEED: Final = 20261124
_MEMBER: Final = re.compile(r"[a-z]$")

Part = Literal["train", "dev"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One labelled message. `targets` follows LABELS: 0 or 1, None where the role has no such label."""

    id: str
    file: str
    group: str
    language: str
    message: MessageInput
    targets: tuple[float | None, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledConversation:
    """A conversation with its labelled outcome; `examples` are its customer and agent messages in order."""

    id: str
    file: str
    language: str
    resolved: str
    csat: int
    flags: tuple[str, ...]
    examples: tuple[Example, ...]


def load_messages(folder: Path = DATA) -> list[Example]:
    """The single messages of `messages/*.jsonl`, relabelled where `relabels.json` says so."""
    relabels = _relabels(folder)
    return [
        _example(record, record["id"], path.stem, _MEMBER.sub("", record["id"]), relabels)
        for path in sorted((folder / "messages").glob("*.jsonl"))
        for record in _records(path)
    ]


def load_conversations(folder: Path = DATA) -> list[LabelledConversation]:
    """The whole conversations; each message reads the turns before it as context."""
    relabels = _relabels(folder)
    return [
        _conversation(record, path.stem, relabels)
        for path in sorted((folder / "conversations").glob("*.jsonl"))
        for record in _records(path)
    ]


def split_groups(labels_by_group: Mapping[str, Iterable[str]], *, every: int, seed: int = SEED) -> set[str]:
    """The groups of the development part: every n-th after sorting by each group's rarest label.

    So each label keeps its share in both parts. Called once a file, it stratifies by language and file too.
    """
    known = {group: sorted(set(labels)) for group, labels in labels_by_group.items()}
    counts = Counter(label for labels in known.values() for label in labels)
    groups = sorted(known)
    random.Random(seed).shuffle(groups)  # noqa: S311  # the same split each run is what is wanted
    groups.sort(key=lambda group: min(((counts[label], label) for label in known[group]), default=(0, "")))
    return set(groups[every // 2 :: every])


def split_examples(examples: Sequence[Example]) -> dict[Part, list[Example]]:
    """Single messages in two parts; members of a contrast pair or group stay together."""
    by_file: dict[str, dict[str, list[str]]] = {}
    for example in examples:
        by_file.setdefault(example.file, {}).setdefault(example.group, []).extend(true_labels(example))
    dev = {
        (file, group)
        for file, groups in by_file.items()
        for group in split_groups(groups, every=DEV_EVERY["messages"])
    }
    return {
        "train": [e for e in examples if (e.file, e.group) not in dev],
        "dev": [e for e in examples if (e.file, e.group) in dev],
    }


def split_conversations(
    conversations: Sequence[LabelledConversation],
) -> dict[Part, list[LabelledConversation]]:
    """Whole conversations in two parts, stratified by file and by flags and resolution."""
    by_file: dict[str, dict[str, list[str]]] = {}
    for conversation in conversations:
        by_file.setdefault(conversation.file, {})[conversation.id] = [
            *conversation.flags,
            f"resolved.{conversation.resolved}",
        ]
    dev = {
        group
        for groups in by_file.values()
        for group in split_groups(groups, every=DEV_EVERY["conversations"])
    }
    return {
        "train": [c for c in conversations if c.id not in dev],
        "dev": [c for c in conversations if c.id in dev],
    }


def load_parts(folder: Path = DATA) -> dict[Part, list[Example]]:
    """All labelled messages, single ones and those of conversations, in the two parts."""
    singles = split_examples(load_messages(folder))
    conversations = split_conversations(load_conversations(folder))
    parts: tuple[Part, Part] = ("train", "dev")
    return {part: singles[part] + [e for c in conversations[part] for e in c.examples] for part in parts}


def true_labels(example: Example) -> list[str]:
    """Names of the labels that hold."""
    return [name for name, target in zip(LABELS, example.targets, strict=True) if target]


def hides_channel(example: Example) -> bool:
    """One in ten training messages is read without its channel, as a source that knows none would give it."""
    return hashlib.sha256(example.id.encode()).digest()[0] < 26


def _records(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _relabels(folder: Path) -> Mapping[str, Mapping[str, Any]]:
    path = folder / "relabels.json"
    if not path.exists():
        return {}
    return {entry["id"]: entry["labels"] for entry in json.loads(path.read_text(encoding="utf-8"))}


def _conversation(
    record: Mapping[str, Any], file: str, relabels: Mapping[str, Mapping[str, Any]]
) -> LabelledConversation:
    examples: list[Example] = []
    context: list[dict[str, str]] = []
    for message in record["messages"]:
        role = "agent" if message["role"] == "bot" else message["role"]
        if role not in ("customer", "agent"):
            continue
        if message["role"] != "bot" and "labels" in message:
            single = {
                "role": role,
                "channel": record["channel"],
                "language": record["language"],
                "text": message["text"],
                "context": list(context),
                "labels": message["labels"],
            }
            examples.append(_example(single, f"{record['id']}/{message['id']}", file, record["id"], relabels))
        context.append({"role": role, "text": message["text"]})
    labels = record["labels"]
    return LabelledConversation(
        id=record["id"],
        file=file,
        language=record["language"],
        resolved=labels["resolved"],
        csat=labels["csat"],
        flags=tuple(labels["flags"]),
        examples=tuple(examples),
    )


def _example(
    record: Mapping[str, Any], id_: str, file: str, group: str, relabels: Mapping[str, Mapping[str, Any]]
) -> Example:
    labels = {**record["labels"], **relabels.get(id_, {})}
    context = tuple(
        EarlierTurn(role="customer" if turn["role"] == "customer" else "agent", text=turn["text"])
        for turn in record.get("context", ())
    )
    message = MessageInput(
        role=record["role"],
        channel=Channel(record["channel"]),
        text=record["text"],
        context=context,
        language=record["language"],
    )
    return Example(
        id=id_, file=file, group=group, language=record["language"], message=message, targets=_targets(labels)
    )


def _targets(labels: Mapping[str, Any]) -> tuple[float | None, ...]:
    customer = "sentiment" in labels
    sentiment = [float(labels["sentiment"] == s) if customer else None for s in SENTIMENTS]
    flags = [float(f in labels["flags"]) if customer else None for f in FLAGS]
    signals = [None if customer else float(labels[s]) for s in SIGNALS]
    tone = [None if customer else float(labels["tone"] == t) for t in TONES]
    return (*sentiment, *flags, *signals, *tone)
