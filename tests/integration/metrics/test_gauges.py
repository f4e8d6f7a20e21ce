"""The main KPIs as Prometheus gauges."""

from datetime import timedelta

from services.metrics.kpis.gauges import Gauges
from services.metrics.kpis.store import KpiStore
from shared.domain.kpi import FcrDefinition
from shared.domain.kpi import metrics as known
from tests.integration.metrics.conftest import NOW, Metrics
from tests.integration.metrics.world import World


async def shown(metrics: Metrics) -> dict[str, float]:
    """Volume by team as /metrics shows it."""
    gauges = Gauges(
        KpiStore(metrics.database),
        metrics.clock,
        metrics=known(FcrDefinition.NO_REOPEN),
        teams=2,
        days=30,
        seconds=30,
    )
    await gauges.refresh()
    lines = (await metrics.client.get("/metrics")).text.splitlines()
    prefix = 'pruefstein_kpi{kpi="volume",team="'
    return {
        line.removeprefix(prefix).split('"')[0]: float(line.split()[-1])
        for line in lines
        if line.startswith(prefix)
    }


async def test_teams_are_bounded(metrics: Metrics, world: World) -> None:
    """The busiest have names, the rest is other, and all together are there too."""
    for number, team in enumerate(["Billing", "Billing", "Sales", "Sales", "Legal", "Press", None]):
        await world.conversation(f"c{number}", team=team, opened_at=NOW - timedelta(days=number))
    await world.conversation("old", opened_at=NOW - timedelta(days=31))
    await metrics.news("old", *(f"c{number}" for number in range(7)))
    assert await shown(metrics) == {"all": 7, "Billing": 2, "Sales": 2, "other": 3}


async def test_a_team_that_is_gone_leaves_no_series(metrics: Metrics, world: World) -> None:
    """Its last figures would stand there for ever."""
    await world.conversation("c1", opened_at=NOW)
    await metrics.news("c1")
    assert await shown(metrics) == {"all": 1, "Billing": 1}
    await world.conversation("c1", opened_at=NOW, team="Sales")
    await metrics.news("c1")
    assert await shown(metrics) == {"all": 1, "Sales": 1}
