"""Grammar and readability, with language tools of paper."""

import pytest

from services.autoqa.categories.grammar import probability_below, rate_grammar
from services.autoqa.categories.readability import rate_readability, reading_ease
from services.autoqa.policy import Policy
from services.autoqa.predictions import Span
from services.autoqa.proofreading import Proofread, WrittenIn
from shared.domain.review import Outcome
from tests.unit.autoqa.talk import talk

POLICY = Policy()
CLEAN = "agent: one two three four five six seven eight nine ten"


def proofread(text: str, _: WrittenIn) -> Proofread:
    """Every `wrogn` is wrong."""
    words = text.split()
    places = [i for i in range(len(text)) if text.startswith("wrogn", i)]
    return Proofread(words=len(words), errors=tuple(Span(start=i, end=i + 5) for i in places))


def one_syllable(_: str, __: WrittenIn) -> int:
    return 1


def four_syllables(_: str, __: WrittenIn) -> int:
    return 4


def test_clean_texts_pass() -> None:
    """With the score of no error at all."""
    rating = rate_grammar(talk(CLEAN), POLICY, proofread)
    assert (rating.outcome, rating.score, rating.reason) == (Outcome.PASSED, 1.0, None)


def test_many_slips_fail_and_are_shown() -> None:
    """Each misspelt word is evidence."""
    rating = rate_grammar(talk("agent: wrogn " + "wrogn fine " * 10), POLICY, proofread)
    assert (rating.outcome, rating.score, rating.reason) == (Outcome.FAILED, 0.0, "misspelt")
    assert (rating.evidence[0].start, rating.evidence[0].end) == (0, 5)


def test_one_slip_in_a_short_chat_condemns_nobody() -> None:
    """It lowers the score or the confidence, but does not fail."""
    assert rate_grammar(talk(CLEAN + " wrogn"), POLICY, proofread).outcome is not Outcome.FAILED


@pytest.mark.parametrize(
    ("line", "language", "reason"),
    [
        ("agent: fine words", "en", "too_short"),
        (CLEAN, "fr", "language_unknown"),
        (CLEAN, None, "language_unknown"),
    ],
)
def test_grammar_is_unsure_where_it_cannot_tell(line: str, language: str | None, reason: str) -> None:
    """Few words and other languages."""
    rating = rate_grammar(talk(line, language=language), POLICY, proofread)
    assert (rating.outcome, rating.score, rating.reason) == (Outcome.UNSURE, None, reason)


def test_customers_are_not_proofread() -> None:
    """Only agents write for the company."""
    rating = rate_grammar(talk("customer: wrogn " * 30), POLICY, proofread)
    assert rating.outcome is Outcome.NOT_APPLICABLE


def test_more_errors_are_never_more_likely_to_pass() -> None:
    """The probability falls with each error and stays within 0 and 1."""
    chances = [probability_below(0.03, errors=errors, words=100) for errors in range(101)]
    assert chances == sorted(chances, reverse=True)
    assert 0 <= chances[-1] <= chances[0] <= 1
    assert chances[0] > 0.9


def test_reading_ease_follows_its_formulas() -> None:
    """Ten words of one syllable in each sentence, by hand."""
    text = ("One two three four five six seven eight nine ten. ") * 3
    assert reading_ease([text], "en", one_syllable, POLICY) == pytest.approx(206.835 - 10.15 - 84.6)
    assert reading_ease([text], "de", one_syllable, POLICY) == pytest.approx(180 - 10 - 58.5)


def test_short_sentences_of_short_words_are_readable() -> None:
    """Passed, failed with long words, not applicable with few."""
    text = "agent: " + "This is a text of short words. " * 5
    assert rate_readability(talk(text), POLICY, one_syllable).outcome is Outcome.PASSED
    hard = rate_readability(talk(text), POLICY, four_syllables)
    assert (hard.outcome, hard.score, hard.reason) == (Outcome.FAILED, 0.0, "hard_to_read")
    assert rate_readability(talk("agent: Fine."), POLICY, one_syllable).reason == "too_short"
    assert rate_readability(talk(text, language=None), POLICY, one_syllable).outcome is Outcome.UNSURE
    assert rate_readability(talk("customer: hi"), POLICY, one_syllable).reason == "no_agent_message"
