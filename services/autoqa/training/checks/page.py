"""The findings as a Markdown page."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from services.autoqa.training.checks.card import count
from services.autoqa.training.checks.duplicates import LETTERS, MIN_LENGTH, SIMILAR, NearDuplicate
from services.autoqa.training.checks.label_statistics import (
    CORRELATED,
    LANGUAGES,
    Correlation,
    FlagFeelings,
)
from services.autoqa.training.checks.openings import REPEATED, WORDS, Openings
from services.autoqa.training.checks.shortcuts import CLEARLY, FOLDS, FileShortcut, Shortcut
from services.autoqa.training.data import Example
from services.autoqa.training.evaluation.markdown_cells import bold, number, percent, table, text_cell
from shared.domain.labels import Sentiment

_SHOWN: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """All that the check found; `dev` holds the ids of the dev part's messages."""

    messages: int
    contradictions: Sequence[tuple[Example, ...]]
    torn: Sequence[str]
    near: Sequence[NearDuplicate]
    dev: frozenset[str]
    openings: Sequence[Openings]
    shortcuts: Sequence[Shortcut]
    files: Sequence[FileShortcut]
    correlations: Sequence[Correlation]
    feelings: Sequence[FlagFeelings]
    revision: str


def faults(findings: Findings) -> list[str]:
    """What makes the check fail, a line each, by ids."""
    return [
        *(
            f"same words, different labels: {', '.join(one.id for one in alike)}"
            for alike in findings.contradictions
        ),
        *(f"members in both parts: {group}" for group in findings.torn),
    ]


def summary(findings: Findings) -> str:
    """What a console shows."""
    unclear = [f"{row.label} {row.language}" for row in findings.shortcuts if not row.is_clear]
    across = sum(_crosses(pair, findings.dev) for pair in findings.near)
    return "\n".join(
        [
            f"{count(findings.messages)} messages",
            f"near-duplicates: {len(findings.near)}, {across} of them across the parts",
            f"bag of words not clearly below the encoder: {', '.join(unclear) or 'nowhere'}",
            *faults(findings),
        ]
    )


def render(findings: Findings) -> str:
    """The whole page."""
    sections = [
        _head(findings),
        _failures(findings),
        _near(findings),
        _openings(findings),
        _shortcuts(findings),
        _hard(findings),
        _correlations(findings),
        _feelings(findings),
    ]
    return "\n\n".join(sections) + "\n"


def _head(findings: Findings) -> str:
    return (
        "# Check of the labelled data\n\n"
        "Made by `make check-data` from [our own data](../data/README.md): whether it repeats itself, "
        "contradicts itself or\ngives its labels away by single words. "
        f"{count(findings.messages)} messages, relabelled as `data/relabels.json` says."
    )


def _failures(findings: Findings) -> str:
    found = faults(findings)
    listed = "\n".join(f"- {fault}" for fault in found) if found else "None."
    return (
        "## What must not be\n\n"
        "Records against the annotation guide (the check ends before this page is written), messages with "
        "the same role, words and\nearlier turns but different labels, members of a pair, group or "
        f"conversation in different parts.\n\n{listed}"
    )


def _near(findings: Findings) -> str:
    text = (
        "## Near-duplicates\n\n"
        f"Messages of {MIN_LENGTH} letters and more that share at least {percent(SIMILAR, 0)} of their "
        f"groups of {LETTERS} letters (Jaccard). Members of\na pair or group are left out: they share "
        "words by design. "
        f"Found: {len(findings.near)}"
    )
    if not findings.near:
        return f"{text}."
    rows = [
        [
            f"{pair.similarity:.2f}",
            pair.first.id,
            pair.second.id,
            "yes" if _crosses(pair, findings.dev) else "no",
            "same" if pair.first.targets == pair.second.targets else "differ",
            _excerpt(pair.first.message.text),
        ]
        for pair in findings.near[:_SHOWN]
    ]
    columns = ["similarity", "first", "second", "one in train, one in dev", "labels", "first begins"]
    return f"{text}; the {len(rows)} most alike:\n\n{table(columns, rows)}"


def _openings(findings: Findings) -> str:
    rows = [
        [
            f"`{row.file}`",
            count(row.openings),
            percent(row.repeated_ratio),
            text_cell(row.commonest),
            row.times,
        ]
        for row in findings.openings
    ]
    columns = ["file", "openings", f"that stand {REPEATED} times or more", "commonest", "times"]
    return (
        "## Repeated openings\n\n"
        f"The first {WORDS} words, a group counted once. Salutations repeat in every inbox; what would be a "
        f"template repeats after them.\n\n{table(columns, rows)}"
    )


def _shortcuts(findings: Findings) -> str:
    rows = [
        [
            row.label,
            row.language,
            count(row.positives),
            number(row.f1),
            number(row.hard),
            number(row.measured),
            number(row.encoder),
            "-" if row.encoder is None or row.measured is None else _gap(row),
        ]
        for row in findings.shortcuts
    ]
    columns = [
        "label",
        "language",
        "positives",
        "all messages",
        "hard part",
        "files of the report",
        "encoder",
        "encoder ahead by",
    ]
    return (
        "## Label shortcuts\n\n"
        f"F1 of a bag of words (TF-IDF of words and word pairs of the message alone, logistic regression, "
        f"{FOLDS} folds by group),\neach language apart. Where a label hangs on single words it comes near "
        f"the encoder; it should stay {CLEARLY:.2f} below.\n**Bold**: it does not. The encoder's F1 is that "
        f"of [the report](evaluation.md) on the dev part (revision `{findings.revision}`), set\nbeside the "
        "bag's on the files that the report knows. The bag is judged on all messages of them, the encoder "
        "on\nthe dev part alone: with a few dozen positives a flag and language, a gap may be off by 0.1.\n"
        "The hard part: understated and contextual labels, near misses, pairs, plain messages.\n\n"
        f"{table(columns, rows)}"
    )


def _hard(findings: Findings) -> str:
    rows = [
        [
            f"`{row.file}`",
            row.head,
            count(row.n),
            number(row.f1),
            number(row.encoder),
            "-"
            if row.encoder is None
            else bold(f"{row.encoder - row.f1:+.3f}", row.encoder - row.f1 >= CLEARLY),
        ]
        for row in findings.files
    ]
    columns = ["file", "head", "messages", "bag of words", "encoder", "encoder ahead by"]
    return (
        "### The hard part, file by file\n\n"
        "F1 over all decisions of a file; the encoder has only the file's few dozen dev messages. A dash is "
        f"a file\nthat is newer than the report.\n\n{table(columns, rows)}"
    )


def _correlations(findings: Findings) -> str:
    rows = [
        [row.first, row.second, *(f"{row.by_language[language]:+.2f}" for language in LANGUAGES)]
        for row in findings.correlations
    ]
    shown = table(["label", "label", *LANGUAGES], rows) if rows else "None."
    return (
        "## Labels that come together\n\n"
        f"Correlation above {CORRELATED} in a language, of either sign.\n\n{shown}"
    )


def _feelings(findings: Findings) -> str:
    rows = [
        [row.flag, count(row.n), *(percent(row.shares[label], 0) for label in Sentiment)]
        for row in findings.feelings
    ]
    return f"## Sentiment within each flag\n\n{table(['flag', 'messages', *Sentiment], rows)}"


def _gap(row: Shortcut) -> str:
    return bold(f"{(row.encoder or 0.0) - (row.measured or 0.0):+.3f}", row.is_clear)


def _crosses(pair: NearDuplicate, dev: frozenset[str]) -> bool:
    return (pair.first.id in dev) != (pair.second.id in dev)


def _excerpt(text: str) -> str:
    shown = " ".join(text.split())
    return text_cell(shown if len(shown) <= 60 else f"{shown[:60]}…")
