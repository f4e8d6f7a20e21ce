"""From a conversation and its predictions to a review. Pure: `now` is an argument."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType

from services.autoqa.categories.custom import rate_custom
from services.autoqa.categories.registry import Categories
from services.autoqa.custom.category import NO_CUSTOM, Custom, Readings
from services.autoqa.flags import flags_of, unanswered_at
from services.autoqa.policy import Policy
from services.autoqa.predictions import Prediction
from services.autoqa.readings import Reading
from services.autoqa.sentiment import sentiment_path
from services.autoqa.transcript import AgentMessage, CustomerMessage, Transcript, transcript_of
from shared.domain.conversation import Conversation, Role
from shared.domain.labels import Resolved
from shared.domain.review import ResolvedGuess, Review, ReviewState, review_score
from shared.domain.scorecard import Scorecard

__all__ = ["Decided", "Judgement", "OutcomeOf", "decide", "state_at"]

OutcomeOf = Callable[[Sequence[tuple[Role, Prediction]]], tuple[Mapping[Resolved, float], float]]
"""Probabilities of `resolved`, and the expected CSAT 1..5, from the message predictions in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """By what a conversation is judged; equal ones give equal reviews."""

    categories: Categories
    outcome: OutcomeOf
    scorecard: Scorecard
    policy: Policy
    model_revision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A review, and when time alone will change it (`due_at`, None for never)."""

    review: Review
    due_at: datetime | None


def state_at(conversation: Conversation, *, idle_after: timedelta, now: datetime) -> ReviewState:
    """Final once the helpdesk considers the work done, or nothing was said for `idle_after`."""
    if conversation.status.is_finished:
        return ReviewState.FINAL
    spoken = _last_spoken_at(conversation)
    if spoken is not None and now - spoken >= idle_after:
        return ReviewState.FINAL
    return ReviewState.PROVISIONAL


def decide(
    conversation: Conversation,
    readings: Mapping[str, Reading],
    judgement: Judgement,
    *,
    now: datetime,
    is_timed: bool = True,
    custom: Custom = NO_CUSTOM,
    custom_readings: Readings = MappingProxyType({}),
) -> Decided:
    """The review of `conversation` as it stands, from the readings of its messages by id.

    `custom` is what its company added; then its scorecard takes the place of the judgement's.
    """
    policy = judgement.policy
    scorecard = custom.scorecard if custom.categories else judgement.scorecard
    state = state_at(conversation, idle_after=policy.idle_after, now=now)
    transcript = transcript_of(
        conversation,
        {message: reading.prediction for message, reading in readings.items()},
        is_final=state is ReviewState.FINAL,
        abuse={message: r.abuse for message, r in readings.items() if r.abuse is not None},
        is_timed=is_timed,
    )
    ratings = (
        *judgement.categories.rate(transcript, scorecard, policy),
        *(rate_custom(category, transcript, custom_readings, policy) for category in custom.categories),
    )
    resolved, csat = _outcome(transcript, judgement.outcome)
    review = Review(
        scorecard_id=scorecard.id,
        scorecard_version=scorecard.version,
        model_revision=judgement.model_revision,
        state=state,
        ratings=ratings,
        flags=flags_of(transcript, policy, now=now),
        sentiment=sentiment_path(transcript),
        predicted_csat=csat,
        resolved=resolved,
        score=review_score(scorecard, ratings),
    )
    return Decided(review=review, due_at=_due_at(conversation, transcript, policy, state, now))


def _outcome(transcript: Transcript, outcome: OutcomeOf) -> tuple[ResolvedGuess | None, float | None]:
    """Nothing where the customer never spoke: nobody asked for anything."""
    turns = [
        (turn.role, turn.prediction)
        for turn in transcript.turns
        if isinstance(turn, CustomerMessage | AgentMessage)
    ]
    if not transcript.customers:
        return None, None
    resolved, csat = outcome(turns)
    label = max(resolved, key=lambda label: resolved[label])
    return ResolvedGuess(label=label, probability=round(resolved[label], 4)), round(csat, 3)


def _due_at(
    conversation: Conversation, transcript: Transcript, policy: Policy, state: ReviewState, now: datetime
) -> datetime | None:
    if state is ReviewState.FINAL:
        return None
    spoken = _last_spoken_at(conversation)
    moments = [
        unanswered_at(transcript, policy),
        None if spoken is None else spoken + policy.idle_after,
    ]
    return min((moment for moment in moments if moment is not None and moment > now), default=None)


def _last_spoken_at(conversation: Conversation) -> datetime | None:
    spoken = [
        message.at
        for message in conversation.messages
        if message.role in (Role.CUSTOMER, Role.AGENT, Role.BOT)
    ]
    return max(spoken, default=conversation.opened_at)
