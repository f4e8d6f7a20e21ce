"""The doors: webhooks of helpdesks, and canonical events of other systems."""

import asyncio
from collections.abc import Mapping
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Request
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.requests import ClientDisconnect
from starlette.routing import Route

from services.ingest.directory import SourceDirectory
from services.ingest.handlers import THREAD_FROM_BYTES, on_events, on_webhook
from services.ingest.settings import IngestSettings
from services.ingest.sources import Disposition
from services.ingest.traffic import Traffic
from shared.broker.kafka import Producer
from shared.clock import Clock
from shared.contracts.envelope import from_http
from shared.errors import PruefsteinError, Rejected, TooLarge
from shared.http.auth import KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES
from shared.telemetry import metrics

WEBHOOK_PATH: Final = "/v1/webhooks/{source_id}"

_ANSWERS: Final = {
    Disposition.EVENT: (202, b'{"status":"accepted"}', "accepted"),
    Disposition.IGNORED: (202, b'{"status":"ignored"}', "ignored"),
    Disposition.PING: (200, b'{"status":"ok"}', "ping"),
}


class Doors:
    """What the endpoints work with; `bootstrap` puts it into `app.state.doors`."""

    def __init__(
        self,
        *,
        settings: IngestSettings,
        directory: SourceDirectory,
        producer: Producer,
        traffic: Traffic,
        clock: Clock,
    ) -> None:
        """Everything is opened and closed elsewhere."""
        self.max_body_bytes = settings.max_body_bytes
        self.max_batch_bytes = settings.max_batch_bytes
        self.directory = directory
        self.producer = producer
        self.traffic = traffic
        self.clock = clock


async def webhook(request: Request) -> Response:
    """Answers 202 once the broker has acknowledged the delivery, 503 when it does not."""
    request.scope["route"] = WEBHOOK_ROUTE  # for the count of requests: only FastAPI's own routes tell it
    doors: Doors = request.app.state.doors
    vendor = "unknown"
    try:
        source = await doors.directory.source(request.path_params["source_id"])
        vendor = source.vendor
        if request.method == "HEAD":
            return Response()
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in request.scope["headers"]
        }
        body = await _body(request, headers, doors.max_body_bytes)
        with doors.traffic:
            disposition = await on_webhook(source, body, headers, producer=doors.producer, clock=doors.clock)
    except PruefsteinError as error:
        metrics.EVENTS_REFUSED.labels(vendor, error.reason).inc()
        raise
    status, answer, outcome = _ANSWERS[disposition]
    metrics.EVENTS_IN.labels(vendor, outcome).inc()
    return Response(answer, status, media_type="application/json")


WEBHOOK_ROUTE: Final = Route(WEBHOOK_PATH, webhook, methods=["POST", "HEAD"])
"""A plain route: FastAPI's own reads models and dependencies out of a request that has none of them."""

_WEBHOOK_DOC: Final[dict[str, Any]] = {
    "post": {
        "tags": ["webhooks"],
        "summary": "Webhook",
        "operationId": "webhook",
        "description": "A helpdesk's delivery, signed as the helpdesk signs. Answered once the broker has "
        "acknowledged it; what nobody needs is accepted and left.",
        "parameters": [
            {
                "name": "source_id",
                "in": "path",
                "required": True,
                "description": "The id that `python -m services.ingest sources add` has printed.",
                "schema": {"type": "string"},
                "example": "src_Zk3vY0aWq1mE5rT8uB2xNw",
            }
        ],
        "requestBody": {
            "required": True,
            "description": "The helpdesk's own JSON.",
            "content": {"application/json": {"schema": {"type": "object"}}},
        },
        "responses": {
            "200": {"description": "A ping of the helpdesk's set-up."},
            "202": {
                "description": "Taken in.",
                "content": {
                    "application/json": {
                        "schema": {"type": "object", "properties": {"status": {"type": "string"}}},
                        "example": {"status": "accepted"},
                    }
                },
            },
            "401": {"description": "The signature is missing, wrong or too old."},
            "404": {"description": "There is no such source."},
            "413": {"description": "The body is over the size limit."},
            "422": {"description": "The body is not the helpdesk's; sending it again is of no use."},
            "503": {"description": "The broker does not answer; send it again after `Retry-After` seconds."},
        },
    }
}


def document_webhook(app: FastAPI) -> None:
    """Put the plain route into the app's OpenAPI."""
    generated = app.openapi

    def openapi() -> dict[str, Any]:
        schema = generated()
        schema["paths"][WEBHOOK_PATH] = _WEBHOOK_DOC
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # the way that FastAPI offers


async def _body(request: Request, headers: Mapping[str, str], limit: int) -> bytes:
    """The raw bytes. Raises `TooLarge` before more than `limit` were read."""
    declared = headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"the body is over {limit} bytes")
    chunks: list[bytes] = []
    size = 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLarge(f"the body is over {limit} bytes")
            chunks.append(chunk)
    except ClientDisconnect:
        raise Rejected("the sender hung up", reason="disconnected") from None
    return b"".join(chunks)


class Accepted(BaseModel):
    """What was taken in."""

    accepted: int = Field(description="How many events the broker has acknowledged.", examples=[50])


_EVENT: Final = {
    "event": "message.added",
    "source": "shop",
    "delivery_id": "d-1001",
    "occurred_at": "2026-03-02T08:47:30Z",
    "conversation": {"id": "5158", "channel": "email", "status": "open"},
    "messages": [
        {
            "id": "m1",
            "role": "customer",
            "at": "2026-03-02T08:47:30Z",
            "text": "Meine Bestellung ist noch nicht da.",
        }
    ],
}
_CLOUD_EVENT: Final = {
    "specversion": "1.0",
    "id": "d-1001",
    "source": "/shop",
    "type": "com.pruefstein.ticket.event.v1",
    "data": _EVENT,
}
_EVENT_BODIES: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "description": "CloudEvents 1.0, structured, batch or binary (`ce-` headers), whose data is a "
        "canonical ticket event; or such an event alone.",
        "content": {
            "application/cloudevents+json": {"schema": {"type": "object"}, "example": _CLOUD_EVENT},
            "application/cloudevents-batch+json": {
                "schema": {"type": "array", "items": {"type": "object"}, "maxItems": 1000},
                "example": [_CLOUD_EVENT],
            },
            "application/json": {"schema": {"type": "object"}, "example": _EVENT},
        },
    }
}

router = APIRouter(prefix="/v1", tags=["events"], responses=PROBLEM_RESPONSES)


@router.post("/events", status_code=202, openapi_extra=_EVENT_BODIES)
async def events(
    request: Request, principal: Annotated[Principal, Depends(require(KeyRole.INGEST))]
) -> Accepted:
    """Take in ticket events of the key's tenant: all of the request, or none where one is wrong."""
    doors: Doors = request.app.state.doors
    try:
        body = await _body(request, request.headers, doors.max_batch_bytes)
        if len(body) < THREAD_FROM_BYTES:
            envelopes = from_http(request.headers, body)
        else:
            envelopes = await asyncio.to_thread(from_http, request.headers, body)
        with doors.traffic:
            accepted = await on_events(
                envelopes,
                tenant_id=principal.tenant_id,
                max_bytes=doors.max_body_bytes,
                producer=doors.producer,
            )
    except PruefsteinError as error:
        metrics.EVENTS_REFUSED.labels("api", error.reason).inc()
        raise
    metrics.EVENTS_IN.labels("api", "accepted").inc(accepted)
    return Accepted(accepted=accepted)
