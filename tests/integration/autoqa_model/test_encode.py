"""Windows of real texts with the shipped tokenizer."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.autoqa.model.encode import (
    CONTEXT_TOKENS,
    MAX_WINDOWS,
    MESSAGE_TOKENS,
    Encoder,
)
from services.autoqa.model.files import TOKENIZER, WEIGHTS_FOLDER
from services.autoqa.predictions import EarlierTurn, MessageInput
from shared.domain.conversation import Channel

if not (WEIGHTS_FOLDER / TOKENIZER).exists():
    pytest.skip("the shipped tokenizer is not in this checkout", allow_module_level=True)

ENCODER = Encoder(WEIGHTS_FOLDER / TOKENIZER)

# Characters that NFKC makes longer or shorter, joined emoji, combining marks, right-to-left, odd spaces.
TRICKY = st.text(
    st.one_of(
        st.characters(), st.sampled_from("ﬁ½㎏Ⅻ①ｈ ﷺ é\u0301ßẞäÖ👩‍👩‍👧‍👦🇩🇪…\n\r\t.!?\u200d\u00a0\u2028")
    ),
    max_size=400,
)


def customer(text: str, *context: EarlierTurn) -> MessageInput:
    return MessageInput(role="customer", channel=Channel.EMAIL, text=text, context=context)


@settings(max_examples=300, deadline=None)
@given(TRICKY)
def test_every_token_belongs_to_a_sentence_of_the_text(text: str) -> None:
    """Sentences are half-open ranges inside the text, whatever normalisation does to offsets."""
    encoded = ENCODER.encode(customer(text))
    assert all(0 <= s.start <= s.end <= len(text) for s in encoded.sentences)
    for window in encoded.windows:
        assert 0 < window.first < window.last < len(window.ids)
        assert len(window.sentences) == window.last - window.first
        assert all(0 <= s < len(encoded.sentences) for s in window.sentences)
        assert list(window.sentences) == sorted(window.sentences)


def test_tokens_of_a_sentence_follow_characters_that_normalisation_lengthens() -> None:
    """'½' becomes three characters and 'ﷺ' eighteen; the next sentence's words stay with it."""
    encoded = ENCODER.encode(customer("½ ½ ½ ﷺ ﷺ 👩‍👩‍👧‍👦. Ich kündige."))
    (window,) = encoded.windows
    alone = ENCODER.encode(customer("Ich kündige.")).windows[0]
    own = [i for i, s in zip(window.ids[window.first : window.last], window.sentences, strict=True) if s == 1]
    assert own == list(alone.ids[alone.first : alone.last])


def test_a_megabyte_costs_a_bounded_number_of_tokens_and_keeps_head_and_tail() -> None:
    """Words, one endless word, and line breaks alone."""
    for text in ("Guten Tag, wo ist es? " * 50_000, "x" * 1_000_000, "\n" * 1_000_000, "a\n" * 500_000):
        encoded = ENCODER.encode(customer(text))
        assert len(encoded.windows) <= MAX_WINDOWS
        assert all(w.last - w.first <= MESSAGE_TOKENS for w in encoded.windows)
    encoded = ENCODER.encode(customer("Anfang. " + "Mitte. " * 100_000 + "Ende."))
    assert encoded.sentences[0].start == 0
    assert encoded.sentences[encoded.windows[-1].sentences[-1]].end == 8 + 700_000 + 5


def test_context_is_cut_from_the_left() -> None:
    """The last turn stays, the first goes; a megabyte of context costs no more than a page."""
    short = ENCODER.encode(customer("ja", EarlierTurn(role="agent", text="Soll ich kündigen?")))
    turns = [EarlierTurn(role="customer", text="früher " * 150_000)] * 50
    long = ENCODER.encode(customer("ja", *turns, EarlierTurn(role="agent", text="Soll ich kündigen?")))
    assert long.tokens - ENCODER.encode(customer("ja")).tokens == CONTEXT_TOKENS
    last = short.windows[0].ids
    assert long.windows[0].ids[-8:] == last[-8:]


def test_an_empty_text_has_one_window_and_one_empty_sentence() -> None:
    """So that it gets an answer too."""
    encoded = ENCODER.encode(customer(""))
    assert len(encoded.windows) == 1
    assert (encoded.sentences[0].start, encoded.sentences[0].end) == (0, 0)
