"""Floors, and what they leave."""

import numpy as np
import pytest

from services.autoqa.floors import measured_floors
from services.autoqa.model.confidence import ANSWERS, Confidence
from services.autoqa.model.labels import LABELS
from services.autoqa.policy import Policy
from services.autoqa.training.evaluation.coverage import coverage
from services.autoqa.training.evaluation.floors import answers, fit_floors, lowest_floor
from shared.domain.scorecard import CategoryId


def test_the_floor_is_the_lowest_above_which_enough_answers_are_right() -> None:
    """Sure answers right, doubtful ones a toss."""
    confidence = np.concatenate([np.full(100, 0.9), np.full(40, 0.6)])
    right = np.concatenate([np.ones(100), np.tile([1, 0], 20)]).astype(np.bool_)
    floor = lowest_floor(confidence, right)
    assert 0.6 < floor <= 0.61
    assert right[confidence >= floor].all()


def test_where_all_is_right_there_is_no_floor_and_where_none_is_the_highest() -> None:
    """And without answers, none."""
    confidence = np.linspace(0.5, 1, 50)
    assert lowest_floor(confidence, np.ones(50, dtype=np.bool_)) == 0.5
    assert lowest_floor(confidence, np.zeros(50, dtype=np.bool_)) == 0.995
    assert lowest_floor(confidence[:0], np.ones(0, dtype=np.bool_)) == 0.5


def test_every_answer_has_a_floor_and_only_the_roles_messages_count() -> None:
    """A customer's message says nothing about greetings."""
    probabilities = np.full((4, len(LABELS)), 0.1)
    targets = np.full((4, len(LABELS)), np.nan)
    targets[:, LABELS.index("flag.legal")] = [0, 0, 0, 1]
    found = {answer: (right, owed) for answer, _, right, owed in answers(probabilities, targets)}
    assert tuple(found) == ANSWERS
    assert found["flag.legal"][0].tolist() == [True, True, True, False]
    assert not found["signal.greeting"][1].any()
    assert set(fit_floors(probabilities, targets)) == set(ANSWERS)


def test_coverage_counts_over_labels() -> None:
    """Two labels of four messages: six answers above their floors, five of them right."""
    yes, no = np.ones(4, dtype=np.bool_), np.zeros(4, dtype=np.bool_)
    first = (yes, yes, np.array([True, True, True, False]), np.array([False, False, True, True]))
    second = (yes, np.array([True, True, False, False]), yes, no)
    row = coverage("flag", "de", [first, second])
    assert (row.n, row.coverage_ratio) == (8, 0.75)
    assert row.right_ratio == pytest.approx(5 / 6, abs=1e-4)
    assert row.yes_right_ratio == 0.5
    assert not row.reached


def test_measured_floors_raise_the_general_one_and_yield_to_an_operators() -> None:
    """Only categories that rest on one answer of the model have measured ones."""
    confidence = Confidence(
        languages=Confidence.untrained().languages,
        floors=dict.fromkeys(ANSWERS, 0.5) | {"signal.solution": 0.8, "tone.poor": 0.7},
    )
    policy = Policy(confidence_floor=0.6, confidence_floors={CategoryId.TONE: 0.55})
    joined = policy.with_floors(measured_floors(confidence))
    assert joined.floor(CategoryId.SOLUTION) == 0.8
    assert joined.floor(CategoryId.GREETING) == 0.6
    assert joined.floor(CategoryId.TONE) == 0.55
    assert joined.floor(CategoryId.GRAMMAR) == 0.6
