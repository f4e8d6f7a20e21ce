"""Puts conversations together for people to read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

from services.metrics.filters import Filters
from services.metrics.flags.rows import spans
from services.metrics.paging import Page, decode_cursor, encode_cursor
from services.metrics.quotes import quoted
from services.metrics.scores.store import ConversationParts, ScoreStore
from services.metrics.scores.views import (
    ConversationDetail,
    ConversationFlag,
    ConversationItem,
    Rating,
    ResolvedGuess,
    ScorecardName,
    SentimentPath,
    Survey,
    TranscriptMessage,
)
from shared.domain.evidence import EvidenceSpan
from shared.errors import NotFound

_ANSWERS: Final = ("sentiment", "flags", "signals", "tone", "abuse")


async def list_conversations(
    store: ScoreStore, tenant_id: str, filters: Filters, *, cursor: str | None, limit: int
) -> Page[ConversationItem]:
    """A page, newest first. Raises `Rejected` for a foreign cursor."""
    after = None
    if cursor is not None:
        after = cast(tuple[datetime, str], decode_cursor(cursor, (datetime, str)))
    rows = await store.page(tenant_id, filters, after=after, limit=limit + 1)
    page = rows[:limit]
    more = len(rows) > limit
    return Page(
        items=[ConversationItem(**_item(row)) for row in page],
        next_cursor=encode_cursor((page[-1]["opened_at"], page[-1]["conversation_id"])) if more else None,
    )


async def conversation(store: ScoreStore, tenant_id: str, conversation_id: str) -> ConversationDetail:
    """Everything of one conversation. Raises `NotFound`."""
    parts = await store.conversation(tenant_id, conversation_id)
    if parts is None:
        raise NotFound("no such conversation")
    texts = {row["id"]: row["text"] for row in parts.messages if not row["deleted"]}
    fact, review = parts.fact, parts.review
    return ConversationDetail(
        **{
            **_item(fact),
            "flags": [
                ConversationFlag(
                    id=flag.id,
                    kind=flag.kind,
                    severity=flag.severity,
                    confidence=flag.confidence,
                    state=flag.state,
                    raised_at=flag.raised_at,
                    evidence=quoted(flag.evidence, texts),
                )
                for flag in parts.flags
            ],
        },
        messages=_transcript(parts, texts),
        ratings=[_rating(rating, texts) for rating in review["ratings"]] if review else [],
        sentiment=SentimentPath(**review["sentiment"]) if review and review["sentiment"] else None,
        predicted_csat=review["predicted_csat"] if review else None,
        resolved=ResolvedGuess(label=review["resolved_label"], probability=review["resolved_probability"])
        if review and review["resolved_label"]
        else None,
        surveys=[Survey(**row) for row in parts.surveys],
        model_revision=fact["model_revision"],
        scorecard=ScorecardName(id=fact["scorecard_id"], version=fact["scorecard_version"])
        if fact["scorecard_id"]
        else None,
    )


def _item(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {
        "id": row["conversation_id"],
        "source": row["source"],
        "external_id": row["external_id"],
        "channel": row["channel"] or None,
        "language": row["language"] or None,
        "status": row["status"],
        "agent": row["agent"] or None,
        "team": row["team"] or None,
        "tags": row["tags"],
        "opened_at": row["opened_at"],
        "solved_at": row["solved_at"],
        "message_count": row["message_count"],
        "score": row["score"],
        "review": row["review_state"],
        "flags": row["flags"],
    }


def _transcript(parts: ConversationParts, texts: Mapping[str, str]) -> list[TranscriptMessage]:
    return [
        TranscriptMessage(
            **{
                **row,
                "text": texts.get(row["id"], ""),
                **_said(parts.predictions.get(row["id"]), row["id"], texts),
            }
        )
        for row in parts.messages
    ]


def _said(prediction: Mapping[str, Any] | None, message_id: str, texts: Mapping[str, str]) -> dict[str, Any]:
    """What the model said of a message, with the words that weighed most."""
    if prediction is None:
        return {}
    said = {name: prediction[name] for name in _ANSWERS if name in prediction}
    places = {
        name: EvidenceSpan(message_id=message_id, start=start, end=end)
        for name, (start, end) in prediction.get("evidence", {}).items()
    }
    return {**said, "evidence": dict(zip(places, quoted(places.values(), texts), strict=True))}


def _rating(rating: dict[str, Any], texts: Mapping[str, str]) -> Rating:
    return Rating(**{**rating, "evidence": quoted(spans(rating["evidence"]), texts)})
