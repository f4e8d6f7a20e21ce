"""The sections of the Markdown report, one function each, from the rows of the JSON report."""

from collections.abc import Mapping, Sequence

from services.autoqa.training.evaluation import targets
from services.autoqa.training.evaluation.agreement import choice_names
from services.autoqa.training.evaluation.markdown_cells import (
    Row,
    f1_cell,
    number,
    percent,
    share_cell,
    table,
    target_cell,
    text_cell,
)


def labels_section(rows: Sequence[Row]) -> str:
    """Every label, German, English and both."""
    return table(
        (
            "label",
            "language",
            "n",
            "positives",
            "precision",
            "recall",
            "F1 (95 %)",
            "at threshold",
            "target",
            "average precision",
            "kappa",
            "ECE",
        ),
        (
            (
                row["label"],
                row["language"],
                row["n"],
                row["positives"],
                number(row["precision"]),
                number(row["recall"]),
                f1_cell(row),
                number(row["f1_at_threshold"]),
                target_cell(row["target"], row["reached"]),
                number(row["average_precision"]),
                number(row["kappa"]),
                number(row["calibration_error"]),
            )
            for row in sorted(rows, key=lambda row: [r["label"] for r in rows].index(row["label"]))
        ),
    )


def confusion_section(tables: Mapping[str, Mapping[str, Sequence[Sequence[int]]]]) -> str:
    """What was answered for what was labelled."""
    parts = []
    for head, by_language in tables.items():
        names = choice_names(head)
        rows = [
            (language, f"labelled {name}", *counts)
            for language, table in by_language.items()
            if language != "all"
            for name, counts in zip(names, table, strict=True)
        ]
        parts.append(table((head, "", *(f"answered {name}" for name in names)), rows))
    return "\n\n".join(parts)


def confidence_section(report: Row) -> str:
    """Kept promises, and what the floors leave."""
    coverage = table(
        ("answer", "language", "n", "above the floor", "of these right", "of the yes above the floor right"),
        (
            (
                row["answer"],
                row["language"],
                row["n"],
                share_cell(row["coverage_ratio"], row["coverage_ratio"] >= targets.COVERAGE_RATIO),
                share_cell(row["right_ratio"], row["right_ratio"] >= targets.RIGHT_RATIO),
                percent(row["yes_right_ratio"]),
            )
            for row in report["coverage"]
        ),
    )
    bins = table(
        ("head", "promised → true, bin by bin"),
        (
            (
                head,
                ", ".join(f"{100 * b['probability']:.0f} → {100 * b['true_ratio']:.0f}" for b in part),
            )
            for head, part in report["reliability"].items()
        ),
    )
    return "\n\n".join(
        (
            "ECE is the mean distance between promised and true share over 15 bins of equal mass: of all "
            "labels of flags and signals together, of sentiment and tone by the answer's confidence.",
            "![Reliability of each head, German and English](reliability.svg)",
            bins,
            "A floor is the lowest confidence from which on at least 95 % of the answers were right, "
            "fitted on the other half. Answers below it are `unsure`. A head's row counts all of its "
            "labels; most flags are absent from most messages, so the last column tells how often a "
            "raised one is right. `tone.poor` is what the category tone asks.",
            coverage,
        )
    )


def mistakes_section(mistakes: Mapping[str, Sequence[Row]]) -> str:
    """Where the model was surest and wrong."""
    return "At most five a flag, the texts being our own.\n\n" + table(
        ("flag", "message", "what", "probability", "begins"),
        (
            (
                flag.removeprefix("flag."),
                f"`{m['id']}`",
                m["kind"],
                f"{m['probability']:.2f}",
                text_cell(m["text"]),
            )
            for flag, found in mistakes.items()
            for m in found
        ),
    )


def shifts_section(rows: Sequence[Row]) -> str:
    """One row a change and head."""
    return table(
        ("change", "head", "n", "mean shift", "largest", "decided otherwise"),
        (
            (
                row["change"],
                row["head"],
                row["n"],
                f"{row['mean_shift']:.3f}",
                f"{row['largest_shift']:.2f}",
                percent(row["changed_ratio"]),
            )
            for row in rows
        ),
    )


def fairness_section(rows: Sequence[Row]) -> str:
    """Swaps and sentence pairs, the largest shift first named."""
    text = (
        "Held-out messages with surnames and given names of another origin, with the other gendered "
        "address, with Sie made du; and sentence pairs written by hand "
        "(`data/evaluation/sentence_pairs.jsonl`) that say one thing in the standard language and in "
        "dialect, or as a learner would."
    )
    if rows:
        top = max(rows, key=lambda row: float(row["largest_shift"]))
        text += (
            f" The largest single shift is {top['largest_shift']:.2f} ({top['head']}, {top['change']}), the "
            f"largest mean {max(float(row['mean_shift']) for row in rows):.3f}."
        )
    return f"{text}\n\n{shifts_section(rows)}"


def off_domain_section(rows: Sequence[Row]) -> str:
    """Foreign sets by task; why some were skipped."""
    text = (
        "Sets by others, about other things, labelled by other guides: they say how far the model "
        "carries, not how good it is at its task. Class B sets may not be shipped and were only read "
        "here; no weights were trained on them. At most 800 seeded rows a set, calibration as shipped."
    )
    sentiment = [row for row in rows if row.get("task") == "sentiment"]
    offence = [row for row in rows if row.get("task") == "offence"]
    parts = [text]
    if sentiment:
        parts.append(
            table(
                ("sentiment on", "class", "language", "n", "accuracy", "macro F1", "ECE"),
                (
                    (
                        r["set"],
                        r["class"],
                        r["language"],
                        r["n"],
                        *(number(r[k]) for k in ("accuracy", "f1", "calibration_error")),
                    )
                    for r in sentiment
                ),
            )
        )
    if offence:
        names = ("precision", "recall", "f1", "average_precision")
        parts.append(
            table(
                (
                    "abuse against offence on",
                    "class",
                    "language",
                    "n",
                    "positives",
                    "precision",
                    "recall",
                    "F1",
                    "average precision",
                ),
                (
                    (
                        r["set"],
                        r["class"],
                        r["language"],
                        r["n"],
                        r["positives"],
                        *(number(r[k]) for k in names),
                    )
                    for r in offence
                ),
            )
        )
    notes = {row["set"]: row["what"] for row in rows}
    parts.append("\n".join(f"- {name}: {what}." for name, what in notes.items()))
    skipped = [f"- Skipped: {row['set']}, since {row['skipped']}." for row in rows if "skipped" in row]
    return "\n\n".join([*parts, *(["\n".join(skipped)] if skipped else [])])


def learning_curve_section(rows: Sequence[Row] | None) -> str:
    """More data, better answers?"""
    if rows is None:
        return "Not measured for these weights (`python -m services.autoqa.training curve`)."
    heads = ("flags", "signals", "sentiment", "tone")
    return (
        "Short runs of one recipe with part of our own training messages; macro F1 on the dev part, both "
        "languages, without calibration.\n\n"
        + table(
            ("share", "messages", *heads),
            (
                (percent(row["share"], 0), row["messages"], *(number(row[head]) for head in heads))
                for row in rows
            ),
        )
    )


def runtimes_section(values: Row) -> str:
    """Two runtimes of the same weights."""
    return (
        f"Int8 graph against the reference weights in fp32, {values['messages']} messages: "
        f"mean difference of a probability {values['mean_probability_difference']:.4f}, "
        f"largest {values['largest_probability_difference']:.3f}, "
        f"labels decided otherwise {100 * values['label_flip_ratio']:.2f} %."
    )


def files_section(files: Mapping[str, Mapping[str, float]]) -> str:
    """Hard files apart from plain ones."""
    return table(
        ("dev part of file", "n", "flags, pooled F1", "signals, pooled F1"),
        (
            (name, f"{v['n']:.0f}", number(v.get("flags")), number(v.get("signals")))
            for name, v in files.items()
        ),
    )
