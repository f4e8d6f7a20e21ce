"""Custom categories over HTTP."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Request, Response

from services.metrics.categories.category import CategoryState
from services.metrics.categories.handlers import Categories
from services.metrics.categories.views import (
    CategoryDetail,
    CategoryIn,
    CategoryItem,
    CategoryPatch,
    ReplayIn,
)
from services.metrics.etag import respond
from services.metrics.paging import Cursor, Limit, Page
from services.metrics.path_ids import storable
from services.metrics.responses import CONFLICT, NOT_FOUND, NOT_MODIFIED
from shared.http.auth import KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES

_Viewer = Annotated[Principal, Depends(require(KeyRole.VIEWER))]
_QaLead = Annotated[Principal, Depends(require(KeyRole.QA_LEAD))]
_CategoryId = Annotated[str, Path(description="The category's id.")]
_STILL_TRAINING: Final = "Stored; the training goes on. Look again at `Location`."


def router(categories: Categories) -> APIRouter:
    """Routes that work on `categories`."""
    routes = APIRouter(prefix="/v1/categories", tags=["categories"], responses=PROBLEM_RESPONSES)

    @routes.post(
        "",
        status_code=201,
        response_model=CategoryDetail,
        summary="Make a category from examples",
        responses={202: {"model": CategoryDetail, "description": _STILL_TRAINING}, **CONFLICT},
    )
    async def create(principal: _QaLead, wanted: CategoryIn) -> Response:
        """Needs the role `qa_lead`. Trains a head in seconds and answers with its cross-validated quality.

        201 where it is trained (or cannot be: `failed`), 202 where that takes longer. From then on every
        conversation that is scored is rated by it; past ones by a replay.
        """
        made = await categories.create(principal.tenant_id, wanted, key_id=principal.key_id)
        return _answer(made, trained=201)

    @routes.get(
        "", response_model=Page[CategoryItem], summary="The company's categories", responses=NOT_MODIFIED
    )
    async def list_categories(
        request: Request, principal: _Viewer, limit: Limit = 50, cursor: Cursor = None
    ) -> Response:
        """Newest first, without their examples."""
        return respond(request, await categories.list(principal.tenant_id, cursor=cursor, limit=limit))

    @routes.get(
        "/{category_id}",
        response_model=CategoryDetail,
        summary="Read a category",
        responses={**NOT_FOUND, **NOT_MODIFIED},
    )
    async def read(request: Request, principal: _Viewer, category_id: _CategoryId) -> Response:
        """With its examples, and how far its replays are."""
        return respond(request, await categories.get(principal.tenant_id, storable(category_id)))

    @routes.patch(
        "/{category_id}",
        response_model=CategoryDetail,
        summary="Change a category",
        responses={202: {"model": CategoryDetail, "description": _STILL_TRAINING}, **NOT_FOUND},
    )
    async def change(principal: _QaLead, category_id: _CategoryId, patch: CategoryPatch) -> Response:
        """Needs the role `qa_lead`. New examples make a new version, trained as a new category is."""
        changed = await categories.change(
            principal.tenant_id, storable(category_id), patch, key_id=principal.key_id
        )
        return _answer(changed, trained=200) if patch.examples else _json(changed, status=200)

    @routes.delete("/{category_id}", status_code=204, summary="Delete a category", responses=NOT_FOUND)
    async def delete(principal: _QaLead, category_id: _CategoryId) -> None:
        """Needs the role `qa_lead`. Its examples and its head go; ratings that were given stay."""
        await categories.delete(principal.tenant_id, storable(category_id))

    @routes.post(
        "/{category_id}/replay",
        status_code=202,
        response_model=CategoryDetail,
        summary="Rate past conversations",
        responses={**NOT_FOUND, **CONFLICT},
    )
    async def replay(principal: _QaLead, category_id: _CategoryId, wanted: ReplayIn) -> Response:
        """Needs the role `qa_lead`. In the background; the category's `replays` tell how far it is."""
        detail = await categories.replay(
            principal.tenant_id, storable(category_id), wanted, key_id=principal.key_id
        )
        return _json(detail, status=202)

    return routes


def _answer(category: CategoryDetail, *, trained: int) -> Response:
    return _json(category, status=202 if category.state is CategoryState.TRAINING else trained)


def _json(category: CategoryDetail, *, status: int) -> Response:
    return Response(
        category.model_dump_json(),
        status_code=status,
        media_type="application/json",
        headers={"Location": f"/v1/categories/{category.id}"},
    )
