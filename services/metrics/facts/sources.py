"""What ingest and autoqa publish of a conversation, as far as a fact needs it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.conversation import Status, SurveyKind
from shared.domain.flag import Flag
from shared.domain.review import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationRow:
    """A row of `ingest.conversation_v1`; an empty text stands for none in `channel` to `team`."""

    id: str
    source: str
    external_id: str
    channel: str
    language: str
    status: Status
    agent: str
    team: str
    tags: tuple[str, ...]
    opened_at: datetime
    solved_at: datetime | None
    reopen_count: int
    message_count: int
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageTimes:
    """From `ingest.message_v1`. Only people count as agents: no bots, system messages, notes."""

    #: The first customer message.
    asked_at: datetime | None = None
    #: The first agent message after it.
    answered_at: datetime | None = None
    agent_messages: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRow:
    """The current row of `autoqa.review_v1`. `outcomes` is by category."""

    id: str
    version: int
    state: str
    scorecard_id: str
    scorecard_version: int
    model_revision: str
    score: float | None
    outcomes: Mapping[str, Outcome]
    flags: tuple[Flag, ...]
    sentiment_start: float | None
    sentiment_end: float | None
    predicted_csat: float | None
    scored_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """All that is known of one conversation."""

    conversation: ConversationRow
    times: MessageTimes = MessageTimes()
    surveys: Mapping[SurveyKind, float] = field(default_factory=dict)
    review: ReviewRow | None = None
