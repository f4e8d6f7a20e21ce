"""Sentences are exact ranges of the text they come from."""

from hypothesis import given
from hypothesis import strategies as st

from services.autoqa.model.sentences import MAX_SENTENCE_CHARS, split_sentences


def quotes(text: str) -> list[str]:
    return [text[span.start : span.end] for span in split_sentences(text)]


def test_ends_marks_and_line_breaks_end_a_sentence() -> None:
    """Full stop, question mark, line break."""
    assert quotes("Hallo! Wo ist es? Danke.\n\nGruß\nA. Weber") == [
        "Hallo!",
        "Wo ist es?",
        "Danke.",
        "Gruß",
        "A. Weber",
    ]


def test_abbreviations_dates_and_initials_do_not_end_one() -> None:
    """German dates, z. B., titles."""
    assert quotes("Am 3. Mai kam z. B. Dr. Weber. Er half.") == ["Am 3. Mai kam z. B. Dr. Weber.", "Er half."]


def test_a_blank_text_has_no_sentence() -> None:
    """White space only."""
    assert quotes(" \n\t ") == []


def test_a_run_without_marks_is_cut() -> None:
    """A transcript of 3,000 code points becomes pieces of bounded length that lose no word."""
    text = "äh ja also " * 300
    pieces = quotes(text)
    assert max(map(len, pieces)) <= MAX_SENTENCE_CHARS
    assert " ".join(pieces).split() == text.split()


@given(st.text(max_size=300))
def test_sentences_are_ordered_disjoint_and_cover_all_but_white_space(text: str) -> None:
    """What lies between sentences is white space."""
    at = 0
    for span in split_sentences(text):
        assert at <= span.start < span.end <= len(text)
        assert not text[at : span.start].strip()
        at = span.end
    assert not text[at:].strip()
