"""Ticket events of one conversation, made up by hypothesis; few values, so that stamps collide."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from shared.domain.conversation import Channel, Role, Status
from shared.domain.ticket_event import EventKind, TicketEvent

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
instants = st.integers(0, 5).map(lambda minutes: START + timedelta(minutes=minutes))
words = st.sampled_from(["a", "b", "ä", ""])
maybe_word = st.none() | words
people = st.none() | st.fixed_dictionaries(
    {}, optional={"id": st.sampled_from(["1", "2"]), "name": maybe_word, "kind": st.just("agent")}
)
scores = st.sampled_from([1.0, 3, 5.0])
teams = st.none() | st.fixed_dictionaries(
    {}, optional={"id": st.sampled_from(["1", "2"]), "name": maybe_word}
)
surveys = st.none() | st.fixed_dictionaries(
    {"score": scores}, optional={"raw": maybe_word, "comment": maybe_word, "at": st.none() | instants}
)
conversations = st.fixed_dictionaries(
    {"id": st.just("7")},
    optional={
        "number": maybe_word,
        "channel": st.none() | st.sampled_from(Channel),
        "channel_raw": maybe_word,
        "subject": maybe_word,
        "language": maybe_word,
        "status": st.none() | st.sampled_from(Status),
        "status_raw": maybe_word,
        "priority": maybe_word,
        "tags": st.lists(words, max_size=2),
        "team": teams,
        "assignee": people,
        "customer": people,
        "created_at": st.none() | instants,
        "updated_at": st.none() | instants,
        "first_reply_at": st.none() | instants,
        "solved_at": st.none() | instants,
        "csat": surveys,
        "nps": surveys,
        "ces": surveys,
        "sla": st.none() | st.dictionaries(words, maybe_word, max_size=2),
        "merged_into": st.none() | st.just("8"),
    },
)
messages = st.fixed_dictionaries(
    {"id": st.sampled_from(["m1", "m2", "desc-7"])},
    optional={
        "role": st.sampled_from(Role),
        "at": instants,
        "text": words,
        "html": maybe_word,
        "quoted_text": maybe_word,
        "author": people,
        "deleted": st.sampled_from([False, False, False, True]),
    },
)
mild_kinds = [kind for kind in EventKind if kind is not EventKind.CONVERSATION_DELETED]


def _event(kind: EventKind, occurred_at: datetime | None, conversation: Any, said: Any) -> TicketEvent:
    return TicketEvent(
        source="generic",
        account_id=None,
        delivery_id=None,
        kind=kind,
        source_event=None,
        occurred_at=occurred_at,
        conversation=conversation,
        messages=tuple(said),
    )


def events(kinds: Sequence[EventKind]) -> st.SearchStrategy[tuple[TicketEvent, datetime]]:
    """An event with the time of its intake."""
    event = st.builds(
        _event,
        st.sampled_from(kinds),
        st.none() | instants,
        conversations,
        st.lists(messages, max_size=3),
    )
    return st.tuples(event, instants)


histories = st.lists(events(mild_kinds), max_size=7) | st.lists(events(list(EventKind)), max_size=7)
