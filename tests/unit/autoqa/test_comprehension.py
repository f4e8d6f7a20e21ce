"""Comprehension: taken up, and nothing asked twice."""

from services.autoqa.categories.comprehension import rate_comprehension
from services.autoqa.policy import Policy
from shared.domain.review import Outcome
from tests.unit.autoqa.talk import talk

POLICY = Policy()


def test_answers_that_take_up_the_question_pass() -> None:
    """By a solution, a needed question or a promise; the score is their mean."""
    transcript = talk(
        "customer: where is it?",
        "agent: which order? [clarifying=0.9]",
        "customer: the second one, is it late?",
        "agent: tomorrow [solution=0.7]",
    )
    rating = rate_comprehension(transcript, POLICY)
    assert (rating.outcome, rating.score) == (Outcome.PASSED, 0.8)
    assert [span.message_id for span in rating.evidence] == ["m2", "m4"]


def test_an_answer_beside_the_point_fails() -> None:
    """With question and answer as evidence; while the conversation goes on it is no failure yet."""
    lines = ("customer: where is it?", "agent: we love parcels")
    rating = rate_comprehension(talk(*lines), POLICY)
    assert (rating.outcome, rating.score, rating.reason) == (Outcome.FAILED, 0.0, "not_taken_up")
    assert [span.message_id for span in rating.evidence] == ["m1", "m2"]
    assert rate_comprehension(talk(*lines, is_final=False), POLICY).reason == "still_open"


def test_asking_again_what_was_answered_fails() -> None:
    """The two questions are the evidence."""
    transcript = talk(
        "customer: my router is dead",
        "agent: Could you tell me your customer number? [clarifying]",
        "customer: 4711",
        "agent: Please, could you tell me your customer number? [solution]",
    )
    rating = rate_comprehension(transcript, POLICY)
    assert (rating.outcome, rating.reason) == (Outcome.FAILED, "question_repeated")
    texts = {turn.message.id: turn.message.text for turn in transcript.turns}
    assert [texts[span.message_id][span.start : span.end] for span in rating.evidence] == [
        "Could you tell me your customer number?",
        "Please, could you tell me your customer number?",
    ]


def test_a_customer_who_must_ask_again_was_not_understood() -> None:
    """But repeating oneself before any answer is nobody's failure."""
    question = "customer: When will my replacement card arrive?"
    asked_again = talk(question, "agent: cards are made of plastic [solution]", question)
    assert rate_comprehension(asked_again, POLICY).reason == "question_repeated"
    impatient = talk(question, question, "agent: tomorrow [solution]")
    assert rate_comprehension(impatient, POLICY).outcome is Outcome.PASSED


def test_a_goodbye_owes_no_answer() -> None:
    """The reply to a last thanks takes nothing up and need not."""
    transcript = talk("customer: where?", "agent: there [solution]", "customer: thanks", "agent: welcome")
    assert rate_comprehension(transcript, POLICY).score == 1.0


def test_without_an_answer_there_is_nothing_to_judge() -> None:
    """Not applicable; doubtful answers are unsure."""
    assert rate_comprehension(talk("customer: hello?"), POLICY).outcome is Outcome.NOT_APPLICABLE
    rating = rate_comprehension(talk("customer: where?", "agent: [solution=0.5]"), POLICY)
    assert rating.outcome is Outcome.UNSURE
