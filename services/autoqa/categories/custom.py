"""A company's own category: does some message of its role show it?"""

from typing import Final

from services.autoqa.categories.verdict import not_applicable, unsure, verdict
from services.autoqa.custom.category import CustomCategory, Readings
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript, span_of, whole
from shared.domain.review import Rating

_MOST: Final = 5
"""Sentences that prove it, one a message."""


def rate_custom(
    category: CustomCategory, transcript: Transcript, readings: Readings, policy: Policy
) -> Rating:
    """Passed where a message shows it, as sure as the surest; not applicable where the role never spoke."""
    turns = transcript.customers if category.role == "customer" else transcript.agents
    messages = [turn.message for turn in turns]
    if not messages:
        return not_applicable(category.id, f"no_{category.role}_message")
    searched = whole(messages)
    read = [
        (message, readings[message.id][category.id])
        for message in messages
        if category.id in readings.get(message.id, {})
    ]
    if not read:
        return unsure(category.id, 0.5, "not_trained", searched)
    highest = max(reading.probability for _, reading in read)
    floor = min(0.5, highest)
    found = [span_of(message, reading.evidence) for message, reading in read if reading.probability >= floor]
    return verdict(category.id, highest, policy=policy, found=tuple(found[:_MOST]), searched=searched)
