"""Changed texts keep what the labels are about."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.autoqa.training.augment import AUGMENTATIONS, augment

TEXT = "Guten Tag, ich möchte kündigen. Mein Vertrag läuft über die Nummer 4711!"


@pytest.mark.parametrize("name", AUGMENTATIONS)
@given(text=st.text(max_size=200), seed=st.integers(0, 10_000))
def test_any_text_is_changed_alike_for_the_same_random_numbers(name: str, text: str, seed: int) -> None:
    """Pure, and without an error for whatever text."""
    change = AUGMENTATIONS[name]
    assert change(text, random.Random(seed)) == change(text, random.Random(seed))


@pytest.mark.parametrize("name", ["with_signature", "with_quoted_trail"])
def test_additions_stand_below_the_untouched_text(name: str) -> None:
    """The message itself is not touched."""
    changed = AUGMENTATIONS[name](TEXT, random.Random(1))
    assert changed.startswith(TEXT)
    assert len(changed) > len(TEXT)


def test_umlauts_are_written_without_dots() -> None:
    """As on a keyboard that has none."""
    assert AUGMENTATIONS["no_umlauts"]("Grüße über Öl", random.Random(3)) == "Gruesse ueber Oel"


def test_typos_keep_most_words_and_all_numbers() -> None:
    """A slip here and there, never in a number."""
    changed = AUGMENTATIONS["typos"](TEXT * 20, random.Random(5))
    assert changed != TEXT * 20
    assert changed.count("4711") == 20
    kept = sum(word in TEXT for word in re.findall(r"\w+", changed))
    assert kept / len(re.findall(r"\w+", changed)) > 0.8


def test_recognised_speech_has_neither_capitals_nor_marks() -> None:
    """As a transcript."""
    changed = AUGMENTATIONS["recognition_errors"](TEXT, random.Random(2))
    assert changed == changed.lower()
    assert not re.search(r"[.,!?]", changed)


def test_the_share_says_how_many_texts_are_changed() -> None:
    """None at 0, about the share otherwise."""
    rng = random.Random(4)
    texts = [f"Ihre Rechnung über {n} Euro stimmt nicht, bitte prüfen Sie das." for n in range(600)]
    assert [augment(text, rng, share=0.0) for text in texts] == texts
    changed = sum(augment(text, rng, share=0.3) != text for text in texts)
    assert 120 < changed < 230
