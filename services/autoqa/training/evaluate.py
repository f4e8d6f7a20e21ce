"""The report: what the shipped files do on the dev part, as JSON and Markdown; all of it measured here.

Calibration was fitted on the dev part, so scores here use cross-fitted calibration: fitted on one half of
the groups, applied to the other, both ways. The weights never saw the dev part.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from services.autoqa.model.confidence import CHOICES, SWITCHES, Confidence
from services.autoqa.model.encode import Encoder
from services.autoqa.model.files import CONFIDENCE, GRAPH, OUTCOME, TOKENIZER, WEIGHTS, revision_of
from services.autoqa.model.labels import FLAGS_AT, LABELS, SIGNALS_AT
from services.autoqa.model.onnx_runtime import load_onnx_model
from services.autoqa.model.outcome import OutcomeWeights
from services.autoqa.model.torch_runtime import load_network
from services.autoqa.training.batches import encode_examples
from services.autoqa.training.calibrate import fit_confidence
from services.autoqa.training.data import Example, load_conversations, load_parts, split_conversations
from services.autoqa.training.export import graph_logits, targets_of
from services.autoqa.training.markdown import render
from services.autoqa.training.metrics import calibration_error, score
from services.autoqa.training.outcome import cross_validate, evaluate_outcome, turns_of
from services.autoqa.training.train import predict_logits

Floats = NDArray[np.float64]

REFERENCE_EVERY: Final = 4
"""Every n-th dev message is also read by the reference weights, which take several times longer."""
GROUPS: Final = ("de", "en", "all")
MARKS: Final = ("<!-- evaluation: begin -->", "<!-- evaluation: end -->")
"""Between these lines of the model card the report is put."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """One label in one language. `f1_at_threshold` uses the stored threshold's cross-fitted twin."""

    label: str
    language: str
    n: int
    positives: int
    precision: float
    recall: float
    f1: float
    f1_at_threshold: float | None
    calibration_error: float


def evaluate(
    folder: Path, out: Path, card: Path | None = None, *, threads: int = 2, cross_validation: bool = False
) -> None:
    """Writes report.json and report.md to `out`, and the report into `card` where one is given."""
    torch.set_num_threads(threads)
    dev = load_parts()["dev"]
    encoded = encode_examples(dev, Encoder(folder / TOKENIZER), training=False)
    targets = targets_of(encoded)
    logits = graph_logits(folder, encoded, threads=threads)
    rows = label_rows(dev, logits, targets)
    sample = slice(None, None, REFERENCE_EVERY)
    reference = predict_logits(load_network(folder), encoded[sample]).double().numpy()
    report: dict[str, Any] = {
        "revision": revision_of(folder, GRAPH),
        "dev_messages": len(dev),
        "labels": [asdict(row) for row in rows],
        "macro": macro(rows),
        "agreement": agreement(
            Confidence.load(folder / CONFIDENCE), logits[sample], reference, targets[sample]
        ),
        "by_file": by_file(dev, logits, targets),
        "outcome": outcome_scores(folder, threads=threads, cross_validation=cross_validation),
        "bytes": {name: (folder / name).stat().st_size for name in (WEIGHTS, GRAPH, TOKENIZER)},
    }
    out.mkdir(parents=True, exist_ok=True)
    (out / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    text = render(report)
    (out / "report.md").write_text(text, encoding="utf-8")
    print(text)
    if card is not None:
        before, rest = card.read_text(encoding="utf-8").split(MARKS[0])
        after = rest.split(MARKS[1])[1]
        card.write_text(f"{before}{MARKS[0]}\n\n{text}\n{MARKS[1]}{after}", encoding="utf-8")


def label_rows(dev: Sequence[Example], logits: Floats, targets: Floats) -> list[LabelRow]:
    """Every label, for German, English and both."""
    probabilities, thresholds = cross_fitted(dev, logits, targets)
    languages = np.array([example.language for example in dev])
    decided = decisions(probabilities)
    rows: list[LabelRow] = []
    for i, label in enumerate(LABELS):
        for language in GROUPS:
            chosen = ~np.isnan(targets[:, i])
            if language != "all":
                chosen &= languages == language
            true = targets[chosen, i] == 1
            scores = score(decided[chosen, i], true)
            tuned = score(probabilities[chosen, i] >= thresholds[chosen, i], true).f1
            rows.append(
                LabelRow(
                    label=label,
                    language=language,
                    n=scores.n,
                    positives=scores.positives,
                    precision=round(scores.precision, 4),
                    recall=round(scores.recall, 4),
                    f1=round(scores.f1, 4),
                    f1_at_threshold=round(tuned, 4) if i in SWITCHES else None,
                    calibration_error=round(calibration_error(probabilities[chosen, i], true), 4),
                )
            )
    return rows


def cross_fitted(dev: Sequence[Example], logits: Floats, targets: Floats) -> tuple[Floats, Floats]:
    """Probabilities, and thresholds of each row's other half; members of a group are in one half."""
    groups = {group: i % 2 for i, group in enumerate(sorted({(e.file, e.group) for e in dev}))}
    half = np.array([groups[(e.file, e.group)] for e in dev])
    probabilities = np.zeros_like(logits)
    thresholds = np.full_like(logits, 0.5)
    for side in (0, 1):
        confidence = fit_confidence(logits[half != side], targets[half != side])
        probabilities[half == side] = confidence.probabilities(logits[half == side])
        for i in SWITCHES:
            thresholds[half == side, i] = confidence.thresholds[LABELS[i]]
    return probabilities, thresholds


def decisions(probabilities: Floats) -> NDArray[np.bool_]:
    """Flags and signals from 0.5; of sentiment and tone the likeliest."""
    decided = probabilities >= 0.5
    for at in CHOICES.values():
        decided[:, at] = probabilities[:, at] == probabilities[:, at].max(axis=1, keepdims=True)
    return decided


def macro(rows: Sequence[LabelRow]) -> dict[str, dict[str, float]]:
    """Mean F1 and calibration error over each head's labels, by language."""
    result: dict[str, dict[str, float]] = {}
    for head in ("flag", "signal", "sentiment", "tone"):
        for language in GROUPS:
            chosen = [r for r in rows if r.label.startswith(f"{head}.") and r.language == language]
            result.setdefault(head, {})[f"{language}.f1"] = _mean([r.f1 for r in chosen])
            result[head][f"{language}.calibration_error"] = _mean([r.calibration_error for r in chosen])
            tuned = [r.f1_at_threshold for r in chosen if r.f1_at_threshold is not None]
            if tuned:
                result[head][f"{language}.f1_at_threshold"] = _mean(tuned)
    return result


def agreement(confidence: Confidence, graph: Floats, reference: Floats, targets: Floats) -> dict[str, float]:
    """How far the int8 graph is from the reference weights: probabilities and decided labels."""
    ours, theirs = confidence.probabilities(graph), confidence.probabilities(reference)
    owed = ~np.isnan(targets)
    flips = decisions(ours) != decisions(theirs)
    return {
        "mean_probability_difference": round(float(np.abs(ours - theirs)[owed].mean()), 5),
        "largest_probability_difference": round(float(np.abs(ours - theirs)[owed].max()), 4),
        "label_flip_ratio": round(float(flips[owed].mean()), 5),
    }


def by_file(dev: Sequence[Example], logits: Floats, targets: Floats) -> dict[str, dict[str, float]]:
    """Pooled F1 of flags and signals a data file: shows the hard files apart from the plain ones."""
    decided = decisions(cross_fitted(dev, logits, targets)[0])
    result: dict[str, dict[str, float]] = {}
    for file in sorted({example.file for example in dev}):
        chosen = np.array([example.file == file for example in dev])
        result[file] = {"n": int(chosen.sum())}
        for head, at in (("flags", FLAGS_AT), ("signals", SIGNALS_AT)):
            owed = ~np.isnan(targets[chosen, at])
            if owed.any():
                pooled = score(decided[chosen, at][owed], targets[chosen, at][owed] == 1)
                result[file][f"{head}.f1"] = round(pooled.f1, 4)
    return result


def outcome_scores(folder: Path, *, threads: int, cross_validation: bool) -> dict[str, Any]:
    """Outcome heads on the dev conversations, and where asked cross-validated over all."""
    model = load_onnx_model(folder, threads=threads)
    parts = split_conversations(load_conversations())
    dev_turns = turns_of(parts["dev"], model)
    weights = OutcomeWeights.load(folder / OUTCOME)
    scores = {"dev": _rounded(asdict(evaluate_outcome(weights, dev_turns, parts["dev"])))}
    if cross_validation:
        turns = turns_of(parts["train"], model) + dev_turns
        validated = cross_validate(turns, parts["train"] + parts["dev"])
        scores["cross_validated"] = _rounded(asdict(validated))
    return scores


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 4)


def _rounded(values: dict[str, float]) -> dict[str, float]:
    return {name: round(value, 4) for name, value in values.items()}
