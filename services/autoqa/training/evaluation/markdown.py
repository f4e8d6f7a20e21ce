"""The evaluation report as Markdown, in the order in which a reader asks."""

from collections.abc import Sequence
from typing import Final

from services.autoqa.training.evaluation import targets
from services.autoqa.training.evaluation.markdown_cells import (
    Row,
    bold,
    f1_cell,
    number,
    percent,
    share_cell,
    table,
    target_cell,
)
from services.autoqa.training.evaluation.markdown_sections import (
    confidence_section,
    confusion_section,
    fairness_section,
    files_section,
    labels_section,
    learning_curve_section,
    mistakes_section,
    off_domain_section,
    runtimes_section,
    shifts_section,
)

Report = Row


def headline(report: Report) -> str:
    """Heads against their targets, each language apart: what the model card shows."""
    rows = [
        (
            row["head"],
            row["language"],
            row["n"],
            f1_cell(row),
            number(row["f1_at_threshold"]),
            target_cell(row["target"], row["reached"]),
            target_cell(targets.CALIBRATION_ERROR, row["is_calibrated"], row["calibration_error"], "≤ "),
            *_covered(report, row["head"], row["language"]),
        )
        for row in report["heads"]
    ]
    columns = ("head", "language", "n", "macro F1 (95 %)", "at thresholds", "target", "ECE")
    heads = table((*columns, "above the floor", "of these right", "of the yes right"), rows)
    missed = [
        f"{row['label']} {row['language']} {row['f1']:.2f} ({row['target']:.2f})"
        for row in report["labels"]
        if row["reached"] is False and row["language"] != "all"
    ]
    spoken = report["messages"]
    return "\n\n".join(
        (
            f"Revision `{report['revision']}`, {spoken['de']} German and {spoken['en']} English held-out "
            f"messages of {report['groups']} conversations and groups, int8 graph. "
            "**Bold**: the target is not reached.",
            heads,
            f"Single labels below their target: {', '.join(missed) or 'none'}.",
            _outcome(report["outcome"]),
            _evidence(report["evidence"]),
        )
    )


def render(report: Report) -> str:
    """The whole report."""
    sections = (
        ("", _INTRODUCTION),
        ("Against the targets", headline(report)),
        ("Labels", labels_section(report["labels"])),
        ("Confusion", confusion_section(report["confusion"])),
        ("Confidence", confidence_section(report)),
        ("The surest mistakes", mistakes_section(report["mistakes"])),
        ("Robustness", _ROBUSTNESS + shifts_section(report["robustness"])),
        ("Fairness", fairness_section(report["fairness"])),
        ("Off-domain", off_domain_section(report["off_domain"])),
        ("Amount of own data", learning_curve_section(report["learning_curve"])),
        ("Runtimes", runtimes_section(report["runtimes"])),
        ("Data files", files_section(report["files"])),
    )
    return "\n\n".join(f"## {title}\n\n{text}" if title else text for title, text in sections) + "\n"


_INTRODUCTION: Final = """# Evaluation of the message model

Made by `make evaluate` from the shipped weights and the dev part of [our own data](../data/README.md);
the same figures as [JSON](evaluation.json). What the model is: [model card](model-card.md).

The weights never saw the dev part, which holds whole conversations, pairs and groups. Calibration,
thresholds and confidence floors are fitted on it, so here they are cross-fitted: fitted on one half of
the groups, applied to the other, both ways. Intervals are 95 % bootstrap intervals over 1,000 draws of
whole groups, with the decisions as they are. Flags and signals are decided at probability 0.5,
sentiment and tone by the likeliest class; "at thresholds" is F1 where each label and language has the
threshold of the other half. The dev part comes from the same authors as the training part: expect less
on your own conversations."""

_ROBUSTNESS: Final = """Changes that leave every label as it is, on a seeded sample of 240 held-out messages;
n: messages of that head that the change touched. Shifts are absolute changes of a probability over all
labels of a head; "decided otherwise" is the share of labels whose decision changed.

"""


def _outcome(rows: Sequence[Row]) -> str:
    text = (
        "Whole conversations. Held out: neither encoder nor outcome heads have seen them. "
        "Cross-validated: ten folds of the heads over all conversations, which flatters, since the "
        "encoder knows most of their messages."
    )
    columns = (
        "outcome",
        "language",
        "n",
        f"resolved macro F1 (target {targets.RESOLVED_F1})",
        "accuracy (commonest)",
        f"CSAT within 1 point (target {targets.CSAT_WITHIN_ONE_RATIO:.0%})",
        "mean error (mean answered)",
        "correlation",
    )
    cells = []
    for row in rows:
        s = row["scores"]
        low, high = row["resolved_interval"]
        near_low, near_high = row["within_one_interval"]
        f1 = bold(f"{s['resolved_macro_f1']:.3f}", row["resolved_reached"])
        near = bold(percent(s["csat_within_one_ratio"]), row["within_one_reached"])
        cells.append(
            (
                row["how"],
                row["language"],
                f"{s['n']:.0f}",
                f"{f1} ({low:.2f} to {high:.2f})",
                f"{s['resolved_accuracy']:.3f} ({s['resolved_baseline_accuracy']:.3f})",
                f"{near} ({100 * near_low:.0f} to {100 * near_high:.0f})",
                f"{s['csat_mean_error']:.2f} ({s['csat_baseline_mean_error']:.2f})",
                f"{s['csat_correlation']:.2f}",
            )
        )
    return f"{text}\n\n{table(columns, cells)}"


def _evidence(row: Row | None) -> str:
    if row is None:
        return "Evidence spans: no hand-checked sample for these weights."
    share = bold(percent(row["ratio"]), row["reached"])
    return (
        f"Evidence spans that overlap the decisive words: {share} of a hand-checked sample of {row['n']} "
        f"(target {targets.EVIDENCE_RATIO:.0%})."
    )


def _covered(report: Report, head: str, language: str) -> tuple[str, ...]:
    row = next(r for r in report["coverage"] if (r["answer"], r["language"]) == (head, language))
    return (
        share_cell(row["coverage_ratio"], row["coverage_ratio"] >= targets.COVERAGE_RATIO),
        share_cell(row["right_ratio"], row["right_ratio"] >= targets.RIGHT_RATIO),
        percent(row["yes_right_ratio"]),
    )
