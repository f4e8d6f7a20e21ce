"""Every message is seen once a pass, in batches of one width."""

import random

from hypothesis import given
from hypothesis import strategies as st

from services.autoqa.model.encode import Window
from services.autoqa.training.batches import make_batch, shuffled_batches


@given(lengths=st.lists(st.integers(3, 340), min_size=1, max_size=80), seed=st.integers(0, 99))
def test_batches_hold_every_window_once_within_the_budget(lengths: list[int], seed: int) -> None:
    """Few shapes, no window lost, no batch above the budget unless one window is."""
    windows = [
        Window(ids=(7,) * length, first=1, last=length - 1, sentences=(0,) * (length - 2))
        for length in lengths
    ]
    batches = shuffled_batches(windows, 512, random.Random(seed))
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for indices in batches:
        batch = make_batch(windows, indices)
        assert batch.ids.shape[1] % 16 == 0
        assert batch.ids.numel() <= 512 or len(indices) == 1
        assert batch.mask.sum(dim=1).tolist() == [lengths[i] for i in indices]
        assert (batch.own <= batch.mask).all()
