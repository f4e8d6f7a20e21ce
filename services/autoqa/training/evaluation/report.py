"""`evaluate`: measures everything and writes the report.

held-out messages | logits, once | cross-fitted decisions | tables ──┐
augmented, swapped, foreign messages | shifts, scores ───────────────┼─> JSON, Markdown, SVG
conversations | outcome ─────────────────────────────────────────────┘
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np

from services.autoqa.model.batching import batches, padded
from services.autoqa.model.encode import Encoder
from services.autoqa.model.files import GRAPH, TOKENIZER, WEIGHTS, revision_of
from services.autoqa.model.labels import FLAGS_AT, LABELS, SIGNALS_AT
from services.autoqa.model.torch_runtime import BATCH_TOKENS, TorchNetwork, load_network
from services.autoqa.predictions import MessageInput
from services.autoqa.training.augment import AUGMENTATIONS
from services.autoqa.training.data import load_parts
from services.autoqa.training.evaluation.agreement import choice_tables, runtime_agreement
from services.autoqa.training.evaluation.coverage import coverage_rows
from services.autoqa.training.evaluation.evidence import evidence_row, judged_rows
from services.autoqa.training.evaluation.fairness import fairness_rows, load_pairs
from services.autoqa.training.evaluation.heldout import Floats, HeldOut, Judged, cross_fitted, held_out
from services.autoqa.training.evaluation.markdown import headline, render
from services.autoqa.training.evaluation.message_logits import MessageLogits
from services.autoqa.training.evaluation.mistakes import surest_mistakes
from services.autoqa.training.evaluation.off_domain import off_domain_rows
from services.autoqa.training.evaluation.outcome_rows import outcome_rows
from services.autoqa.training.evaluation.reliability import head_bins
from services.autoqa.training.evaluation.reliability_svg import reliability_svg
from services.autoqa.training.evaluation.robustness import robustness_rows
from services.autoqa.training.evaluation.scores import score_rows
from services.autoqa.training.evaluation.targets import HEADS
from services.autoqa.training.metrics import score

REPORT: Final = "evaluation"
"""Stem of the report's files."""
PLOT: Final = "reliability.svg"
LEARNING_CURVE: Final = "learning-curve.json"
_MARKS: Final = ("<!-- evaluation: begin -->", "<!-- evaluation: end -->")
"""Between these lines of the model card the report's summary is put."""
_REFERENCE_EVERY: Final = 6
"""Every n-th message is also read by the reference weights, which take several times longer."""


def evaluate(folder: Path, out: Path, card: Path | None, foreign: Path, *, threads: int) -> None:
    """Writes the report to `out`, which may hold two figures made apart, and its summary into `card`.

    `foreign` holds the off-domain sets; what is not there is named as skipped. Raises OSError where
    weights or data are missing.
    """
    reader = MessageLogits(folder, threads=threads)
    held = held_out(load_parts()["dev"], reader)
    judged = cross_fitted(held)
    report = {
        **_about(folder, held),
        **_held_out_tables(held, judged),
        "runtimes": _runtimes(folder, held, reader, threads=threads),
        "robustness": [asdict(row) for row in robustness_rows(held.examples, reader, AUGMENTATIONS)],
        "fairness": [asdict(row) for row in fairness_rows(held.examples, load_pairs(), reader)],
        "off_domain": off_domain_rows(foreign, reader),
        "outcome": [asdict(row) for row in outcome_rows(folder, threads=threads)],
        "learning_curve": _figures(out / LEARNING_CURVE),
        "evidence": evidence_row(judged_rows()),
    }
    out.mkdir(parents=True, exist_ok=True)
    lines = {head: {k: head_bins(held, judged, head, k) for k in ("de", "en")} for head in HEADS}
    (out / PLOT).write_text(reliability_svg(lines), encoding="utf-8")
    (out / f"{REPORT}.json").write_text(
        json.dumps(report, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    (out / f"{REPORT}.md").write_text(render(report), encoding="utf-8")
    summary = headline(report)
    print(summary)
    if card is not None:
        card.write_text(between_marks(card.read_text(encoding="utf-8"), summary), encoding="utf-8")


def between_marks(text: str, summary: str) -> str:
    """`text` with `summary` in place of what stood between the marks. Raises ValueError without them."""
    before, rest = text.split(_MARKS[0])
    _, after = rest.split(_MARKS[1])
    return f"{before}{_MARKS[0]}\n\n{summary}\n{_MARKS[1]}{after}"


def by_file(held: HeldOut, judged: Judged) -> dict[str, dict[str, float]]:
    """Pooled F1 of flags and signals a data file: shows the hard files apart from the plain ones."""
    files = np.array([example.file for example in held.examples])
    decided = judged.decided
    result: dict[str, dict[str, float]] = {}
    for file in sorted(set(files.tolist())):
        chosen = files == file
        result[file] = {"n": int(chosen.sum())}
        for head, at in (("flags", FLAGS_AT), ("signals", SIGNALS_AT)):
            owed = held.owed[chosen, at]
            if owed.any():
                pooled = score(decided[chosen, at][owed], held.targets[chosen, at][owed] == 1)
                result[file][head] = round(pooled.f1, 4)
    return result


def _about(folder: Path, held: HeldOut) -> dict[str, Any]:
    return {
        "revision": revision_of(folder, GRAPH),
        "messages": {k: int(held.rows(k).sum()) for k in ("de", "en")},
        "groups": len(set(held.groups.tolist())),
        "bytes": {name: (folder / name).stat().st_size for name in (WEIGHTS, GRAPH, TOKENIZER)},
    }


def _held_out_tables(held: HeldOut, judged: Judged) -> dict[str, Any]:
    labels, heads = score_rows(held, judged)
    bins = {head: [asdict(b) for b in head_bins(held, judged, head, "all")] for head in HEADS}
    return {
        "labels": [asdict(row) for row in labels],
        "heads": [asdict(row) for row in heads],
        "coverage": [asdict(row) for row in coverage_rows(held, judged)],
        "reliability": bins,
        "confusion": choice_tables(held, judged),
        "mistakes": surest_mistakes(held, judged),
        "files": by_file(held, judged),
    }


def _runtimes(folder: Path, held: HeldOut, reader: MessageLogits, *, threads: int) -> dict[str, float]:
    """The int8 graph beside the reference weights."""
    sample = slice(None, None, _REFERENCE_EVERY)
    spoken = held.languages[sample].tolist()
    messages = [example.message for example in held.examples[sample]]
    reference = _reference_logits(folder, messages, threads=threads)
    ours = reader.confidence.probabilities(held.logits[sample], spoken)
    theirs = reader.confidence.probabilities(reference, spoken)
    return runtime_agreement(ours, theirs, held.owed[sample])


def _reference_logits(folder: Path, messages: Sequence[MessageInput], *, threads: int) -> Floats:
    encoder = Encoder(folder / TOKENIZER)
    network = TorchNetwork(load_network(folder), device="cpu", threads=threads)
    windows = [encoder.encode(message).windows[0] for message in messages]
    order = sorted(range(len(windows)), key=lambda i: len(windows[i].ids))
    logits = np.zeros((len(windows), len(LABELS)))
    for batch in batches([len(windows[i].ids) for i in order], BATCH_TOKENS["cpu"]):
        logits[order[batch]] = network(*padded([windows[i] for i in order[batch]]))[0]
    return logits


def _figures(path: Path) -> Any:
    """What was measured apart and committed; None where it was not."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
