"""The check of the labelled data finds what must not be in it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from services.autoqa.model.labels import LABELS
from services.autoqa.training.checks.card import card_tables, with_counts
from services.autoqa.training.checks.duplicates import contradictions, near_duplicates
from services.autoqa.training.checks.label_statistics import correlations, feelings_by_flag, positives
from services.autoqa.training.checks.openings import repeated_openings
from services.autoqa.training.checks.parts import torn_groups
from services.autoqa.training.checks.records import record_faults
from services.autoqa.training.checks.shortcuts import bag_of_words, is_hard, shortcuts
from services.autoqa.training.data import DATA, Example, load_messages
from services.autoqa.training.data_check import check

LONG = "Guten Tag, meine Waschmaschine steht seit Montag still und zeigt den Fehler E18"


def _single(
    id_: str, text: str = LONG, *flags: str, sentiment: str = "neutral", **more: Any
) -> dict[str, Any]:
    return {
        "id": id_,
        "language": "de",
        "role": "customer",
        "channel": "email",
        "text": text,
        "labels": {"sentiment": sentiment, "flags": list(flags)},
        **more,
    }


def _conversation(id_: str, *flags: str) -> dict[str, Any]:
    return {
        "id": id_,
        "language": "de",
        "channel": "chat",
        "industry": "energy",
        "scenario": "asks",
        "messages": [
            {
                "id": "m1",
                "role": "customer",
                "at": "2026-03-02T09:14:00+01:00",
                "text": "ich kündige",
                "labels": {"sentiment": "neutral", "flags": ["churn"]},
            }
        ],
        "labels": {"resolved": "yes", "csat": 4, "flags": list(flags)},
    }


def _write(
    folder: Path, singles: Sequence[dict[str, Any]], conversations: Sequence[dict[str, Any]] = ()
) -> Path:
    for kind, name, records in (
        ("messages", "train.customer.de.d", singles),
        ("conversations", "train.de", conversations),
    ):
        (folder / kind).mkdir(exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in records)
        (folder / kind / f"{name}.jsonl").write_text(lines)
    return folder


def _relabel(folder: Path, *entries: tuple[str, dict[str, Any]]) -> None:
    listed = [{"id": id_, "labels": labels, "reason": "guide"} for id_, labels in entries]
    (folder / "relabels.json").write_text(json.dumps(listed))


def _examples(folder: Path, *singles: dict[str, Any]) -> list[Example]:
    return load_messages(_write(folder, singles))


def test_records_by_the_guide_are_without_fault(tmp_path: Path) -> None:
    """Also one with earlier turns, a conversation and a corrected label."""
    turn = {"role": "agent", "text": "Wann?"}
    _write(tmp_path, [_single("de-1", context=[turn])], [_conversation("de-t-1", "churn", "unanswered")])
    _relabel(tmp_path, ("de-t-1/m1", {"sentiment": "negative"}))
    assert record_faults(tmp_path) == []


@pytest.mark.parametrize(
    ("record", "told"),
    [
        (_single("de-1", LONG, "churning"), "flags"),
        (_single("de-1", LONG, "churn", "churn"), "twice"),
        (_single("de-1", sentiment="angry"), "sentiment"),
        (_single("de-1", channel="fax"), "channel"),
        (_single("de-1", ""), "text"),
        (_single("de-1", language="en"), "file's name"),
        (_single("de-1", role="agent"), "labels"),
        (_single("de-1", mood="good"), "mood"),
    ],
)
def test_a_record_against_the_guide_is_told_by_its_line_and_without_its_text(
    tmp_path: Path, record: dict[str, Any], told: str
) -> None:
    """Whatever is wrong with it."""
    faults = record_faults(_write(tmp_path, [record]))
    assert faults
    assert all(fault.startswith("train.customer.de.d.jsonl:1: ") for fault in faults)
    assert any(told in fault for fault in faults)
    assert not any("Waschmaschine" in fault for fault in faults)


def test_a_conversation_owns_up_to_its_messages_flags(tmp_path: Path) -> None:
    """They are the union, with what only a conversation shows."""
    assert "union" in record_faults(_write(tmp_path, [], [_conversation("de-t-1", "unanswered")]))[0]


def test_an_id_stands_once(tmp_path: Path) -> None:
    """A correction could not tell two apart."""
    assert "de-1: id stands 2 times" in record_faults(_write(tmp_path, [_single("de-1"), _single("de-1")]))


def test_corrections_name_a_message_that_exists_and_labels_that_the_guide_knows(tmp_path: Path) -> None:
    """Each entry that does not is told."""
    _write(tmp_path, [_single("de-1"), _single("de-2")])
    _relabel(
        tmp_path, ("de-9", {"sentiment": "neutral"}), ("de-1", {"flags": ["noise"]}), ("de-2", {"mood": 1})
    )
    faults = record_faults(tmp_path)
    assert [fault.split(": ")[1] for fault in faults] == ["de-9", "de-1", "de-2"]


def test_same_words_with_different_labels_contradict_each_other(tmp_path: Path) -> None:
    """Case and marks aside; other earlier turns make it another message."""
    turn = {"role": "agent", "text": "Kündigen Sie?"}
    examples = _examples(
        tmp_path,
        _single("de-1", "Ja, bitte!"),
        _single("de-2", "ja bitte", sentiment="negative"),
        _single("de-3", "Ja, bitte!"),
        _single("de-4", "Ja, bitte!", "churn", context=[turn]),
    )
    assert [[one.id for one in alike] for alike in contradictions(examples)] == [["de-1", "de-2", "de-3"]]


def test_near_duplicates_are_found_outside_a_group_only(tmp_path: Path) -> None:
    """A pair shares its words by design; short messages are alike by nature."""
    examples = _examples(
        tmp_path,
        _single("de-1p", LONG),
        _single("de-1n", f"{LONG} nicht mehr"),
        _single("de-2", f"{LONG}!"),
        _single("de-3", "Bitte schicken Sie mir die Rechnung vom März noch einmal zu"),
        _single("de-4", "danke dir"),
        _single("de-5", "Danke dir!"),
    )
    found = [
        ({pair.first.id, pair.second.id}, round(pair.similarity, 2)) for pair in near_duplicates(examples)
    ]
    assert found[0] == ({"de-1p", "de-2"}, 1.0)
    assert [ids for ids, _ in found[1:]] == [{"de-1n", "de-2"}]


def test_openings_count_a_group_once(tmp_path: Path) -> None:
    """Three groups that begin alike are a repeated opening, two pairs are not."""
    [row] = repeated_openings(
        _examples(
            tmp_path,
            *(_single(f"de-{n}", f"Ich warte schon seit {n} Tagen") for n in (1, 2, 3)),
            _single("de-4p", "Wo bleibt mein Paket heute"),
            _single("de-4n", "Wo bleibt mein Paket denn"),
        )
    )
    assert (row.openings, row.repeated_ratio, row.commonest, row.times) == (
        4,
        0.75,
        "ich warte schon seit",
        3,
    )


def test_a_group_in_both_parts_is_torn(tmp_path: Path) -> None:
    """Whichever of its members."""
    first, second, other = _examples(tmp_path, _single("de-1p"), _single("de-1n"), _single("de-2"))
    assert torn_groups({"train": [first, other], "dev": [second]}) == ["de-1"]
    assert torn_groups({"train": [first, second], "dev": [other]}) == []


def test_a_label_that_a_word_gives_away_is_found(tmp_path: Path) -> None:
    """The bag of words gets it right on groups that it has not seen, and is set beside the encoder."""
    examples = _examples(
        tmp_path,
        *(_single(f"de-{n}", f"Der Anwalt schreibt wegen Punkt {n} bald", "legal") for n in range(20)),
        *(_single(f"de-{n}", f"Die Rechnung kommt wegen Punkt {n} bald") for n in range(20, 60)),
    )
    decided = bag_of_words(examples)
    report = {
        "labels": [{"label": "flag.legal", "language": "de", "f1": 0.9}],
        "files": {"train.customer.de.d": {"flags": 0.9}},
    }
    rows = {(row.label, row.language): row for row in shortcuts(examples, decided, report)}
    legal = rows["flag.legal", "de"]
    assert (legal.positives, legal.f1, legal.hard, legal.encoder) == (20, 1.0, 1.0, 0.9)
    assert not legal.is_clear
    assert rows["flag.churn", "de"].f1 == 0
    assert rows["flag.churn", "de"].is_clear


@pytest.mark.parametrize(
    ("file", "hard"),
    [
        ("train.customer.de.f", True),
        ("train.customer.en.pairs2", True),
        ("train.agent.de.pairs", True),
        ("train.customer.de.plain", True),
        ("train.customer.de.a", False),
        ("train.customer.de", False),
        ("train.de", False),
    ],
)
def test_the_hard_part_is_known_by_its_files(file: str, hard: bool) -> None:
    """Near misses and pairs, not the first files."""
    assert is_hard(file) is hard


def test_label_statistics_count_correlate_and_split_by_feeling(tmp_path: Path) -> None:
    """Choices of one head exclude each other and are not told as correlated."""
    examples = _examples(
        tmp_path,
        *(_single(f"de-{n}", LONG, "legal", sentiment="negative") for n in range(3)),
        _single("de-3", LONG, "legal"),
        *(_single(f"de-{n}") for n in range(4, 8)),
    )
    assert positives(examples)["flag.legal"] == {"de": 4, "en": 0}
    told = {(one.first, one.second): one.by_language["de"] for one in correlations(examples)}
    assert set(told) == {("sentiment.negative", "flag.legal"), ("sentiment.neutral", "flag.legal")}
    assert told["sentiment.negative", "flag.legal"] == pytest.approx(0.775, abs=0.001)
    legal = feelings_by_flag(examples)[LABELS.index("flag.legal") - LABELS.index("flag.churn")]
    assert (legal.n, legal.shares) == (4, {"negative": 0.75, "neutral": 0.25, "positive": 0.0})


def test_the_check_fails_for_contradictions_and_writes_page_and_counts(tmp_path: Path) -> None:
    """Corrected, it passes."""
    _write(tmp_path, [_single("de-1"), _single("de-2", LONG, "churn")])
    page, card = tmp_path / "page.md", tmp_path / "card.md"
    card.write_text("Before.\n<!-- table: size -->\nold\n<!-- end of table -->\nAfter.\n")
    written = {"evaluation": tmp_path / "none.json", "page": page, "card": card}
    assert check(tmp_path, **written) == 1
    assert "- same words, different labels: de-1, de-2" in page.read_text()
    assert card.read_text().splitlines()[2].startswith("2 labelled messages")
    _relabel(tmp_path, ("de-2", {"flags": []}))
    assert check(tmp_path, **written) == 0


def test_the_check_ends_at_invalid_records(tmp_path: Path) -> None:
    """Nothing is written of data that cannot be read."""
    _write(tmp_path, [_single("de-1", sentiment="angry")])
    page = tmp_path / "page.md"
    assert check(tmp_path, evaluation=tmp_path / "none.json", page=page, card=tmp_path / "none.md") == 1
    assert not page.exists()


def test_the_data_cards_counts_are_those_of_the_data() -> None:
    """`make check-data` writes them anew."""
    text = (DATA / "README.md").read_text(encoding="utf-8")
    assert with_counts(text, card_tables(DATA)) == text
