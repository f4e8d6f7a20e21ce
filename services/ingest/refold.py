"""What new events make of a conversation that is known already; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.conversation import SurveyKind
from shared.domain.fold import EMPTY, MessageState, State, fold
from shared.domain.ticket_event import TicketEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Which ticket of which helpdesk; `id` follows from the rest."""

    id: str
    source: str
    account_id: str | None
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One event on its way into the fold. `received_at`: when the broker took it in."""

    tenant_id: str
    conversation: Identity
    event: TicketEvent
    received_at: datetime

    @property
    def message_ids(self) -> list[str]:
        """Of the messages that the event says something of."""
        return [message["id"] for message in self.event.messages]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A conversation as it is stored, with all its messages; texts of those that new events name."""

    identity: Identity
    version: int = 0
    published_version: int = 0
    received_at: datetime
    state: State = EMPTY
    messages: Mapping[str, MessageState] = field(default_factory=dict)
    #: Detected, by message id.
    languages: Mapping[str, str | None] = field(default_factory=dict)
    #: Ids of the messages that people see.
    shown: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refolded:
    """The conversation after the events."""

    before: Known
    state: State
    messages: Mapping[str, MessageState]
    #: One for each event: whether it said anything new.
    was_news: Sequence[bool]
    received_at: datetime

    @property
    def is_changed(self) -> bool:
        """Whether anything is to be stored."""
        return any(self.was_news)

    @property
    def has_other_answers(self) -> bool:
        """Whether any survey's answer is another than before."""
        return any(self.state.facts.get(kind) != self.before.state.facts.get(kind) for kind in SurveyKind)

    @property
    def version(self) -> int:
        """Grows by one per batch that changes anything."""
        return self.before.version + self.is_changed

    @property
    def new_texts(self) -> dict[str, str]:
        """By message id: texts whose language is not known yet."""
        known = self.before.messages
        return {
            key: message.text
            for key, message in self.messages.items()
            if message.text and (key not in known or known[key].text != message.text)
        }


def refold(known: Known, arrivals: Sequence[Arrival]) -> Refolded:
    """Fold the arrivals of one conversation, in the order of their arrival."""
    state, messages = known.state, dict(known.messages)
    received_at = known.received_at if known.version else arrivals[0].received_at
    was_news: list[bool] = []
    for arrival in arrivals:
        after, changed = fold(state, messages, arrival.event, received_at=arrival.received_at)
        is_news = bool(changed) or after != state
        was_news.append(is_news)
        if is_news:
            received_at = max(received_at, arrival.received_at)
        state = after
        messages.update(changed)
    return Refolded(before=known, state=state, messages=messages, was_news=was_news, received_at=received_at)
