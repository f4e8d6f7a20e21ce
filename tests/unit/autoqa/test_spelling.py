"""The proofreader on real words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.autoqa.proofreading import WrittenIn
from services.autoqa.spelling import Spelling
from services.autoqa.syllables import syllables


@pytest.fixture(scope="module")
def spelling() -> Spelling:
    return Spelling()


def wrong(spelling: Spelling, text: str, language: WrittenIn) -> list[str]:
    return [text[span.start : span.end] for span in spelling.proofread(text, language).errors]


def test_slips_are_found(spelling: Spelling) -> None:
    """Words one letter away from a known one."""
    german = "Ihre Rechnugn wurde leider verschikt, wir bitten um Endschuldigung für die Mühe."
    assert wrong(spelling, german, "de") == ["Rechnugn", "verschikt", "Endschuldigung"]
    english = "We recieved your payement and will definately reply tomorow."
    assert wrong(spelling, english, "en") == ["recieved", "payement", "definately", "tomorow"]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Die Vertragsverlängerung und die Bearbeitungszeit stehen in der Versandbestätigung.", "de"),
        ("Guten Tag Frau Fassbender, hier schreibt Ihnen Herr Wolters vom Kundenservice.", "de"),
        ("Mit freundlichen Grüssen\nBastian Brunner", "de"),
        ("Ich hätt da noch was, heut geht es nicht.", "de"),
        ("Dear Mrs Tilling, Vivek Patil apologises for the cancelled order at our centre.", "en"),
        ("We've sent it to jane.dooe@exampel.com, see https://exampel.com/ordr or order AB-12xyz.", "en"),
        ("> we recieved this\nFine.", "en"),
        ("Please restart {{custmer_name}} and press [Restrat].", "en"),
    ],
)
def test_what_is_right_or_no_prose_is_left_alone(spelling: Spelling, text: str, language: WrittenIn) -> None:
    """Compounds, names, Swiss and British spelling, speech, addresses, codes, quotes, placeholders."""
    assert wrong(spelling, text, language) == []


def test_doubled_words_and_glued_marks_are_found(spelling: Spelling) -> None:
    """What no dictionary sees."""
    assert wrong(spelling, "We will will call you,tomorrow at noon.", "en") == ["will will", ","]


@pytest.mark.parametrize("text", ["a" * 3_000_000, "ab " * 1_000_000, "{" * 500_000, "\n>" * 500_000])
def test_megabytes_are_bounded_work(spelling: Spelling, text: str) -> None:
    """Only the beginning is read, whatever it holds."""
    assert spelling.proofread(text, "de").words <= 20_000


def test_the_language_is_told_by_its_words(spelling: Spelling) -> None:
    """None where neither fits."""
    assert spelling.language_of("Wo bleibt denn meine Bestellung von letzter Woche?") == "de"
    assert spelling.language_of("Where is the order that I made last week?") == "en"
    assert spelling.language_of("¿Dónde está mi pedido número 4711? Llevo esperando semanas.") is None
    assert spelling.language_of("ok") is None


@given(text=st.text(max_size=200), language=st.sampled_from(["de", "en"]))
def test_errors_lie_inside_the_text(spelling: Spelling, text: str, language: WrittenIn) -> None:
    """In order, none empty."""
    spans = spelling.proofread(text, language).errors
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)


@pytest.mark.parametrize(
    ("word", "language", "count"),
    [
        ("Haus", "de", 1),
        ("Rechnung", "de", 2),
        ("Bestellung", "de", 3),
        ("cat", "en", 1),
        ("customer", "en", 3),
        ("asked", "en", 1),
        ("make", "en", 1),
        ("little", "en", 2),
    ],
)
def test_syllables_are_counted(word: str, language: WrittenIn, count: int) -> None:
    """By hyphenation."""
    assert syllables(word, language) == count


def test_an_endless_word_has_syllables_too() -> None:
    """At least one, and no endless work."""
    assert syllables("x" * 1_000_000, "de") == 1
