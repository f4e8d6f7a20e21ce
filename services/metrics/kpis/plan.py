"""Which table can answer a question about KPIs: the smallest one that knows all that is asked for. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from services.metrics.filters import Filters
from services.metrics.kpis.grains import Grain, Span, spans
from shared.domain.kpi import Duration, Metric, PercentileMetric, SumMetric
from shared.errors import Rejected

MAX_GROUPS: Final = 3


class Group(StrEnum):
    """What rows may be told apart by."""

    TEAM = "team"
    AGENT = "agent"
    CHANNEL = "channel"
    LANGUAGE = "language"
    SOURCE = "source"
    TAG = "tag"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


PERIODS: Final = (Group.DAY, Group.WEEK, Group.MONTH)


class SumsFrom(StrEnum):
    """Tables that hold the measures."""

    ROLLUP = "rollup"
    AGENT_ROLLUP = "agent_rollup"
    FACT = "fact"


class BinsFrom(StrEnum):
    """Tables that hold the histograms."""

    TEAM_DURATION = "team_duration"
    CHANNEL_DURATION = "channel_duration"
    FACT = "fact"


_ROLLUP: Final = frozenset({"team", "channel", "language", "source"})
_AGENT_ROLLUP: Final = frozenset({"team", "agent"})
_TEAM_DURATION: Final = frozenset({"team"})
_CHANNEL_DURATION: Final = frozenset({"channel", "language", "source"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to read."""

    groups: tuple[Group, ...]
    period: Group | None
    measures: tuple[str, ...]
    #: Custom categories whose pass rates are asked for.
    categories: tuple[str, ...]
    durations: tuple[Duration, ...]
    sums_from: SumsFrom
    bins_from: BinsFrom
    #: The pieces of the rollups that cover the time asked for; of no use where facts answer.
    spans: tuple[Span, ...]


def parse_metrics(text: str, known: Mapping[str, Metric]) -> dict[str, Metric]:
    """The metrics of a comma-separated list, under the names asked for. Raises `Rejected`."""
    names = _split(text)
    unknown = [name for name in names if name not in known]
    if unknown or not names:
        raise Rejected(f"metrics are {', '.join(known)}", reason="unknown_metric")
    return {name: known[name] for name in names}


def parse_groups(text: str) -> tuple[Group, ...]:
    """The groups of a comma-separated list, at most one of them a period of time. Raises `Rejected`."""
    names = _split(text)
    if any(name not in list(Group) for name in names):
        raise Rejected(f"groups are {', '.join(Group)}", reason="unknown_group")
    groups = tuple(Group(name) for name in names)
    if len(groups) > MAX_GROUPS:
        raise Rejected(f"group by {MAX_GROUPS} things at most", reason="too_many_groups")
    if sum(group in PERIODS for group in groups) > 1:
        raise Rejected("group by one of day, week, month", reason="two_periods")
    return groups


def plan(metrics: Sequence[Metric], groups: tuple[Group, ...], filters: Filters) -> Plan:
    """Choose the tables; the facts answer everything, the rollups what they were made for."""
    used = {group.value for group in groups if group not in PERIODS} | set(filters.names())
    if not filters.whole_days:
        used.add("instant")
    asked = {name for metric in metrics if isinstance(metric, SumMetric) for name in metric.measures}
    measures = {"conversations"} | {name for name in asked if ":" not in name}
    period = next((group for group in groups if group in PERIODS), None)
    return Plan(
        groups=groups,
        period=period,
        measures=tuple(sorted(measures)),
        categories=tuple(sorted({name.partition(":")[2] for name in asked - measures})),
        durations=tuple(
            sorted({metric.duration for metric in metrics if isinstance(metric, PercentileMetric)})
        ),
        sums_from=_sums_from(used),
        bins_from=_bins_from(used),
        spans=spans(
            filters.opened_from.date() if filters.opened_from else None,
            filters.opened_before.date() if filters.opened_before else None,
            Grain(period.value) if period else Grain.MONTH,
        ),
    )


def _sums_from(used: set[str]) -> SumsFrom:
    if used <= _ROLLUP:
        return SumsFrom.ROLLUP
    return SumsFrom.AGENT_ROLLUP if used <= _AGENT_ROLLUP else SumsFrom.FACT


def _bins_from(used: set[str]) -> BinsFrom:
    if used <= _TEAM_DURATION:
        return BinsFrom.TEAM_DURATION
    return BinsFrom.CHANNEL_DURATION if used <= _CHANNEL_DURATION else BinsFrom.FACT


def _split(text: str) -> list[str]:
    return list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
