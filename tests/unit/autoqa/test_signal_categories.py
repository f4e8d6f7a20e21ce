"""Greeting, closing, empathy, tone and solution: four outcomes each, with their reasons."""

import pytest

from services.autoqa.categories.closing import rate_closing
from services.autoqa.categories.empathy import rate_empathy
from services.autoqa.categories.greeting import rate_greeting
from services.autoqa.categories.solution import rate_solution
from services.autoqa.categories.tone import rate_tone
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript
from shared.domain.evidence import EvidenceSpan
from shared.domain.review import Outcome, Rating
from tests.unit.autoqa.talk import talk

POLICY = Policy()


def said(rating: Rating) -> tuple[Outcome, float | None, str | None]:
    return rating.outcome, rating.score, rating.reason


def test_a_greeting_is_proved_by_its_words() -> None:
    """Passed with the sentence that greets."""
    rating = rate_greeting(talk("customer: hi", "agent: [greeting=0.9] there"), POLICY)
    assert said(rating) == (Outcome.PASSED, 1.0, None)
    assert rating.confidence == 0.9
    assert rating.evidence == (EvidenceSpan(message_id="m2", start=0, end=14),)


def test_a_missing_greeting_names_what_was_searched() -> None:
    """Failed with the whole first message; a later greeting does not help."""
    rating = rate_greeting(talk("agent: Your order?", "customer: 1", "agent: [greeting]"), POLICY)
    assert said(rating) == (Outcome.FAILED, 0.0, None)
    assert rating.evidence == (EvidenceSpan(message_id="m1", start=0, end=11),)


def test_a_greeting_may_come_in_pieces() -> None:
    """Messages of an agent in a row are one turn."""
    rating = rate_greeting(talk("customer: hi", "agent: one moment", "agent: [greeting]"), POLICY)
    assert rating.outcome is Outcome.PASSED


def test_no_greeting_is_owed_by_bots_and_in_notes() -> None:
    """Without a human agent there was no opportunity."""
    transcript = talk("customer: hi", "bot: Hello [greeting]", "note: [greeting]", "system: closed")
    assert said(rate_greeting(transcript, POLICY)) == (Outcome.NOT_APPLICABLE, None, "no_agent_message")


@pytest.mark.parametrize("probability", [0.45, 0.55])
def test_a_doubtful_greeting_is_unsure(probability: float) -> None:
    """Below the floor nobody is judged."""
    rating = rate_greeting(talk(f"agent: [greeting={probability}]"), POLICY)
    assert said(rating) == (Outcome.UNSURE, None, "low_confidence")
    assert rating.confidence == 0.55
    assert rating.evidence


def test_a_deleted_message_is_never_judged() -> None:
    """The next one an agent wrote is the first."""
    transcript = talk("customer: hi", "agent: gone", "customer: ?", "agent: [greeting]", deleted=(2,))
    assert rate_greeting(transcript, POLICY).outcome is Outcome.PASSED


def test_a_closing_is_owed_by_who_had_the_last_word() -> None:
    """Passed and failed by the last turn of the agent."""
    assert rate_closing(talk("customer: a", "agent: b", "agent: [closing]"), POLICY).outcome is Outcome.PASSED
    assert rate_closing(talk("agent: [closing]", "customer: a", "agent: b"), POLICY).outcome is Outcome.FAILED


def test_a_thanks_after_the_last_word_changes_nothing() -> None:
    """The agent had said goodbye before."""
    transcript = talk("customer: where?", "agent: there [solution] [closing]", "customer: thanks [positive]")
    assert rate_closing(transcript, POLICY).outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("transcript", "reason"),
    [
        (talk("customer: hi"), "no_agent_message"),
        (talk("customer: hi", "agent: [closing]", is_final=False), "still_open"),
        (
            talk("customer: hi", "agent: ok", "customer: and the refund? where is it?"),
            "customer_had_last_word",
        ),
        (talk("customer: hi", "agent: ok", "bot: Rate us!"), "bot_had_last_word"),
    ],
)
def test_no_closing_is_owed_elsewhere(transcript: Transcript, reason: str) -> None:
    """While the conversation goes on, and where somebody else had the last word."""
    assert said(rate_closing(transcript, POLICY)) == (Outcome.NOT_APPLICABLE, None, reason)


def test_empathy_is_owed_to_a_customer_in_trouble() -> None:
    """Passed where any later agent message shows it, failed where none does."""
    trouble = "customer: third time [repeat_contact]"
    passed = rate_empathy(talk(trouble, "agent: ok", "customer: ?", "agent: sorry [empathy=0.8]"), POLICY)
    assert said(passed) == (Outcome.PASSED, 1.0, None)
    failed = rate_empathy(talk(trouble, "agent: [solution]"), POLICY)
    assert said(failed) == (Outcome.FAILED, 0.0, None)
    assert [span.message_id for span in failed.evidence] == ["m2"]


def test_empathy_before_the_trouble_does_not_count() -> None:
    """It answers nothing."""
    transcript = talk("customer: hi", "agent: [empathy]", "customer: [negative]", "agent: ok")
    assert rate_empathy(transcript, POLICY).outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("transcript", "reason"),
    [
        (talk("agent: hi"), "no_customer_message"),
        (talk("customer: opening hours?", "agent: nine to five"), "no_trouble"),
        (talk("agent: hi", "customer: [negative]"), "no_agent_answer"),
    ],
)
def test_empathy_needs_an_opportunity(transcript: Transcript, reason: str) -> None:
    """Nobody owes it to a customer without trouble."""
    assert said(rate_empathy(transcript, POLICY)) == (Outcome.NOT_APPLICABLE, None, reason)


def test_doubtful_trouble_never_fails_anybody() -> None:
    """Unsure where the opportunity itself is in doubt; shown empathy still passes."""
    doubt = "customer: [negative=0.45]"
    assert said(rate_empathy(talk(doubt, "agent: ok"), POLICY)) == (Outcome.UNSURE, None, "trouble_in_doubt")
    assert rate_empathy(talk(doubt, "agent: [empathy]"), POLICY).outcome is Outcome.PASSED


def test_tone_is_graded() -> None:
    """The mean of p(good) + p(acceptable) / 2 over all agent messages."""
    rating = rate_tone(talk("agent: [good]", "agent: [acceptable]"), POLICY)
    assert said(rating) == (Outcome.PASSED, 0.75, None)


def test_one_poor_message_fails_the_tone() -> None:
    """However good the others are; the evidence is the poor one."""
    rating = rate_tone(talk("agent: [good]", "agent: [poor=0.9]", "agent: [good]"), POLICY)
    assert said(rating) == (Outcome.FAILED, 0.0, "poor_message")
    assert [span.message_id for span in rating.evidence] == ["m2"]


def test_a_doubtful_tone_is_unsure() -> None:
    """And without an agent there is none."""
    assert rate_tone(talk("agent: [poor=0.48]"), POLICY).outcome is Outcome.UNSURE
    assert rate_tone(talk("customer: [poor]"), POLICY).reason == "no_agent_message"


def test_a_solution_may_come_from_any_answer() -> None:
    """Passed by the surest, failed where none is in a finished conversation."""
    passed = rate_solution(talk("customer: ?", "agent: [solution=0.9]", "agent: bye"), POLICY)
    assert said(passed) == (Outcome.PASSED, 1.0, None)
    assert said(rate_solution(talk("customer: ?", "agent: hm"), POLICY)) == (Outcome.FAILED, 0.0, None)
    assert rate_solution(talk("customer: ?", "agent: [solution=0.5]"), POLICY).outcome is Outcome.UNSURE


@pytest.mark.parametrize(
    ("transcript", "reason"),
    [
        (talk("agent: [solution]"), "no_customer_message"),
        (talk("agent: [solution]", "customer: ?"), "no_agent_answer"),
        (talk("customer: ?", "agent: which order? [clarifying]", is_final=False), "still_open"),
    ],
)
def test_a_solution_needs_an_opportunity(transcript: Transcript, reason: str) -> None:
    """A question, an answer, and the time to give it."""
    assert said(rate_solution(transcript, POLICY)) == (Outcome.NOT_APPLICABLE, None, reason)
