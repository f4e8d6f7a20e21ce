"""Heads of custom categories: trained, measured, explained."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.autoqa.custom.head import Head, read_message, sigmoid
from services.autoqa.custom.training import Quality, train_head, warnings_of
from services.autoqa.embedding import DEPTHS, Embedding, Floats
from services.autoqa.predictions import MessageInput, Span
from tests.stub_model import embed_one


def said(text: str) -> Embedding:
    return embed_one(MessageInput(role="agent", channel=None, text=text))


def features(*texts: str) -> Floats:
    return np.stack([said(text).features() for text in texts])


YES = ["a voucher for you", "take this voucher", "your voucher of ten euros", "voucher added", "voucher sent"]
NO = ["your parcel is late", "please restart it", "we call you back", "the form is online", "ask the bank"]


def test_a_head_tells_alike_from_different() -> None:
    """Of messages that it has not seen."""
    made = train_head(features(*YES, *NO), np.array([True] * 5 + [False] * 5))
    found = read_message(made.head, said("here is a voucher"), input_hash=b"h")
    other = read_message(made.head, said("your bank is online"), input_hash=b"h")
    assert found.probability > 0.5 > other.probability
    assert (made.quality.positives, made.quality.negatives) == (5, 5)
    assert made.quality.recall >= 0.8


@settings(max_examples=25, deadline=None)
@given(
    st.integers(4, 12),
    st.integers(4, 12),
    st.integers(0, 2**32 - 1),
)
def test_whatever_the_examples_the_answer_is_a_probability_and_the_same_again(
    positives: int, negatives: int, seed: int
) -> None:
    """Noise, few or many of a kind: finite numbers, equal examples give equal heads."""
    points = np.random.default_rng(seed).normal(size=(positives + negatives, 40))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    positive = np.arange(len(points)) < positives
    made, again = train_head(points, positive), train_head(points, positive)
    assert made.quality == again.quality
    assert 0 <= made.quality.precision <= 1
    assert 0 <= made.quality.recall <= 1
    assert made.head.slope >= 0
    for point in points:
        assert np.isfinite(made.head.logit(point))
        assert made.head.logit(point) == again.head.logit(point)


def test_the_measure_is_of_messages_not_seen() -> None:
    """Noise that could be learned by heart is told to be noise, on average no better than a coin."""
    shares = []
    for seed in range(20):
        points = np.random.default_rng(seed).normal(size=(24, 200))
        points /= np.linalg.norm(points, axis=1, keepdims=True)
        quality = train_head(points, np.arange(24) < 12).quality
        shares.append(quality.recall)
    assert 0.2 < np.mean(shares) < 0.75


def test_equal_examples_on_both_sides_know_nothing() -> None:
    """The head then says how common each kind is, and no more."""
    same = np.ones((8, 4)) / 2
    made = train_head(same, np.arange(8) < 4)
    assert sigmoid(made.head.logit(same[0])) == pytest.approx(0.5, abs=0.05)


@given(st.lists(st.sampled_from(["one.", "two words!", "three more words?", "\n"]), min_size=1, max_size=6))
def test_sentences_add_up_to_the_message(parts: list[str]) -> None:
    """Each sentence's share is exact, so the evidence is the sentence that weighed most."""
    message = said(" ".join(parts))
    assert message.shares().sum(axis=0) == pytest.approx(message.features())
    head = Head(weights=np.linspace(-1, 1, message.shares().shape[1]), bias=0.1, slope=2.0, offset=0.3)
    reading = read_message(head, message, input_hash=b"h")
    by_sentence = message.shares() @ head.weights
    assert reading.evidence == message.sentences[int(by_sentence.argmax())]
    logit = 2.0 * (float(by_sentence.sum()) + 0.1) + 0.3
    assert reading.probability == pytest.approx(sigmoid(logit), abs=1e-4)


def test_features_have_one_length_whatever_the_message() -> None:
    """Ten times the same words weigh as one; a message without words is all zeros and gets an answer."""
    assert np.linalg.norm(said("a voucher").features()) == pytest.approx(1)
    assert said("a voucher " * 10).features() == pytest.approx(said("a voucher").features())
    empty = Embedding(sentences=(Span(start=0, end=0),), sums=np.zeros((1, DEPTHS, 4), np.float32), tokens=1)
    head = Head(weights=np.ones(DEPTHS * 4), bias=0.0, slope=1.0, offset=0.0)
    assert read_message(head, empty, input_hash=b"h").probability == 0.5


def test_poor_quality_is_warned_of() -> None:
    """And too few examples to tell."""
    good = Quality(precision=0.9, recall=0.9, positives=12, negatives=12)
    poor = Quality(precision=0.69, recall=0.69, positives=4, negatives=30)
    assert warnings_of(good) == ()
    assert warnings_of(poor) == ("low_precision", "low_recall", "few_examples")
