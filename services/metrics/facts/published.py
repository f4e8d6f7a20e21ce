"""Reads the views of ingest and autoqa for a batch of conversations: one query a view."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncConnection

from services.metrics.facts.sources import ConversationRow, MessageTimes, ReviewRow, Sources
from services.metrics.flags.rows import spans
from shared.domain.conversation import Status, SurveyKind
from shared.domain.flag import Flag, FlagKind, Severity
from shared.domain.review import Outcome

_CONVERSATIONS = text("""
    select id, source, external_id, coalesce(channel, '') as channel, coalesce(language, '') as language,
           status, coalesce(agent, '') as agent, coalesce(team, '') as team, tags, opened_at, solved_at,
           reopen_count, message_count, version
    from ingest.conversation_v1
    where tenant_id = :tenant_id and id = any(cast(:ids as text[]))
""")

_TIMES = text("""
    select conversation_id, asked_at,
           min(at) filter (where role = 'agent' and at >= asked_at) as answered_at,
           count(*) filter (where role = 'agent') as agent_messages
    from (
        select conversation_id, role, at,
               min(at) filter (where role = 'customer') over (partition by conversation_id) as asked_at
        from ingest.message_v1
        where tenant_id = :tenant_id and conversation_id = any(cast(:ids as text[]))
    ) message
    group by conversation_id, asked_at
""")

_SURVEYS = text("""
    select conversation_id, kind, score from ingest.survey_v1
    where tenant_id = :tenant_id and conversation_id = any(cast(:ids as text[]))
""")

_REVIEWS = text("""
    select id, conversation_id, conversation_version, state, scorecard_id, scorecard_version, model_revision,
           score, ratings, flags, sentiment, predicted_csat, scored_at
    from autoqa.review_v1
    where tenant_id = :tenant_id and conversation_id = any(cast(:ids as text[])) and is_current
""").columns(ratings=JSONB, flags=JSONB, sentiment=JSONB)


async def read_sources(
    connection: AsyncConnection, tenant_id: str, conversation_ids: Sequence[str]
) -> dict[str, Sources]:
    """All that is published of these conversations; what ingest does not know is left out."""
    named = {"tenant_id": tenant_id, "ids": list(conversation_ids)}
    conversations = (await connection.execute(_CONVERSATIONS, named)).mappings().all()
    times = {row["conversation_id"]: row for row in (await connection.execute(_TIMES, named)).mappings()}
    surveys: dict[str, dict[SurveyKind, float]] = {}
    for row in (await connection.execute(_SURVEYS, named)).mappings():
        surveys.setdefault(row["conversation_id"], {})[SurveyKind(row["kind"])] = row["score"]
    reviews = {row["conversation_id"]: row for row in (await connection.execute(_REVIEWS, named)).mappings()}
    return {
        row["id"]: Sources(
            conversation=_conversation(row),
            times=_times(times[row["id"]]) if row["id"] in times else MessageTimes(),
            surveys=surveys.get(row["id"], {}),
            review=_review(reviews[row["id"]]) if row["id"] in reviews else None,
        )
        for row in conversations
    }


def _conversation(row: Mapping[Any, Any]) -> ConversationRow:
    return ConversationRow(**{**row, "status": Status(row["status"]), "tags": tuple(row["tags"])})


def _times(row: Mapping[Any, Any]) -> MessageTimes:
    return MessageTimes(
        asked_at=row["asked_at"], answered_at=row["answered_at"], agent_messages=row["agent_messages"]
    )


def _review(row: Mapping[Any, Any]) -> ReviewRow:
    sentiment = row["sentiment"] or {}
    return ReviewRow(
        id=row["id"],
        version=row["conversation_version"],
        state=row["state"],
        scorecard_id=row["scorecard_id"],
        scorecard_version=row["scorecard_version"],
        model_revision=row["model_revision"],
        score=row["score"],
        outcomes={rating["category"]: Outcome(rating["outcome"]) for rating in row["ratings"]},
        flags=tuple(
            Flag(
                kind=FlagKind(flag["kind"]),
                severity=Severity(flag["severity"]),
                confidence=flag["confidence"],
                evidence=spans(flag["evidence"]),
            )
            for flag in row["flags"]
        ),
        sentiment_start=sentiment.get("start"),
        sentiment_end=sentiment.get("end"),
        predicted_csat=row["predicted_csat"],
        scored_at=row["scored_at"],
    )
