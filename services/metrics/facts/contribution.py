"""What the rollups gain and lose when a fact takes another's place. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from services.metrics.facts.fact import Fact
from services.metrics.kpis.grains import Grain

Key = tuple[date | str | int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deltas:
    """Differences by the key of each rollup, in the order of its key columns after the tenant."""

    #: (grain, day, team, channel, language, source) -> measure -> difference
    rollup: dict[Key, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(int)))
    #: (grain, day, team, agent) -> measure -> difference
    agent_rollup: dict[Key, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )
    #: (duration, grain, day, team, bin) -> difference
    team_duration: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    #: (duration, grain, day, channel, language, source, bin) -> difference
    channel_duration: dict[Key, int] = field(default_factory=lambda: defaultdict(int))
    #: (custom category, grain, day, team, channel, language, source) -> `rated`, `passed` -> difference
    category_rollup: dict[Key, dict[str, int]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(int))
    )


def deltas(changes: Iterable[tuple[Fact | None, Fact | None]]) -> Deltas:
    """Sum the differences of pairs (stored before, stored now); None where there is no fact."""
    result = Deltas()
    for before, now in changes:
        if before is not None:
            _add(result, before, -1)
        if now is not None:
            _add(result, now, 1)
    return result


def _add(result: Deltas, fact: Fact, sign: int) -> None:
    for grain in Grain:
        _add_piece(result, fact, sign, grain.value, grain.begin(fact.day))


def _add_piece(result: Deltas, fact: Fact, sign: int, grain: str, day: date) -> None:
    channel = (fact.channel, fact.language, fact.source)
    for sums in (
        result.rollup[grain, day, fact.team, *channel],
        result.agent_rollup[grain, day, fact.team, fact.agent],
    ):
        for name, amount in fact.measures.items():
            sums[name] += sign * amount
    # A conversation that is merged, deleted or spam has no categories in its fact.
    for category, has_passed in fact.categories.items():
        counts = result.category_rollup[category, grain, day, fact.team, *channel]
        counts["rated"] += sign
        counts["passed"] += sign * has_passed
    for duration, number in (
        ("first_response", fact.first_response_bin),
        ("resolution", fact.resolution_bin),
    ):
        if number is not None:
            result.team_duration[duration, grain, day, fact.team, number] += sign
            result.channel_duration[duration, grain, day, *channel, number] += sign
