"""The frame of every service's HTTP side: errors, health, metrics, request counts."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, nullcontext

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import PruefsteinError
from shared.http import problems
from shared.telemetry import metrics

Check = Callable[[], Awaitable[None]]
"""Raises a `PruefsteinError` while the thing it looks at is not usable."""


def create_app(
    *,
    service: str,
    title: str,
    description: str,
    lifespan: Callable[[FastAPI], AbstractAsyncContextManager[None]],
    checks: Mapping[str, Check],
) -> FastAPI:
    """An app with /healthz (alive), /readyz (`checks` pass) and /metrics; the caller adds its routers."""
    app = FastAPI(
        title=title, description=description, version="1", lifespan=lifespan, openapi_url="/openapi.json"
    )
    problems.install(app)
    app.add_middleware(_CountRequests, service=service)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        names = list(checks)
        results = await asyncio.gather(*(checks[name]() for name in names), return_exceptions=True)
        answers: dict[str, str] = {}
        for name, result in zip(names, results, strict=True):
            if result is None:
                answers[name] = "ready"
            elif isinstance(result, PruefsteinError):
                answers[name] = result.detail
            else:
                answers[name] = type(result).__name__
        is_ready = all(answer == "ready" for answer in answers.values())
        return JSONResponse(answers, status_code=200 if is_ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def prometheus() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return app


def server(app: FastAPI, *, host: str, port: int) -> uvicorn.Server:
    """A uvicorn server that stops within 5 s of a signal; quiet, since requests are counted, not logged."""
    return _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            loop="uvloop",
            http="httptools",
            log_level="warning",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=5,
            server_header=False,
        )
    )


class _Server(uvicorn.Server):
    """Leaves signals to the process, which stops all its parts together (`shared.process`)."""

    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]  # theirs is a generator
        return nullcontext()


class _CountRequests:
    """Counts by route template, never by path: paths carry ids."""

    def __init__(self, app: ASGIApp, *, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500
        started = time.perf_counter()

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            route = getattr(scope.get("route"), "path", "unmatched")
            metrics.HTTP_REQUESTS.labels(self._service, scope["method"], route, str(status)).inc()
            metrics.HTTP_SECONDS.labels(self._service, route).observe(time.perf_counter() - started)
