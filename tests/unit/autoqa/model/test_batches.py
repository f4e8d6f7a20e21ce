"""Batches stay within their budget of padded tokens."""

from hypothesis import given
from hypothesis import strategies as st

from services.autoqa.model.batching import batches


@given(st.lists(st.integers(1, 300), max_size=60).map(sorted), st.integers(1, 2000))
def test_each_item_once_in_order_and_within_the_budget(lengths: list[int], budget: int) -> None:
    """Only a single item may exceed the budget."""
    runs = list(batches(lengths, budget))
    assert [i for run in runs for i in range(run.start, run.stop)] == list(range(len(lengths)))
    for run in runs:
        size = run.stop - run.start
        assert size == 1 or lengths[run.stop - 1] * size <= budget
