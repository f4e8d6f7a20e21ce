"""Server-sent events over HTTP."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.metrics.stream.hub import Hub, Subscription
from shared.errors import Transient, Unauthenticated
from shared.http.auth import Authenticator, KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES

_Viewer = Annotated[Principal, Depends(require(KeyRole.VIEWER))]
_SEND_SECONDS: Final = 10
"""A client that takes nothing for so long is disconnected."""
RECHECK_SECONDS: Final = 15.0
"""A revoked key keeps its stream no longer than this beside the memory of the authenticator."""
_EXAMPLE: Final = (
    'event: flag.raised\ndata: {"id":"0f0e7c9a","conversation_id":"5f0c1e2d","kind":"churn",'
    '"severity":"high","confidence":0.93,"state":"open"}\n\n'
    'event: review.scored\ndata: {"id":"7b6a1f0e","conversation_id":"5f0c1e2d","version":4,'
    '"state":"final","score":87.5}\n\n'
)


def router(hub: Hub, *, heartbeat_seconds: int, recheck_seconds: float = RECHECK_SECONDS) -> APIRouter:
    """Routes that listen to `hub`; a stream's key is looked up again every `recheck_seconds`."""
    routes = APIRouter(prefix="/v1/stream", tags=["stream"], responses=PROBLEM_RESPONSES)

    @routes.get(
        "",
        summary="New flags and reviews as they happen",
        response_class=EventSourceResponse,
        responses={
            200: {
                "description": "Events `flag.raised` and `review.scored`; `data` is a JSON object without"
                " text. Comments keep a quiet stream open. Nothing is repeated after a disconnection: read"
                " `GET /v1/flags?since=` then.",
                "content": {"text/event-stream": {"example": _EXAMPLE}},
            }
        },
    )
    async def stream(request: Request, principal: _Viewer) -> EventSourceResponse:
        """Only the tenant's own; a client that is too slow, or whose key was revoked, is disconnected."""
        hub.require_room()
        return EventSourceResponse(
            _events(hub, principal.tenant_id, _Watch(request, recheck_seconds)),
            ping=heartbeat_seconds,
            send_timeout=_SEND_SECONDS,
        )

    return routes


class _Watch:
    """Asks again and again whether the key of a long request still holds."""

    def __init__(self, request: Request, recheck_seconds: float) -> None:
        self._recheck_seconds = recheck_seconds
        self._authenticator: Authenticator = request.app.state.authenticator
        self._token = request.headers.get("authorization", "").partition(" ")[2].strip()

    async def until_revoked(self, subscription: Subscription) -> None:
        """End the subscription when the key is no longer known; a database that is away proves nothing."""
        while True:
            await asyncio.sleep(self._recheck_seconds)
            try:
                await self._authenticator.principal(self._token)
            except Unauthenticated:
                subscription.end()
                return
            except Transient:
                continue


async def _events(hub: Hub, tenant_id: str, watch: _Watch) -> AsyncIterator[ServerSentEvent]:
    # Subscribed here and not before: a client that left before the first byte must leave nothing behind.
    with hub.subscribe(tenant_id) as subscription:
        watching = asyncio.create_task(watch.until_revoked(subscription), name="stream key")
        try:
            yield ServerSentEvent(comment="listening")
            async for event in subscription:
                yield ServerSentEvent(event=event.event, data=event.model_dump_json(exclude={"event"}))
        finally:
            watching.cancel()
