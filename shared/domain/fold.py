"""The fold of a ticket's events. Any order and any repetition of them gives the same conversation.

    TicketEvent -> what it says alone -> join with what is known -> conversation()

Why a join and not "apply the event": no helpdesk promises order or exactly-once, so every event is first
turned into a state of its own, and states are joined by rules that are commutative, associative and
idempotent: the latest stamp wins, the earliest creation wins, deletion never wears off.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast

from shared.domain.conversation_state import EMPTY, State, join_states
from shared.domain.folded import FoldedConversation, conversation, visible_messages
from shared.domain.message_state import MessageState, join_messages, message_state
from shared.domain.registers import Json, Register, Stamp, micros
from shared.domain.ticket_event import EventKind, Person, Survey, Team, TicketEvent

__all__ = [
    "EMPTY",
    "FoldedConversation",
    "MessageState",
    "State",
    "conversation",
    "fold",
    "merge",
    "visible_messages",
]

_PLAIN = (
    "number",
    "channel_raw",
    "subject",
    "language",
    "status_raw",
    "priority",
    "tags",
    "sla",
    "merged_into",
    "team",
    "assignee",
    "customer",
)
_ENUMS = ("channel", "status")
_TIMES = ("first_reply_at", "solved_at")
_SURVEYS = ("csat", "nps", "ces")
_UNTOLD: Mapping[str, str] = {
    EventKind.CONVERSATION_MERGED: "merged",
    EventKind.CONVERSATION_DELETED: "deleted",
}


def fold(
    state: State, messages: Mapping[str, MessageState], event: TicketEvent, *, received_at: datetime
) -> tuple[State, dict[str, MessageState]]:
    """Join one event into what is known; gives the new state and only the messages that changed.

    `messages` must hold those that the event names, with their texts, and all of the conversation when it is
    deleted by this event: their texts have to go. `received_at` must stay the same for one stored event (the
    record's time), since it stamps what carries no time of its own.
    """
    if event.kind is EventKind.PING:
        return state, {}
    own, own_messages = _alone(event, received_at)
    return merge(state, messages, own, own_messages)


def merge(
    state: State,
    messages: Mapping[str, MessageState],
    other: State,
    other_messages: Mapping[str, MessageState],
) -> tuple[State, dict[str, MessageState]]:
    """Join two partial folds of one conversation; gives the messages of the first that changed."""
    joined = join_states(state, other)
    results = {key: join_messages(messages.get(key), facts) for key, facts in other_messages.items()}
    if joined.deleted:
        known = dict(messages) if not state.deleted else {}
        results = {key: message.erased() for key, message in {**known, **results}.items()}
    return joined, {key: message for key, message in results.items() if messages.get(key) != message}


def _alone(event: TicketEvent, received_at: datetime) -> tuple[State, dict[str, MessageState]]:
    updated_at = event.conversation.get("updated_at")
    own_time = event.occurred_at or updated_at or received_at
    seen = micros(own_time)
    stamp = (micros(updated_at or own_time), seen)
    messages: dict[str, MessageState] = {}
    for facts in event.messages:
        message = message_state(facts, stamp, seen=seen, gone=event.kind is EventKind.MESSAGE_DELETED)
        messages[message.id] = join_messages(messages.get(message.id), message)
    facts_by_name = _facts(event, stamp)
    created_at = event.conversation.get("created_at")
    status = facts_by_name.get("status")
    state = State(
        facts=facts_by_name,
        names=_names(event, stamp),
        statuses=() if status is None else ((*stamp, str(status.value or "")),),
        created=None if created_at is None else micros(created_at),
        first_seen=seen,
        last_seen=stamp[0],
        deleted=event.kind is EventKind.CONVERSATION_DELETED,
    )
    state = join_states(state, EMPTY)
    return state, {k: m.erased() for k, m in messages.items()} if state.deleted else messages


def _facts(event: TicketEvent, stamp: Stamp) -> dict[str, Register]:
    facts = cast(Mapping[str, object], event.conversation)
    told = {name: Register(stamp, cast(Json, facts[name])) for name in _PLAIN if name in facts}
    for name in _ENUMS:
        if name in facts:
            told[name] = Register(stamp, None if facts[name] is None else str(facts[name]))
    for name in _TIMES:
        if name in facts:
            moment = cast(datetime | None, facts[name])
            told[name] = Register(stamp, None if moment is None else micros(moment))
    for name in _SURVEYS:
        if name in facts:
            told[name] = _survey(cast(Survey | None, facts[name]), stamp)
    if "status" not in told and event.kind in _UNTOLD:
        told["status"] = Register(stamp, _UNTOLD[event.kind])
    return told


def _survey(answer: Survey | None, stamp: Stamp) -> Register:
    """Stamped by when the customer answered: a helpdesk repeats old answers in later events."""
    if answer is None:
        return Register(stamp, None)
    at = answer.get("at")
    value: dict[str, Json] = {
        "score": float(answer["score"]),
        "raw": answer.get("raw"),
        "comment": answer.get("comment"),
        "at": None if at is None else micros(at),
    }
    return Register(stamp if at is None else (micros(at), stamp[1]), value)


def _names(event: TicketEvent, stamp: Stamp) -> dict[str, Register]:
    people: list[tuple[str, Team | Person | None]] = [
        ("team", event.conversation.get("team")),
        ("person", event.conversation.get("assignee")),
    ]
    names: dict[str, Register] = {}
    for prefix, who in people:
        if who and who.get("id") and who.get("name"):
            names[f"{prefix}:{who['id']}"] = Register(stamp, who["name"])
    return names
