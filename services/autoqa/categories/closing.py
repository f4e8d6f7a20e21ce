"""Closing: did the last human word of a finished conversation take leave?"""

from services.autoqa.categories.signals import last_turn, strongest
from services.autoqa.categories.verdict import not_applicable, verdict
from services.autoqa.need import needs_answer
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript, whole
from shared.domain.conversation import Role
from shared.domain.labels import Signal
from shared.domain.review import Rating
from shared.domain.scorecard import CategoryId


def rate_closing(transcript: Transcript, policy: Policy) -> Rating:
    """Owed where an agent had the last word, or only a thanks came after it.

    Not applicable while the conversation goes on, and where it ended with a customer or a bot.
    """
    last = last_turn(transcript)
    if not last:
        return not_applicable(CategoryId.CLOSING, "no_agent_message")
    if not transcript.is_final:
        return not_applicable(CategoryId.CLOSING, "still_open")
    after = transcript.turns[transcript.place_of(last[-1]) + 1 :]
    if any(turn.role is Role.BOT for turn in after):
        return not_applicable(CategoryId.CLOSING, "bot_had_last_word")
    need = needs_answer(transcript)
    if need >= policy.unanswered_threshold:
        return not_applicable(CategoryId.CLOSING, "customer_had_last_word", confidence=need)
    probability, found = strongest(last, Signal.CLOSING)
    searched = whole(m.message for m in last)
    return verdict(CategoryId.CLOSING, probability, policy=policy, found=found, searched=searched)
