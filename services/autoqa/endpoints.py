"""`POST /v1/score`: rate a conversation that is sent, without storing it."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from services.autoqa.custom.catalogue import Catalogue
from services.autoqa.inference import Inference
from services.autoqa.rate import CustomWork, Rater
from services.autoqa.schemas import ConversationIn, ScoreOut
from services.autoqa.scoring import LanguageOf, Sent, answer, sent_conversation
from shared.clock import Clock
from shared.contracts.plain_json import decode_json
from shared.errors import TooLarge, Transient
from shared.http.auth import KeyRole, Principal, require
from shared.http.problems import PROBLEM_RESPONSES

__all__ = ["Desk", "router"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the endpoint needs, put into `app.state.desk`."""

    rater: Rater
    catalogue: Catalogue
    inference: Inference
    language_of: LanguageOf
    clock: Clock
    max_body_bytes: int


router = APIRouter(prefix="/v1", tags=["score"], responses=PROBLEM_RESPONSES)


@router.post(
    "/score",
    summary="Rate a conversation",
    response_model=ScoreOut,
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": ConversationIn.model_json_schema()}},
        }
    },
)
async def score(
    request: Request, principal: Annotated[Principal, Depends(require(KeyRole.VIEWER))]
) -> Response:
    """Rates the conversation in the body and stores nothing.

    The company's own categories are rated too. Bounds: 500 messages, 4 MiB.
    Equal conversations get equal answers from one model revision.
    """
    desk: Desk = request.app.state.desk
    if desk.inference.is_busy:
        raise Transient("too many messages wait for the model", reason="busy")
    body = await _body(request, desk.max_body_bytes)
    sent = await asyncio.to_thread(_read, body, desk)
    (rated,) = await desk.rater.rate(
        [sent.conversation],
        known={},
        now=desk.clock.now(),
        untimed=frozenset() if sent.is_timed else frozenset({sent.conversation.id}),
        work=CustomWork(custom=await desk.catalogue.of(principal.tenant_id)),
    )
    return Response(orjson.dumps(answer(sent, rated)), media_type="application/json")


def _read(body: bytes, desk: Desk) -> Sent:
    return sent_conversation(decode_json(body), place=0, language_of=desk.language_of, now=desk.clock.now())


async def _body(request: Request, limit: int) -> bytes:
    """Raises `TooLarge` before more than `limit` bytes are held."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(f"the body is over {limit} bytes")
        parts.append(part)
    return b"".join(parts)
