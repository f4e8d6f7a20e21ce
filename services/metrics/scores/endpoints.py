"""Conversations over HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response

from services.metrics.etag import respond
from services.metrics.filters import Filters
from services.metrics.paging import Cursor, Limit, Page
from services.metrics.path_ids import storable
from services.metrics.query_parameters import filters as filter_parameters
from services.metrics.responses import NOT_FOUND, NOT_MODIFIED
from services.metrics.scores import handlers
from services.metrics.scores.store import ScoreStore
from services.metrics.scores.views import ConversationDetail, ConversationItem
from shared.http.auth import KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES

_Viewer = Annotated[Principal, Depends(require(KeyRole.VIEWER))]
_RESPONSES: dict[int | str, dict[str, Any]] = {**PROBLEM_RESPONSES, **NOT_MODIFIED}


def router(store: ScoreStore) -> APIRouter:
    """Routes that read from `store`."""
    routes = APIRouter(prefix="/v1/conversations", tags=["conversations"], responses=_RESPONSES)

    @routes.get("", response_model=Page[ConversationItem], summary="Find conversations, newest first")
    async def list_conversations(
        request: Request,
        principal: _Viewer,
        filters: Annotated[Filters, Depends(filter_parameters)],
        external_id: Annotated[
            str | None, Query(max_length=500, description="Id at the helpdesk.", examples=["48213"])
        ] = None,
        limit: Limit = 50,
        cursor: Cursor = None,
    ) -> Response:
        """All conversations of the tenant that pass every filter given."""
        page = await handlers.list_conversations(
            store, principal.tenant_id, filters.with_external_id(external_id), cursor=cursor, limit=limit
        )
        return respond(request, page)

    @routes.get(
        "/{conversation_id}",
        response_model=ConversationDetail,
        summary="Read a conversation with its ratings and flags",
        responses=NOT_FOUND,
    )
    async def conversation(
        request: Request,
        principal: _Viewer,
        conversation_id: Annotated[str, Path(description="The conversation's id here.")],
    ) -> Response:
        """Transcript, ratings, flags, sentiment, surveys; every answer with the words that prove it."""
        return respond(
            request, await handlers.conversation(store, principal.tenant_id, storable(conversation_id))
        )

    return routes
