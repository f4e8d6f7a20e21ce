"""The rating of a company's own category."""

from collections.abc import Mapping

import numpy as np
import pytest

from services.autoqa.categories.custom import rate_custom
from services.autoqa.custom.category import CustomCategory
from services.autoqa.custom.head import CategoryReading, Head
from services.autoqa.policy import Policy
from services.autoqa.predictions import Span
from shared.domain.review import Outcome, Rating
from tests.unit.autoqa.talk import talk

HEAD = Head(weights=np.ones(3), bias=0.0, slope=1.0, offset=0.0)
CATEGORY = CustomCategory(id="cat_1", version=1, role="agent", head=HEAD)


def rated(*lines: str, probabilities: Mapping[str, float]) -> Rating:
    readings = {
        of: {"cat_1": CategoryReading(input_hash=b"", probability=probability, evidence=Span(start=1, end=3))}
        for of, probability in probabilities.items()
    }
    return rate_custom(CATEGORY, talk(*lines), readings, Policy())


def test_one_message_that_shows_it_is_enough() -> None:
    """Its sentence proves it; as sure as the surest message."""
    rating = rated("agent: hello", "agent: a voucher", "customer: ok", probabilities={"m1": 0.1, "m2": 0.9})
    assert (rating.category, rating.outcome, rating.score, rating.confidence) == (
        "cat_1",
        Outcome.PASSED,
        1.0,
        0.9,
    )
    assert [(e.message_id, e.start, e.end) for e in rating.evidence] == [("m2", 1, 3)]


def test_failed_names_what_was_searched() -> None:
    """All messages of the role, whole."""
    rating = rated("customer: hi", "agent: hello", "agent: bye", probabilities={"m2": 0.1, "m3": 0.2})
    assert (rating.outcome, rating.score, rating.confidence) == (Outcome.FAILED, 0.0, 0.8)
    assert [(e.message_id, e.start, e.end) for e in rating.evidence] == [("m2", 0, 5), ("m3", 0, 3)]


@pytest.mark.parametrize("probability", [0.45, 0.5, 0.59])
def test_below_the_floor_it_is_unsure(probability: float) -> None:
    """And leaves the score."""
    rating = rated("agent: hello", probabilities={"m1": probability})
    assert (rating.outcome, rating.score, rating.reason) == (Outcome.UNSURE, None, "low_confidence")


def test_a_role_that_never_spoke_had_no_opportunity() -> None:
    """Whatever customers said."""
    rating = rated("customer: a voucher please", probabilities={})
    assert (rating.outcome, rating.reason) == (Outcome.NOT_APPLICABLE, "no_agent_message")


def test_without_a_head_over_this_model_nobody_can_tell() -> None:
    """It is never a failure."""
    rating = rated("agent: hello", probabilities={})
    assert (rating.outcome, rating.reason, rating.score) == (Outcome.UNSURE, "not_trained", None)
