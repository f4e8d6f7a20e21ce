"""The main KPIs as Prometheus gauges, per tenant and team, with bounded labels."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Final

from services.metrics.filters import Filters
from services.metrics.kpis.plan import Group, plan
from services.metrics.kpis.store import GroupKey, KpiStore, Totals
from shared.clock import Clock
from shared.domain.kpi import Metric, SumMetric
from shared.errors import PruefsteinError, Rejected
from shared.telemetry import metrics as series
from shared.telemetry.logging import get_logger

log = get_logger()

SHOWN: Final = (
    *("volume", "backlog", "aqs", "coverage", "csat", "csat.response_rate", "solved_rate", "fcr"),
    *("first_response_time", "first_response_time.median", "first_response_time.p90"),
    *("resolution_time", "resolution_time.median", "resolution_time.p90"),
    *("escalation_rate", "sentiment.negative", "sentiment.shift", "flag_rate.churn"),
)
ALL_TEAMS: Final = "all"
OTHER_TEAMS: Final = "other"
NO_TEAM: Final = "none"


class Gauges:
    """Computes them again and again."""

    def __init__(
        self,
        store: KpiStore,
        clock: Clock,
        *,
        metrics: Mapping[str, Metric],
        teams: int,
        days: int,
        seconds: float,
    ) -> None:
        """For the `teams` busiest teams of each tenant over the last `days`, every `seconds`."""
        self._store = store
        self._clock = clock
        self._metrics = {name: metrics[name] for name in SHOWN}
        self._teams = teams
        self._days = days
        self._seconds = seconds
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """Compute no more."""
        self._stopping.set()

    async def run(self) -> None:
        """Until stopped; while the database is away the figures stand still."""
        while not self._stopping.is_set():
            try:
                await self.refresh()
            except PruefsteinError as error:
                log.warning("gauges.waiting", reason=error.reason)
            try:
                await asyncio.wait_for(self._stopping.wait(), self._seconds)
            except TimeoutError:
                continue

    async def refresh(self) -> None:
        """Compute and publish all."""
        today = self._clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        filters = Filters(opened_from=today - timedelta(days=self._days - 1))
        asked = plan(tuple(self._metrics.values()), (Group.TEAM,), filters)
        values: dict[tuple[str, str, str], float] = {}
        for tenant_id in await self._store.tenants():
            try:
                totals = await self._store.totals(tenant_id, asked, filters)
            except Rejected as error:  # one tenant's flood of teams is not the others' trouble
                log.warning("gauges.tenant_left_out", reason=error.reason)
                continue
            for team, named in bounded(totals, self._metrics, self._teams).items():
                values |= {(tenant_id, team, name): value for name, value in named.items()}
        # At once, without awaiting: a scrape sees the old figures or the new ones.
        series.KPI.clear()
        for labels, value in values.items():
            series.KPI.labels(*labels).set(value)


def bounded(totals: Totals, metrics: Mapping[str, Metric], teams: int) -> dict[str, dict[str, float]]:
    """Figures by team and metric: the busiest teams, the others together, and all together."""
    ranked = sorted(
        (key for key, sums in totals.sums.items() if sums["conversations"]),
        key=lambda key: (-totals.sums[key]["conversations"], key),
    )
    parts: dict[str, list[GroupKey]] = {ALL_TEAMS: ranked} if ranked else {}
    for key in ranked[:teams]:
        parts.setdefault(key[0] or NO_TEAM, []).append(key)
    if ranked[teams:]:
        parts.setdefault(OTHER_TEAMS, []).extend(ranked[teams:])
    return {team: _figures(keys, totals, metrics) for team, keys in parts.items()}


def _figures(keys: Iterable[GroupKey], totals: Totals, metrics: Mapping[str, Metric]) -> dict[str, float]:
    keys = list(keys)
    sums: defaultdict[str, int] = defaultdict(int)
    for key in keys:
        for name, amount in totals.sums[key].items():
            sums[name] += amount
    figures = {}
    for name, metric in metrics.items():
        if isinstance(metric, SumMetric):
            kpi = metric.formula(sums)
        else:
            bins: defaultdict[int, int] = defaultdict(int)
            for key in keys:
                for number, count in totals.bins[metric.duration].get(key, {}).items():
                    bins[number] += count
            kpi = metric.formula(bins)
        if kpi.value is not None:
            figures[name] = kpi.value
    return figures
