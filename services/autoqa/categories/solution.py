"""Solution: did an agent give a concrete answer, fix, decision or next step?"""

from services.autoqa.categories.signals import strongest
from services.autoqa.categories.verdict import not_applicable, verdict
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript, whole
from shared.domain.conversation import Role
from shared.domain.labels import Signal
from shared.domain.review import Outcome, Rating
from shared.domain.scorecard import CategoryId


def rate_solution(transcript: Transcript, policy: Policy) -> Rating:
    """Owed where the customer wrote and an agent answered.

    While the conversation goes on, a solution that has not come yet is no failure.
    """
    asked = next((i for i, turn in enumerate(transcript.turns) if turn.role is Role.CUSTOMER), None)
    if asked is None:
        return not_applicable(CategoryId.SOLUTION, "no_customer_message")
    answers = transcript.agents_after(asked)
    if not answers:
        return not_applicable(CategoryId.SOLUTION, "no_agent_answer")
    probability, found = strongest(answers, Signal.SOLUTION)
    searched = whole(turn.message for turn in answers)
    rating = verdict(CategoryId.SOLUTION, probability, policy=policy, found=found, searched=searched)
    if rating.outcome is Outcome.FAILED and not transcript.is_final:
        return not_applicable(CategoryId.SOLUTION, "still_open", confidence=rating.confidence)
    return rating
