"""Greeting: did the first human who answered greet the customer?"""

from services.autoqa.categories.signals import first_turn, strongest
from services.autoqa.categories.verdict import not_applicable, verdict
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript, whole
from shared.domain.labels import Signal
from shared.domain.review import Rating
from shared.domain.scorecard import CategoryId


def rate_greeting(transcript: Transcript, policy: Policy) -> Rating:
    """Owed by the first message of a human agent; not applicable where none spoke."""
    first = first_turn(transcript)
    if not first:
        return not_applicable(CategoryId.GREETING, "no_agent_message")
    probability, found = strongest(first, Signal.GREETING)
    searched = whole(m.message for m in first)
    return verdict(CategoryId.GREETING, probability, policy=policy, found=found, searched=searched)
