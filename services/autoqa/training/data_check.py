"""`check`: reads all labelled data critically and writes what it found.

records | by the guide? ── no ──> the faults, and no page
examples | repeated, contradicting, torn, given away by words ─> docs/data-check.md
         | counts ─────────────────────────────────────────────> data/README.md, between its marks
"""

import json
from pathlib import Path
from typing import Any

from services.autoqa.training.checks.card import card_tables, with_counts
from services.autoqa.training.checks.duplicates import contradictions, near_duplicates
from services.autoqa.training.checks.label_statistics import correlations, feelings_by_flag
from services.autoqa.training.checks.openings import repeated_openings
from services.autoqa.training.checks.page import Findings, faults, render, summary
from services.autoqa.training.checks.parts import torn_groups
from services.autoqa.training.checks.records import record_faults
from services.autoqa.training.checks.shortcuts import bag_of_words, file_shortcuts, shortcuts
from services.autoqa.training.data import load_parts


def check(data: Path, *, evaluation: Path, page: Path, card: Path) -> int:
    """Exit code: 1 for invalid records, contradicting labels or torn groups, else 0.

    `evaluation` is the report's JSON; without it the bag of words stands alone. Prints a summary, writes
    `page` and the counts of `card`; neither where a record is invalid. Raises OSError without the data.
    """
    invalid = record_faults(data)
    if invalid:
        print("\n".join(invalid))
        return 1
    findings = find(data, _report(evaluation))
    print(summary(findings))
    page.write_text(render(findings), encoding="utf-8")
    card.write_text(with_counts(card.read_text(encoding="utf-8"), card_tables(data)), encoding="utf-8")
    return 1 if faults(findings) else 0


def find(data: Path, report: dict[str, Any]) -> Findings:
    """Everything, of valid records. `report` as `evaluate` writes it, or empty."""
    parts = load_parts(data)
    examples = sorted((e for part in parts.values() for e in part), key=lambda e: (e.file, e.id))
    decided = bag_of_words(examples)
    return Findings(
        messages=len(examples),
        contradictions=contradictions(examples),
        torn=torn_groups(parts),
        near=near_duplicates(examples),
        dev=frozenset(example.id for example in parts["dev"]),
        openings=repeated_openings(examples),
        shortcuts=shortcuts(examples, decided, report),
        files=file_shortcuts(examples, decided, report),
        correlations=correlations(examples),
        feelings=feelings_by_flag(examples),
        revision=report.get("revision", "none"),
    )


def _report(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return report
