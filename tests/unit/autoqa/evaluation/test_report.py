"""What is read from files, and where the summary goes."""

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest

from services.autoqa.model.labels import LABELS
from services.autoqa.predictions import MessageInput
from services.autoqa.training.data import LabelledConversation
from services.autoqa.training.evaluation.evidence import evidence_row
from services.autoqa.training.evaluation.learning_curve import curve_row
from services.autoqa.training.evaluation.off_domain import (
    load_records,
    offence_scores,
    seeded_sample,
    sentiment_scores,
)
from services.autoqa.training.evaluation.outcome_rows import outcome_row
from services.autoqa.training.evaluation.report import between_marks
from services.autoqa.training.evaluation.robustness import augmented
from services.autoqa.training.outcome import Guess


def test_the_summary_replaces_what_stood_between_the_marks() -> None:
    """All else stays; a page without marks is refused."""
    page = "a\n<!-- evaluation: begin -->\nold\n<!-- evaluation: end -->\nb\n"
    once = between_marks(page, "new")
    assert once == "a\n<!-- evaluation: begin -->\n\nnew\n<!-- evaluation: end -->\nb\n"
    assert between_marks(once, "new") == once
    with pytest.raises(ValueError, match="not enough values"):
        between_marks("no marks", "new")


def test_a_hand_checked_sample_is_judged_by_its_share() -> None:
    """None where nobody checked."""
    assert evidence_row([]) is None
    rows = [{"label": "flag.churn", "right": i < 9} for i in range(10)]
    assert evidence_row(rows) == {
        "n": 10,
        "right": 9,
        "ratio": 0.9,
        "reached": True,
        "labels": {"flag.churn": {"n": 10, "right": 9}},
    }


def test_a_run_of_the_learning_curve_counts_as_it_ended() -> None:
    """Resumed runs have several starts, each pass an evaluation."""
    scores = {"flags": 0.5, "signals": 0.6, "sentiment": 0.7, "tone": 0.8}
    events = [
        {"event": "train.started", "train": 100},
        {"event": "train.evaluated", **dict.fromkeys(scores, 0.1)},
        {"event": "train.started", "train": 100},
        {"event": "train.evaluated", **scores, "tone.accuracy": 0.9},
    ]
    log = "\n".join(json.dumps(event) for event in events)
    assert curve_row(0.25, log) == {"share": 0.25, "messages": 100, **scores}


def test_foreign_sets_are_sampled_the_same_each_time(tmp_path: Path) -> None:
    """At most so many rows."""
    path = tmp_path / "set.jsonl.gz"
    path.write_bytes(gzip.compress(b"\n".join(json.dumps({"id": i}).encode() for i in range(50))))
    records = load_records(path)
    assert len(seeded_sample(records, 20)) == 20
    assert seeded_sample(records, 20) == seeded_sample(records, 20)
    assert len(seeded_sample(records, 100)) == 50


def test_foreign_labels_are_compared_with_ours() -> None:
    """Sentiment by the likeliest, offence with the flag abuse."""
    probabilities = np.zeros((3, len(LABELS)))
    probabilities[[0, 1, 2], [0, 1, 2]] = 1
    probabilities[:, LABELS.index("flag.abuse")] = [0.9, 0.6, 0.1]
    scores = sentiment_scores(probabilities, ["negative", "neutral", "negative"])
    assert (scores["n"], scores["accuracy"]) == (3, 0.6667)
    offence = offence_scores(probabilities, ["OFFENSE", "OTHER", "OTHER"])
    assert (offence["precision"], offence["recall"], offence["average_precision"]) == (0.5, 1, 1)


def test_one_more_message_changes_no_other_messages_augmentation() -> None:
    """Random numbers belong to the place; labels, context and language stay."""
    messages = [
        MessageInput(role="customer", channel=None, text=t, language="en") for t in ("one", "two", "six")
    ]

    def shuffled(text: str, rng: random.Random) -> str:
        return "".join(rng.sample(text, len(text)))

    assert augmented(messages, shuffled)[:2] == augmented(messages[:2], shuffled)
    assert all(message.language == "en" for message in augmented(messages, shuffled))


def test_outcomes_are_counted_by_language() -> None:
    """Within one point counts at exactly one point."""
    labelled = [
        LabelledConversation(
            id=str(i), file="f", language=language, resolved=resolved, csat=csat, flags=(), examples=()
        )
        for i, (language, resolved, csat) in enumerate(
            [("de", "yes", 5), ("de", "no", 1), ("en", "unclear", 3), ("de", "unclear", 3)]
        )
    ]
    found = [
        Guess(resolved="yes", csat=4.0),
        Guess(resolved="no", csat=2.5),
        Guess(resolved="no", csat=5),
        Guess(resolved="unclear", csat=3.0),
    ]
    row = outcome_row("held out", "de", found, labelled)
    assert row.scores["n"] == 3
    assert row.scores["resolved_macro_f1"] == 1
    assert row.scores["csat_within_one_ratio"] == 0.6667
    assert row.resolved_reached
    assert not row.within_one_reached
