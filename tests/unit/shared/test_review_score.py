"""The score of a review."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.review import Outcome, Rating, review_score
from shared.domain.scorecard import Category, Scorecard

IDS = ["a", "b", "c", "d"]


def scorecard(*, critical: str | None = None) -> Scorecard:
    return Scorecard(
        id="test",
        version=1,
        categories=tuple(
            Category(id=name, name=name, weight=weight, critical=name == critical)
            for weight, name in enumerate(IDS, start=1)
        ),
    )


def rating(category: str, outcome: Outcome, score: float | None = None) -> Rating:
    return Rating(category=category, outcome=outcome, score=score, confidence=0.9)


scored = st.builds(
    rating,
    st.sampled_from(IDS),
    st.sampled_from([Outcome.PASSED, Outcome.FAILED]),
    st.floats(min_value=0, max_value=1),
)
unscored = st.builds(
    rating, st.sampled_from(IDS), st.sampled_from([Outcome.NOT_APPLICABLE, Outcome.UNSURE]), st.none()
)


def test_weights_count() -> None:
    """A category of weight 3 counts three times as much as one of weight 1."""
    ratings = [rating("a", Outcome.FAILED, 0.0), rating("c", Outcome.PASSED, 1.0)]
    assert review_score(scorecard(), ratings) == 75.0


def test_nothing_rated_gives_no_score() -> None:
    """Without a rated category there is no number to give."""
    assert review_score(scorecard(), [rating("a", Outcome.UNSURE)]) is None
    assert review_score(scorecard(), []) is None


@given(st.lists(scored, unique_by=lambda r: r.category), st.lists(unscored, unique_by=lambda r: r.category))
def test_not_applicable_and_unsure_leave_both_sums(rated: list[Rating], others: list[Rating]) -> None:
    """Adding what could not be rated changes nothing."""
    taken = {r.category for r in rated}
    extra = [r for r in others if r.category not in taken]
    assert review_score(scorecard(), [*extra, *rated]) == review_score(scorecard(), rated)


@given(st.lists(scored, unique_by=lambda r: r.category))
def test_a_failed_critical_category_zeroes_the_review(rated: list[Rating]) -> None:
    """However good the rest is."""
    others = [r for r in rated if r.category != "a"]
    assert review_score(scorecard(critical="a"), [*others, rating("a", Outcome.FAILED, 0.4)]) == 0.0


@given(st.lists(scored, min_size=1, unique_by=lambda r: r.category))
def test_a_score_is_a_percentage(rated: list[Rating]) -> None:
    """Between 0 and 100, whatever was rated."""
    score = review_score(scorecard(), rated)
    assert score is not None
    assert 0 <= score <= 100
