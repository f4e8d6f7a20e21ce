"""The counts of the data card, written between its marks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from services.autoqa.training.checks.label_statistics import LANGUAGES, positives
from services.autoqa.training.checks.records import relabels
from services.autoqa.training.data import (
    Example,
    LabelledConversation,
    load_conversations,
    load_messages,
    load_parts,
)
from services.autoqa.training.evaluation.markdown_cells import table
from shared.domain.labels import MessageFlag, Resolved, Sentiment, Signal, Tone

_PLACE: Final = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.S)


def with_counts(text: str, tables: Mapping[str, str]) -> str:
    """`text` with what stands between the marks of each table made anew. Raises KeyError for another name."""
    return _PLACE.sub(lambda place: f"{place[1]}{tables[place[2]]}\n{place[3]}", text)


def card_tables(folder: Path) -> dict[str, str]:
    """Every table of the card, by the name in its mark."""
    singles, conversations = load_messages(folder), load_conversations(folder)
    spoken = [example for conversation in conversations for example in conversation.examples]
    examples = singles + spoken
    parts = load_parts(folder)
    return {
        "size": _size(singles, spoken, conversations),
        "channels": _channels(examples),
        "files": _files(examples, {example.id for example in parts["dev"]}),
        "split": _split(parts["train"], parts["dev"]),
        "relabelled": _relabelled(folder),
        "labels": _labels(examples),
        "outcomes": _outcomes(conversations),
    }


def count(number: int) -> str:
    """With a comma every three digits."""
    return f"{number:,}"


def _size(
    singles: Sequence[Example], spoken: Sequence[Example], conversations: Sequence[LabelledConversation]
) -> str:
    return (
        f"{count(len(singles) + len(spoken))} labelled messages in German and English: "
        f"{count(len(singles))} single ones and the {count(len(spoken))} customer and agent messages of "
        f"{count(len(conversations))} whole conversations."
    )


def _channels(examples: Sequence[Example]) -> str:
    counts = Counter(str(example.message.channel) for example in examples)
    return table(["channel", "messages"], [[name, count(n)] for name, n in counts.most_common()])


def _files(examples: Sequence[Example], dev: set[str]) -> str:
    by_file: dict[str, list[Example]] = {}
    for example in examples:
        by_file.setdefault(example.file, []).append(example)
    rows = [
        [
            f"`{file}`",
            count(len(held)),
            count(len({example.group for example in held})),
            count(sum(bool(example.message.context) for example in held)),
            count(sum(example.id in dev for example in held)),
        ]
        for file, held in sorted(by_file.items())
    ]
    return table(
        ["file", "messages", "groups or conversations", "with earlier turns", "in the dev part"], rows
    )


def _split(train: Sequence[Example], dev: Sequence[Example]) -> str:
    by_language = Counter(example.language for example in dev)
    conversations = len({example.group for example in dev if "/" in example.id})
    return (
        f"Train {count(len(train))} messages, dev {count(len(dev))} "
        f"({count(by_language['de'])} German, {count(by_language['en'])} English; "
        f"{count(conversations)} conversations)."
    )


def _relabelled(folder: Path) -> str:
    entries = relabels(folder)
    kinds = Counter(name for entry in entries for name in entry.labels)
    told = ", ".join(f"{name} {n}" for name, n in sorted(kinds.items(), key=lambda kind: (-kind[1], kind[0])))
    return f"Corrected so far: {count(len(entries))} messages ({told})."


def _labels(examples: Sequence[Example]) -> str:
    held = positives(examples)

    def row(name: str, *labels: str) -> list[str]:
        return [
            name,
            *(" / ".join(count(held[label][language]) for label in labels) for language in LANGUAGES),
        ]

    def rows() -> Iterator[list[str]]:
        yield row(f"sentiment {' / '.join(Sentiment)}", *(f"sentiment.{label}" for label in Sentiment))
        yield from (row(flag, f"flag.{flag}") for flag in MessageFlag)
        yield from (row(signal, f"signal.{signal}") for signal in Signal)
        yield row(f"tone {' / '.join(Tone)}", *(f"tone.{label}" for label in Tone))

    return table(["label", *LANGUAGES], rows())


def _outcomes(conversations: Sequence[LabelledConversation]) -> str:
    resolved = Counter(conversation.resolved for conversation in conversations)
    stars = Counter(conversation.csat for conversation in conversations)
    return (
        f"Conversations: resolved {', '.join(f'{label} {resolved[label]}' for label in Resolved)}; "
        f"csat 1 to 5: {', '.join(str(stars[value]) for value in range(1, 6))}."
    )
