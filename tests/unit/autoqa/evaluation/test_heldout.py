"""Decisions that no message helped to fit, and the tables made of them."""

from dataclasses import replace

import numpy as np

from services.autoqa.model.labels import LABELS, SENTIMENT_AT
from services.autoqa.training.evaluation.heldout import cross_fitted, decisions
from services.autoqa.training.evaluation.mistakes import quote, surest_mistakes
from services.autoqa.training.evaluation.scores import score_rows
from services.autoqa.training.evaluation.shift import shift_rows
from tests.unit.autoqa.evaluation.held import CHURN, customers


def test_of_a_choice_exactly_one_holds() -> None:
    """Even of equals; flags hold from one half on."""
    decided = decisions(np.full((2, len(LABELS)), 1 / 3))
    assert decided[:, SENTIMENT_AT].sum(1).tolist() == [1, 1]
    assert not decided[:, CHURN].any()
    assert decisions(np.full((1, len(LABELS)), 0.5))[0, CHURN]


def test_a_half_is_judged_by_numbers_of_the_other() -> None:
    """Where one half's labels contradict its logits, only the other half's answers follow them."""
    churn = [i % 4 < 2 for i in range(80)]
    logits = [(2.0 if yes else -2.0) * (1 if i % 2 else -1) for i, yes in enumerate(churn)]
    held = customers(churn=churn, logits=logits, groups=[f"{i:02}" for i in range(80)])
    judged = cross_fitted(held)
    contradicting = held.groups % 2 == 0
    probabilities = judged.probabilities[:, CHURN]
    spread = [float(np.ptp(probabilities[rows])) for rows in (contradicting, ~contradicting)]
    assert spread[0] > 0.7
    assert spread[1] < 0.3


def test_members_of_a_group_are_in_one_half() -> None:
    """They have one number."""
    held = customers(churn=[False] * 4, logits=[0.0] * 4, groups=["b", "a", "b", "c"])
    assert held.groups.tolist() == [1, 0, 1, 2]


def test_every_label_and_head_has_a_row_a_language() -> None:
    """A label with perfect answers is perfect; one that the language never has counts 0 positives."""
    held = customers(churn=[True, False] * 20, logits=[8.0, -8.0] * 20)
    labels, heads = score_rows(held, cross_fitted(held))
    assert len(labels) == 3 * len(LABELS)
    assert len(heads) == 12
    churn = {row.language: row for row in labels if row.label == "flag.churn"}
    assert (churn["de"].n, churn["de"].positives, churn["de"].f1, churn["de"].kappa) == (40, 20, 1, 1)
    assert churn["de"].average_precision == 1
    assert churn["de"].reached
    assert churn["en"].n == churn["en"].positives == 0
    assert replace(churn["de"], language="all") == churn["all"]


def test_the_surest_mistakes_come_first() -> None:
    """Right answers are none; at most five a flag; what was missed and what was raised in vain."""
    held = customers(churn=[True] * 6 + [False] * 10, logits=[-5.0, 4, 4, 4, 4, 4] + [-4.0] * 9 + [1.5])
    judged = cross_fitted(held)
    found = surest_mistakes(held, judged)["flag.churn"]
    wrong = np.flatnonzero(judged.decided[:, CHURN] != (held.targets[:, CHURN] == 1))
    assert {m["id"] for m in found} <= {f"m{i}" for i in wrong}
    assert found[0]["kind"] == "missed"
    assert found[0]["id"] == "m0"
    assert not surest_mistakes(held, judged)["flag.legal"]


def test_a_quote_is_one_short_line() -> None:
    """Cut with a mark."""
    assert quote("a\n\nb  c") == "a b c"
    assert len(quote("word " * 100)) <= 110
    assert quote("word " * 100).endswith("…")


def test_a_shift_counts_the_roles_labels_only() -> None:
    """Customers' messages have no tone; unchanged answers do not shift."""
    before = np.full((2, len(LABELS)), 0.2)
    after = before.copy()
    after[0, CHURN] = 0.7
    owed = np.zeros((2, len(LABELS)), dtype=np.bool_)
    owed[:, : LABELS.index("flag.repeat_contact") + 1] = True
    rows = {row.head: row for row in shift_rows("case", before, after, owed)}
    assert set(rows) == {"sentiment", "flag"}
    assert rows["flag"].largest_shift == 0.5
    assert rows["flag"].mean_shift == round(0.5 / 18, 4)
    assert rows["flag"].changed_ratio == round(1 / 18, 4)
    assert rows["sentiment"].largest_shift == 0
