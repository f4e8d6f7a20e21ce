"""The frame of every service's HTTP side: errors, health, metrics, request counts."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import uvicorn
from fastapi import FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import PruefsteinError
from shared.http import problems
from shared.telemetry import metrics

_CHECK_SECONDS: Final = 4.0
"""Well under the ten seconds that Prometheus waits."""

Check = Callable[[], Awaitable[None]]
"""Raises a `PruefsteinError` while the thing it looks at is not usable."""


def create_app(
    *,
    service: str,
    title: str,
    description: str,
    checks: Mapping[str, Check],
) -> FastAPI:
    """An app with /healthz (alive), /readyz (`checks` pass) and /metrics; the caller adds its routers."""
    # What the app uses lives and ends with the process, not with the HTTP server: no lifespan.
    app = FastAPI(title=title, description=description, version="1", openapi_url="/openapi.json")
    problems.install(app)
    app.add_middleware(_CountRequests, service=service)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> dict[str, str]:
        return {"status": "alive"}

    @app.get("/readyz", include_in_schema=False)
    async def readyz() -> Response:
        answers = await _ask(checks)
        is_ready = all(answer == "ready" for answer in answers.values())
        return JSONResponse(answers, status_code=200 if is_ready else 503)

    @app.get("/metrics", include_in_schema=False)
    async def prometheus() -> Response:
        await _ask(checks)
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
            proxy_headers=False,
        )
    )


async def _ask(checks: Mapping[str, Check]) -> dict[str, str]:
    """What each check answers within `_CHECK_SECONDS`, "ready" when all is well; noted in the metrics."""

    async def answer(check: Check) -> str:
        try:
            async with asyncio.timeout(_CHECK_SECONDS):
                await check()
        except TimeoutError:
            return "does not answer"
        except PruefsteinError as error:
            return error.detail
        except Exception as error:
            return type(error).__name__
        return "ready"

    answers = dict(zip(checks, await asyncio.gather(*map(answer, checks.values())), strict=True))
    for name, said in answers.items():
        metrics.READY.labels(name).set(said == "ready")
    return answers


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
