"""Draws the sample by which people judge evidence: does the named sentence hold the decisive words?

A line of the sample: id, label, language, text, `span` and `quote`; a person adds `"right": true` or `false`.
Only messages of two sentences and more are drawn, since of one sentence any span is right.
"""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from services.autoqa.model.onnx_runtime import load_onnx_model
from services.autoqa.model.sentences import split_sentences
from services.autoqa.predictions import CustomerPrediction, Prediction, Span
from services.autoqa.training.data import DATA, SEED, Example, load_parts, true_labels
from services.autoqa.training.evaluation.targets import EVIDENCE_RATIO
from shared.domain.labels import MessageFlag, Sentiment, Signal, Tone

JUDGED: Final = DATA / "evaluation" / "evidence.jsonl"
_NEEDS_NO_PROOF: Final = {"sentiment.neutral", "tone.acceptable"}


def draw_evidence(folder: Path, out: Path, *, count: int, threads: int) -> None:
    """Writes `count` answers that are right, as many of each label and language as can be, to `out`."""
    examples = [e for e in load_parts()["dev"] if len(split_sentences(e.message.text)) > 1]
    predictions = load_onnx_model(folder, threads=threads).predict([e.message for e in examples])
    rng = random.Random(SEED)  # noqa: S311  # the same draw each run is what is wanted
    by_kind: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for example, prediction in zip(examples, predictions, strict=True):
        for label, span in answers(prediction):
            if label in true_labels(example):
                by_kind.setdefault((label, example.language), []).append(_row(example, label, span))
    for rows in by_kind.values():
        rng.shuffle(rows)
    drawn: list[dict[str, Any]] = []
    while len(drawn) < count and any(by_kind.values()):
        drawn.extend(rows.pop() for _, rows in sorted(by_kind.items()) if rows)
    with out.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in drawn[:count])


def answers(prediction: Prediction) -> Iterator[tuple[str, Span]]:
    """What was decided of a message and calls for proof, with the sentence named."""
    if isinstance(prediction, CustomerPrediction):
        feeling = max(Sentiment, key=lambda s: prediction.sentiment[s])
        found = [(f"sentiment.{feeling}", prediction.sentiment_evidence)]
        found += [
            (f"flag.{flag}", prediction.flag_evidence[flag])
            for flag in MessageFlag
            if prediction.flags[flag] >= 0.5
        ]
    else:
        tone = max(Tone, key=lambda t: prediction.tone[t])
        found = [(f"tone.{tone}", prediction.tone_evidence)]
        found += [
            (f"signal.{signal}", prediction.signal_evidence[signal])
            for signal in Signal
            if prediction.signals[signal] >= 0.5
        ]
    yield from ((label, span) for label, span in found if label not in _NEEDS_NO_PROOF)


def judged_rows(path: Path = JUDGED) -> list[dict[str, Any]]:
    """What people judged; none where nobody has."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def evidence_row(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Share of judged answers whose span overlaps the decisive words, also by label; None without any."""
    if not rows:
        return None
    labels = sorted({row["label"] for row in rows})
    right = sum(row["right"] for row in rows)
    return {
        "n": len(rows),
        "right": right,
        "ratio": round(right / len(rows), 4),
        "reached": right / len(rows) >= EVIDENCE_RATIO,
        "labels": {
            label: {
                "n": sum(row["label"] == label for row in rows),
                "right": sum(row["right"] for row in rows if row["label"] == label),
            }
            for label in labels
        },
    }


def _row(example: Example, label: str, span: Span) -> dict[str, Any]:
    text = example.message.text
    return {
        "id": example.id,
        "label": label,
        "language": example.language,
        "context": [turn.text for turn in example.message.context[-2:]],
        "text": text,
        "span": [span.start, span.end],
        "quote": text[span.start : span.end],
    }
