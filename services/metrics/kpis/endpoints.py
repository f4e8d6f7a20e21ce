"""KPIs over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request, Response

from services.metrics.etag import respond
from services.metrics.filters import Filters
from services.metrics.kpis import handlers
from services.metrics.kpis.handlers import CUSTOM_MARK
from services.metrics.kpis.plan import Group, parse_groups, parse_metrics
from services.metrics.kpis.store import KpiStore
from services.metrics.kpis.views import KpiRows
from services.metrics.query_parameters import filters as filter_parameters
from services.metrics.responses import NOT_MODIFIED
from shared.domain.kpi import FcrDefinition, Metric
from shared.domain.kpi import metrics as known_metrics
from shared.http.auth import KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES

_Viewer = Annotated[Principal, Depends(require(KeyRole.VIEWER))]
_DEFAULT: Final = "volume,aqs,coverage,csat,solved_rate,first_response_time.median,resolution_time.median"


def router(store: KpiStore, fcr: FcrDefinition) -> APIRouter:
    """Routes that read from `store`."""
    routes = APIRouter(prefix="/v1/kpis", tags=["kpis"], responses=PROBLEM_RESPONSES)
    known = known_metrics(fcr)

    @routes.get(
        "",
        response_model=KpiRows,
        summary="Key figures by group",
        description=_description(known, fcr),
        responses=NOT_MODIFIED,
    )
    async def kpis(
        request: Request,
        principal: _Viewer,
        filters: Annotated[Filters, Depends(filter_parameters)],
        metrics: Annotated[
            str,
            Query(
                description="Names of metrics, separated by commas.",
                examples=["aqs,csat,pass_rate.greeting"],
                max_length=4000,
            ),
        ] = _DEFAULT,
        group_by: Annotated[
            str,
            Query(
                description=f"Up to three of {', '.join(Group)}, separated by commas; one period at most.",
                examples=["team,week"],
                max_length=200,
            ),
        ] = "",
    ) -> Response:
        named = dict(known)
        if CUSTOM_MARK in metrics:
            named |= await handlers.custom_metrics(store, principal.tenant_id)
        answer = await handlers.kpis(
            store,
            principal.tenant_id,
            metrics=parse_metrics(metrics, named),
            groups=parse_groups(group_by),
            filters=filters,
        )
        return respond(request, answer)

    return routes


def _description(known: dict[str, Metric], fcr: FcrDefinition) -> str:
    lines = [
        f"- **{name}** ({metric.unit}): {' '.join(metric.explanation.split())}"
        for name, metric in known.items()
        if name != "fcr"
    ]
    return "\n".join(
        [
            "Figures over conversations, told apart by group. A conversation belongs to the UTC day on which",
            "it was opened. Merged, deleted and spam conversations count nowhere. Figures follow every",
            "update, reopening and new score at once.",
            "",
            *lines,
            "- **pass_rate.{category id}** (percent): the same for a category of your own.",
            f"- **fcr** (percent): stands for `fcr.{fcr}`, as set by the operator.",
        ]
    )
