"""Answers questions about KPIs."""

from collections.abc import Mapping, Sequence
from typing import Final

from services.metrics.filters import Filters
from services.metrics.kpis.plan import Group, plan
from services.metrics.kpis.store import GroupKey, KpiStore, Totals
from services.metrics.kpis.views import KpiRow, KpiRows, KpiValue
from shared.domain.kpi import Metric, SumMetric, custom_pass_rate

CUSTOM_MARK: Final = "pass_rate.cat_"
"""Begins the names of custom categories' metrics."""


async def custom_metrics(store: KpiStore, tenant_id: str) -> dict[str, SumMetric]:
    """The pass rates of the tenant's own categories, by name."""
    metrics = (custom_pass_rate(category_id) for category_id in await store.category_ids(tenant_id))
    return {metric.name: metric for metric in metrics}


async def kpis(
    store: KpiStore,
    tenant_id: str,
    *,
    metrics: Mapping[str, Metric],
    groups: tuple[Group, ...],
    filters: Filters,
) -> KpiRows:
    """One row a group that has conversations; without groups one row."""
    asked = plan(tuple(metrics.values()), groups, filters)
    return KpiRows(rows=rows(metrics, groups, await store.totals(tenant_id, asked, filters)))


def rows(metrics: Mapping[str, Metric], groups: Sequence[Group], totals: Totals) -> list[KpiRow]:
    """Apply the formulas to each group, sorted by group."""
    return [
        {
            **{group.value: part or None for group, part in zip(groups, key, strict=True)},
            **{name: _value(metric, key, totals) for name, metric in metrics.items()},
        }
        for key, sums in sorted(totals.sums.items())
        if not groups or sums["conversations"]
    ]


def _value(metric: Metric, key: GroupKey, totals: Totals) -> KpiValue:
    if isinstance(metric, SumMetric):
        kpi = metric.formula(totals.sums[key])
    else:
        kpi = metric.formula(totals.bins[metric.duration].get(key, {}))
    return KpiValue(value=None if kpi.value is None else round(kpi.value, 4), n=kpi.n)
