"""Timeliness: did the customer get a person's answer in time?"""

from datetime import timedelta

from services.autoqa.categories.verdict import not_applicable
from services.autoqa.policy import Policy
from services.autoqa.transcript import Transcript, Turn, waited
from shared.domain.conversation import Channel, Role
from shared.domain.evidence import EvidenceSpan
from shared.domain.review import Outcome, Rating
from shared.domain.scorecard import CategoryId


def rate_timeliness(transcript: Transcript, policy: Policy) -> Rating:
    """The first response and every later one, each from the first message the customer had waited with.

    Measured, so its confidence is 1. The score falls from 1 in time to 0 at three times the limit. A bot's
    answer ends no wait. Not applicable to calls, and where nobody answered: that is the flag `unanswered`.
    """
    if not transcript.is_timed:
        return not_applicable(CategoryId.TIMELINESS, "times_unknown")
    if transcript.channel is Channel.PHONE:
        return not_applicable(CategoryId.TIMELINESS, "phone_call")
    waits = _waits(transcript)
    if not waits:
        return not_applicable(CategoryId.TIMELINESS, "no_agent_answer")
    first, later = policy.first_response.of(transcript.channel), policy.next_response.of(transcript.channel)
    limits = [first, *[later] * (len(waits) - 1)]
    worst_ratio, asked, answer = max(
        ((wait / limit, asked, answer) for (wait, asked, answer), limit in zip(waits, limits, strict=True)),
        key=lambda found: found[0],
    )
    in_time = worst_ratio <= 1
    reason = None
    if not in_time:
        reason = "late_first_response" if asked is waits[0][1] else "late_response"
    return Rating(
        category=CategoryId.TIMELINESS,
        outcome=Outcome.PASSED if in_time else Outcome.FAILED,
        score=1.0 if in_time else round(max(0.0, 1 - (worst_ratio - 1) / 2), 4),
        confidence=1.0,
        # Even one without words, an attachment, is where somebody waited.
        evidence=tuple(
            EvidenceSpan(message_id=message.id, start=0, end=len(message.text))
            for message in (asked.message, answer.message)
        ),
        reason=reason,
    )


def _waits(transcript: Transcript) -> list[tuple[timedelta, Turn, Turn]]:
    waits: list[tuple[timedelta, Turn, Turn]] = []
    waiting: Turn | None = None
    for turn in transcript.turns:
        if turn.role is Role.CUSTOMER and waiting is None:
            waiting = turn
        elif turn.role is Role.AGENT and waiting is not None:
            waits.append((waited(waiting.message.at, turn.message.at), waiting, turn))
            waiting = None
    return waits
