"""From the registers to the conversation that people see. Nothing here depends on the order of arrival."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import cast

from shared.domain.conversation import Channel, Message, Role, Status, SurveyAnswer, SurveyKind
from shared.domain.conversation_state import State
from shared.domain.message_state import MessageState
from shared.domain.registers import Json, Register, instant
from shared.domain.ticket_event import DESCRIPTION_ID_PREFIX

__all__ = ["FoldedConversation", "conversation", "visible_messages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FoldedConversation:
    """The fields of a `Conversation` and what else the helpdesk told; ids and versions are the store's."""

    messages: tuple[Message, ...]
    number: str | None = None
    channel: Channel | None = None
    channel_raw: str | None = None
    subject: str | None = None
    language: str | None = None
    #: A status of no known meaning counts as open.
    status: Status = Status.OPEN
    status_raw: str | None = None
    priority: str | None = None
    tags: tuple[str, ...] = ()
    agent_id: str | None = None
    agent_name: str | None = None
    agent_email: str | None = None
    agent_kind: str | None = None
    team_id: str | None = None
    team_name: str | None = None
    customer_id: str | None = None
    opened_at: datetime | None = None
    updated_at: datetime | None = None
    solved_at: datetime | None = None
    first_reply_at: datetime | None = None
    reopens: int = 0
    surveys: Mapping[SurveyKind, SurveyAnswer] = field(default_factory=dict)
    merged_into: str | None = None
    sla: Mapping[str, str | None] = field(default_factory=dict)
    deleted: bool = False

    @property
    def agent(self) -> str | None:
        """What is shown of the assignee."""
        return self.agent_name or self.agent_id or self.agent_email

    @property
    def team(self) -> str | None:
        """What is shown of the team."""
        return self.team_name or self.team_id


def visible_messages(messages: Mapping[str, MessageState]) -> tuple[Message, ...]:
    """By (at, id).

    A message whose role no event has told yet is left out, and so is a ticket's description once the same
    text has come as a message of its own. Where a text was not read, it is empty here.
    """
    told = [message for message in messages.values() if message.role is not None]
    described = {m.id: m.text_mark.likeness for m in told if _is_description(m)}
    texts = (
        {m.text_mark.likeness for m in told if m.id not in described and not m.deleted}
        if described
        else set()
    )
    shown = [m for m in told if described.get(m.id) not in texts]
    return tuple(_message(m) for m in sorted(shown, key=lambda m: (m.at, m.id)))


def _is_description(message: MessageState) -> bool:
    return message.id.startswith(DESCRIPTION_ID_PREFIX)


def _message(state: MessageState) -> Message:
    author = state.author
    return Message(
        id=state.id,
        role=cast(Role, state.role),
        at=state.at,
        text=state.text,
        author_id=author.get("id"),
        author_name=author.get("name"),
        deleted=state.deleted,
    )


def conversation(state: State, messages: Mapping[str, MessageState]) -> FoldedConversation:
    """Everything the events told, with all `messages` of the conversation at hand."""
    shown = visible_messages(messages)
    team, assignee = _dict(state, "team"), _dict(state, "assignee")
    channel = _text(state, "channel")
    return FoldedConversation(
        messages=shown,
        number=_text(state, "number"),
        channel=None if channel is None else Channel(channel),
        channel_raw=_text(state, "channel_raw"),
        subject=_text(state, "subject"),
        language=_text(state, "language"),
        status=_status(state),
        status_raw=_text(state, "status_raw"),
        priority=_text(state, "priority"),
        tags=tuple(cast(list[str], _value(state, "tags") or [])),
        agent_id=_part(assignee, "id"),
        agent_name=_part(assignee, "name") or _known_name(state, "person", assignee, shown),
        agent_email=_part(assignee, "email"),
        agent_kind=_part(assignee, "kind"),
        team_id=_part(team, "id"),
        team_name=_part(team, "name") or _known_name(state, "team", team, ()),
        customer_id=_part(_dict(state, "customer"), "id"),
        opened_at=_opened_at(state, shown),
        updated_at=None if state.last_seen is None else instant(state.last_seen),
        solved_at=_solved_at(state),
        first_reply_at=_moment(state, "first_reply_at") or _first_human_reply(shown),
        reopens=_reopens(state),
        surveys=_surveys(state),
        merged_into=_text(state, "merged_into"),
        sla=cast(Mapping[str, str | None], _dict(state, "sla")),
        deleted=state.deleted,
    )


def _value(state: State, name: str) -> Json:
    register = state.facts.get(name)
    return None if register is None else register.value


def _text(state: State, name: str) -> str | None:
    value = _value(state, name)
    return value if isinstance(value, str) else None


def _moment(state: State, name: str) -> datetime | None:
    value = _value(state, name)
    return instant(value) if isinstance(value, int) else None


def _dict(state: State, name: str) -> dict[str, Json]:
    value = _value(state, name)
    return value if isinstance(value, dict) else {}


def _part(who: Mapping[str, Json], name: str) -> str | None:
    value = who.get(name)
    return value if isinstance(value, str) and value else None


def _known_name(state: State, prefix: str, who: Mapping[str, Json], shown: tuple[Message, ...]) -> str | None:
    """The name that goes with an id, from another event or from the messages of that person."""
    key = _part(who, "id")
    if key is None:
        return None
    register = state.names.get(f"{prefix}:{key}")
    if register is not None and isinstance(register.value, str):
        return register.value
    written = [m.author_name for m in shown if m.author_id == key and m.author_name]
    return written[-1] if written else None


def _status(state: State) -> Status:
    if state.deleted:
        return Status.DELETED
    status = _text(state, "status")
    return Status.OPEN if status is None else Status(status)


def _periods(state: State) -> list[tuple[bool, int]]:
    """Whether the work was done, with the moment since when, in the order of the stamps.

    Moves into the bin or into another ticket, and back, say nothing of the work.
    """
    periods: list[tuple[bool, int]] = []
    for moment, _, status in state.statuses:
        if status and not Status(status).is_eligible:
            continue
        finished = bool(status) and Status(status).is_finished
        if not periods or periods[-1][0] != finished:
            periods.append((finished, moment))
    return periods


def _reopens(state: State) -> int:
    return sum(before[0] and not after[0] for before, after in pairwise(_periods(state)))


def _solved_at(state: State) -> datetime | None:
    """The helpdesk's word, where it was given in the present solved period; else that period's beginning."""
    if not _status(state).is_finished:
        return None
    periods = _periods(state)
    since = periods[-1][1] if periods and periods[-1][0] else None
    told: Register | None = state.facts.get("solved_at")
    if told is not None and isinstance(told.value, int) and (since is None or told.stamp[0] >= since):
        return instant(told.value)
    return None if since is None else instant(since)


def _opened_at(state: State, shown: tuple[Message, ...]) -> datetime | None:
    if state.created is not None:
        return instant(state.created)
    if shown:
        return shown[0].at
    return None if state.first_seen is None else instant(state.first_seen)


def _first_human_reply(shown: Iterable[Message]) -> datetime | None:
    """The first agent's message after the customer has written; later deletion does not undo it."""
    asked = False
    for message in shown:
        if message.role is Role.CUSTOMER:
            asked = True
        elif message.role is Role.AGENT and asked:
            return message.at
    return None


def _surveys(state: State) -> dict[SurveyKind, SurveyAnswer]:
    answers: dict[SurveyKind, SurveyAnswer] = {}
    for kind in SurveyKind:
        value = _dict(state, kind.value)
        score = value.get("score")
        if isinstance(score, int | float):
            at, comment = value.get("at"), value.get("comment")
            answers[kind] = SurveyAnswer(
                kind=kind,
                score=float(score),
                comment=comment if isinstance(comment, str) else None,
                at=instant(at) if isinstance(at, int) else None,
            )
    return answers
