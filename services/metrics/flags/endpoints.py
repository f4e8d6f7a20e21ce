"""The queue of flags over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.metrics.etag import respond
from services.metrics.filters import begin
from services.metrics.flags import handlers
from services.metrics.flags.state import FlagState
from services.metrics.flags.store import FlagStore
from services.metrics.flags.views import FlagDecision, FlagItem, FlagSort, StateFilter
from services.metrics.paging import Cursor, Limit, Page
from services.metrics.path_ids import storable
from services.metrics.responses import CONFLICT, NOT_FOUND, NOT_MODIFIED
from shared.clock import Clock
from shared.domain.flag import FlagKind, Severity
from shared.http.auth import KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES

_Viewer = Annotated[Principal, Depends(require(KeyRole.VIEWER))]
_QaLead = Annotated[Principal, Depends(require(KeyRole.QA_LEAD))]
_FlagId = Annotated[str, Path(description="The flag's id.")]


def router(store: FlagStore, clock: Clock) -> APIRouter:
    """Routes that work on `store`."""
    routes = APIRouter(prefix="/v1/flags", tags=["flags"], responses=PROBLEM_RESPONSES)

    @routes.get(
        "", response_model=Page[FlagItem], summary="Flagged conversations as a queue", responses=NOT_MODIFIED
    )
    async def list_flags(
        request: Request,
        principal: _Viewer,
        kind: Annotated[FlagKind | None, Query(description="Only this risk.")] = None,
        severity: Annotated[Severity | None, Query(description="Only of this severity.")] = None,
        state: Annotated[
            StateFilter, Query(description="What people made of them; `any` lists all.")
        ] = StateFilter.OPEN,
        since: Annotated[
            str | None,
            Query(description="Raised at or after: a day in UTC or an instant.", examples=["2026-03-01"]),
        ] = None,
        sort: Annotated[
            FlagSort, Query(description="Newest first, or most severe and then newest first.")
        ] = FlagSort.NEWEST,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """The open flags, unless other states are asked for; each with the words that prove it."""
        page = await handlers.list_flags(
            store,
            principal.tenant_id,
            kind=kind,
            severity=severity,
            state=None if state is StateFilter.ANY else FlagState(state.value),
            since=begin(since) if since is not None else None,
            sort=sort,
            cursor=cursor,
            limit=limit,
        )
        return respond(request, page)

    @routes.get(
        "/{flag_id}",
        response_model=FlagItem,
        summary="Read a flag",
        responses={**NOT_FOUND, **NOT_MODIFIED},
    )
    async def flag(request: Request, principal: _Viewer, flag_id: _FlagId) -> Response:
        """One flag with the words that prove it."""
        return respond(request, await handlers.flag(store, principal.tenant_id, storable(flag_id)))

    @routes.patch("/{flag_id}", summary="Decide on a flag", responses={**NOT_FOUND, **CONFLICT})
    async def decide(principal: _QaLead, flag_id: _FlagId, decision: FlagDecision) -> FlagItem:
        """Needs the role `qa_lead`. The same decision again changes nothing."""
        return await handlers.decide(
            store,
            principal.tenant_id,
            storable(flag_id),
            decision.state,
            key_id=principal.key_id,
            clock=clock,
        )

    return routes
