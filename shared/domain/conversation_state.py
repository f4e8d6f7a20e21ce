"""What is known of one conversation so far; a join-semilattice, so the order of arrival leaves no trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import cast

from shared.domain.registers import Json, Register, join_all, newest

__all__ = ["EMPTY", "Observation", "State", "join_states"]

MAX_OBSERVATIONS = 256
"""Statuses remembered; enough for the reopenings of any ticket a person would read."""

MAX_NAMES = 64
"""Names of agents and teams remembered by id."""

Observation = tuple[int, int, str]
"""A stamp and the status that was true then; a status of no known meaning is an empty string."""

_ERASED = ("subject", "customer")


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Everything but the messages; `to_json` holds no message text.

    It does hold the subject and the survey's comment, so its column belongs to ingest alone.
    """

    #: By the name of the fact in `ConversationFacts`.
    facts: Mapping[str, Register] = field(default_factory=dict)
    #: Names by `team:<id>` and `person:<id>`: many events tell only ids.
    names: Mapping[str, Register] = field(default_factory=dict)
    #: Ascending, distinct, the newest `MAX_OBSERVATIONS`.
    statuses: tuple[Observation, ...] = ()
    #: The earliest creation told, and the earliest moment any event speaks of; microseconds.
    created: int | None = None
    first_seen: int | None = None
    #: The latest stamp of any event.
    last_seen: int | None = None
    #: The helpdesk deleted it. Never wears off; subject, customer and comments are gone.
    deleted: bool = False

    def to_json(self) -> dict[str, Json]:
        """A plain dictionary."""
        return {
            "facts": _registers_to_json(self.facts),
            "names": _registers_to_json(self.names),
            "statuses": [list(observation) for observation in self.statuses],
            "created": self.created,
            "first_seen": self.first_seen,
            "last_seen": self.last_seen,
            "deleted": self.deleted,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Json]) -> "State":
        """Undo `to_json`; what an older release did not write stays at its default."""
        return cls(
            facts=_registers_from_json(data.get("facts")),
            names=_registers_from_json(data.get("names")),
            statuses=tuple(
                cast(Observation, tuple(observation))
                for observation in cast(list[list[Json]], data.get("statuses") or [])
            ),
            created=cast(int | None, data.get("created")),
            first_seen=cast(int | None, data.get("first_seen")),
            last_seen=cast(int | None, data.get("last_seen")),
            deleted=bool(data.get("deleted")),
        )


EMPTY = State()


def _registers_to_json(registers: Mapping[str, Register]) -> dict[str, Json]:
    return {name: register.to_json() for name, register in sorted(registers.items())}


def _registers_from_json(data: Json) -> dict[str, Register]:
    values = cast(dict[str, list[Json]], data or {})
    return {name: Register.from_json(value) for name, value in values.items()}


def _least(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return left if right is None else right
    return min(left, right)


def _greatest(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return left if right is None else right
    return max(left, right)


def _join_statuses(left: tuple[Observation, ...], right: tuple[Observation, ...]) -> tuple[Observation, ...]:
    if not right or left == right:
        return left
    return tuple(sorted({*left, *right}))[-MAX_OBSERVATIONS:]


def join_states(left: State, right: State) -> State:
    """What both know: commutative, associative, idempotent."""
    joined = State(
        facts=join_all(left.facts, right.facts),
        names=newest(join_all(left.names, right.names), MAX_NAMES),
        statuses=_join_statuses(left.statuses, right.statuses),
        created=_least(left.created, right.created),
        first_seen=_least(left.first_seen, right.first_seen),
        last_seen=_greatest(left.last_seen, right.last_seen),
        deleted=left.deleted or right.deleted,
    )
    return _erased(joined) if joined.deleted else joined


def _erased(state: State) -> State:
    facts = {
        name: Register(register.stamp, _without_comment(register.value))
        for name, register in state.facts.items()
        if name not in _ERASED
    }
    return replace(state, facts=facts, names={})


def _without_comment(value: Json) -> Json:
    if isinstance(value, dict) and "comment" in value:
        return {**value, "comment": None}
    return value
