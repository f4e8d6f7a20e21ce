"""Server-sent events over HTTP."""

from collections.abc import AsyncIterator
from contextlib import AbstractContextManager
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.metrics.stream.hub import Hub, Subscription
from shared.http.auth import KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES

_Viewer = Annotated[Principal, Depends(require(KeyRole.VIEWER))]
_SEND_SECONDS: Final = 10
"""A client that takes nothing for so long is disconnected."""
_EXAMPLE: Final = (
    'event: flag.raised\ndata: {"id":"0f0e7c9a","conversation_id":"5f0c1e2d","kind":"churn",'
    '"severity":"high","confidence":0.93,"state":"open"}\n\n'
    'event: review.scored\ndata: {"id":"7b6a1f0e","conversation_id":"5f0c1e2d","version":4,'
    '"state":"final","score":87.5}\n\n'
)


def router(hub: Hub, *, heartbeat_seconds: int) -> APIRouter:
    """Routes that listen to `hub`."""
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
    async def stream(principal: _Viewer) -> EventSourceResponse:
        """Only the tenant's own; a client that is too slow is disconnected."""
        listening = hub.subscribe(principal.tenant_id)
        # Entered here, so that a full hub still answers 503; the stream leaves it.
        subscription = listening.__enter__()
        return EventSourceResponse(
            _events(listening, subscription), ping=heartbeat_seconds, send_timeout=_SEND_SECONDS
        )

    return routes


async def _events(
    listening: AbstractContextManager[Subscription], subscription: Subscription
) -> AsyncIterator[ServerSentEvent]:
    try:
        yield ServerSentEvent(comment="listening")
        async for event in subscription:
            yield ServerSentEvent(event=event.event, data=event.model_dump_json(exclude={"event"}))
    finally:
        listening.__exit__(None, None, None)
