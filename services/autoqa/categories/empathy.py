"""Empathy: was a customer in trouble met with understanding?"""

from typing import Final

from services.autoqa.categories.signals import strongest
from services.autoqa.categories.verdict import not_applicable, unsure, verdict
from services.autoqa.policy import Policy
from services.autoqa.predictions import CustomerPrediction
from services.autoqa.transcript import Transcript, whole
from shared.domain.labels import MessageFlag, Sentiment, Signal
from shared.domain.review import Rating
from shared.domain.scorecard import CategoryId

_TROUBLE: Final = (
    MessageFlag.VULNERABILITY,
    MessageFlag.REPEAT_CONTACT,
    MessageFlag.ESCALATION,
    MessageFlag.ABUSE,
    MessageFlag.CHURN,
    MessageFlag.LEGAL,
    MessageFlag.PUBLICITY,
)


def trouble(prediction: CustomerPrediction) -> float:
    """Probability that the message shows trouble: a negative feeling, or a flag that never comes without."""
    flags = max(prediction.flags[flag] for flag in _TROUBLE)
    return max(prediction.sentiment[Sentiment.NEGATIVE], flags)


def rate_empathy(transcript: Transcript, policy: Policy) -> Rating:
    """Owed where a customer's message shows trouble and an agent spoke after it.

    Where even the trouble is in doubt and no empathy was found, the answer is unsure.
    """
    customers = transcript.customers
    if not customers:
        return not_applicable(CategoryId.EMPATHY, "no_customer_message")
    highest = max(trouble(turn.prediction) for turn in customers)
    if highest < policy.trouble_threshold and 1 - highest >= policy.confidence_floor:
        return not_applicable(CategoryId.EMPATHY, "no_trouble", confidence=1 - highest)
    is_clear = highest >= policy.trouble_threshold
    level = policy.trouble_threshold if is_clear else highest
    troubled = [turn for turn in customers if trouble(turn.prediction) >= level]
    answers = transcript.agents_after(transcript.place_of(troubled[0]))
    if not answers:
        return not_applicable(CategoryId.EMPATHY, "no_agent_answer", confidence=highest)
    probability, found = strongest(answers, Signal.EMPATHY)
    searched = whole(turn.message for turn in answers)
    if not is_clear and probability < 0.5:
        return unsure(CategoryId.EMPATHY, 1 - highest, "trouble_in_doubt", searched)
    return verdict(CategoryId.EMPATHY, probability, policy=policy, found=found, searched=searched)
