"""Errors as problem+json (RFC 9457); nothing of the request is echoed."""

import http
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from shared.errors import (
    Conflict,
    Forbidden,
    NotFound,
    PruefsteinError,
    Rejected,
    TooLarge,
    Transient,
    Unauthenticated,
)
from shared.telemetry.logging import get_logger

log = get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 2

_STATUS: tuple[tuple[type[PruefsteinError], int], ...] = (
    (Unauthenticated, 401),
    (Forbidden, 403),
    (TooLarge, 413),
    (Rejected, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Transient, 503),
)


class Problem(BaseModel):
    """What went wrong, for machines (`type`, `status`) and people (`title`, `detail`)."""

    type: str = Field(description="Identifies the kind of problem.", examples=["urn:pruefstein:not_found"])
    title: str = Field(description="The status in words.", examples=["Not Found"])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(description="What was wrong with this request.", examples=["no such conversation"])


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": Problem, "description": description, "content": {MEDIA_TYPE: {}}}
    for status, description in (
        (401, "The API key is missing or unknown."),
        (403, "The key's role does not allow this."),
        (422, "The request is not understood."),
        (503, "Broker or database do not answer; try again after `Retry-After` seconds."),
    )
}
"""For `responses=` of a router."""


def problem(status: int, reason: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """A problem+json response."""
    body = Problem(
        type=f"urn:pruefstein:{reason}", title=http.HTTPStatus(status).phrase, status=status, detail=detail
    )
    return JSONResponse(body.model_dump(), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Map every error that may leave an endpoint."""

    @app.exception_handler(PruefsteinError)
    async def _ours(_: Request, error: PruefsteinError) -> JSONResponse:
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        headers = None
        if status == 503:
            headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        elif status == 401:
            headers = {"WWW-Authenticate": "Bearer"}
        return problem(status, error.reason, error.detail, headers)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        where = "; ".join(
            f"{'.'.join(str(part) for part in item['loc'])}: {item['msg']}" for item in error.errors()[:5]
        )
        return problem(422, "invalid", where)

    @app.exception_handler(HTTPException)
    async def _http(_: Request, error: HTTPException) -> JSONResponse:
        reason = http.HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
        return problem(error.status_code, reason, str(error.detail), dict(error.headers or {}) or None)

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        route = getattr(request.scope.get("route"), "path", "unmatched")
        log.error("http.unexpected", route=route, exc_info=error)
        return problem(500, "unexpected", "something went wrong on our side")
