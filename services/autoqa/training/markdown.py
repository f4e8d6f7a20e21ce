"""The evaluation report as Markdown."""

from collections.abc import Mapping
from typing import Any


def render(report: Mapping[str, Any]) -> str:
    """Tables in the order in which a reader asks."""
    parts = [
        f"Revision `{report['revision']}`, {report['dev_messages']} dev messages, int8 graph.",
        _macro(report),
        _labels(report),
        _agreement(report["agreement"]),
        _outcome(report["outcome"]),
        _files(report["by_file"]),
    ]
    return "\n\n".join(parts) + "\n"


def _macro(report: Mapping[str, Any]) -> str:
    lines = [
        "| head | macro F1 de | en | both | both, at thresholds | ECE both |",
        "|---|---|---|---|---|---|",
    ]
    for head, values in report["macro"].items():
        tuned = values.get("all.f1_at_threshold")
        lines.append(
            f"| {head} | {values['de.f1']:.3f} | {values['en.f1']:.3f} | {values['all.f1']:.3f} "
            f"| {'-' if tuned is None else f'{tuned:.3f}'} "
            f"| {values['all.calibration_error']:.3f} |"
        )
    return "\n".join(lines)


def _labels(report: Mapping[str, Any]) -> str:
    lines = [
        "| label | language | n | positives | precision | recall | F1 | ECE |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {row['label']} | {row['language']} | {row['n']} | {row['positives']} "
        f"| {row['precision']:.3f} | {row['recall']:.3f} | {row['f1']:.3f} "
        f"| {row['calibration_error']:.3f} |"
        for row in report["labels"]
        if row["language"] != "all"
    )
    return "\n".join(lines)


def _agreement(values: Mapping[str, float]) -> str:
    return (
        "Int8 graph against the reference weights in fp32: mean difference of a probability "
        f"{values['mean_probability_difference']:.4f}, "
        f"largest {values['largest_probability_difference']:.3f}, "
        f"labels decided otherwise {100 * values['label_flip_ratio']:.2f} %."
    )


def _outcome(outcome: Mapping[str, Mapping[str, float]]) -> str:
    lines = [
        "| outcome | n | resolved accuracy (commonest) | resolved macro F1 "
        "| csat mean error (mean answered) | csat correlation |",
        "|---|---|---|---|---|---|",
    ]
    for name, v in outcome.items():
        lines.append(
            f"| {name.replace('_', ' ')} | {v['n']:.0f} "
            f"| {v['resolved_accuracy']:.3f} ({v['resolved_baseline_accuracy']:.3f}) "
            f"| {v['resolved_macro_f1']:.3f} "
            f"| {v['csat_mean_error']:.3f} ({v['csat_baseline_mean_error']:.3f}) "
            f"| {v['csat_correlation']:.3f} |"
        )
    return "\n".join(lines)


def _files(files: Mapping[str, Mapping[str, float]]) -> str:
    lines = ["| dev part of file | n | flags, pooled F1 | signals, pooled F1 |", "|---|---|---|---|"]
    for name, values in files.items():
        cells = [f"{values[k]:.3f}" if k in values else "-" for k in ("flags.f1", "signals.f1")]
        lines.append(f"| {name} | {values['n']:.0f} | {cells[0]} | {cells[1]} |")
    return "\n".join(lines)
