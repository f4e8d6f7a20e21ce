"""What ingest and autoqa have stored, put there for metrics to read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import orjson

OPENED = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def a_rating(category: str, outcome: str = "passed", **other: Any) -> dict[str, Any]:
    """One rating as it is published."""
    score = {"passed": 1.0, "failed": 0.0}.get(outcome)
    return {
        "category": category,
        "outcome": outcome,
        "score": score,
        "confidence": 0.9,
        "evidence": [],
        "reason": None,
        **other,
    }


def a_flag(kind: str, *, message_id: str = "m1", severity: str = "high", **other: Any) -> dict[str, Any]:
    """One flag as it is published."""
    return {
        "kind": kind,
        "severity": severity,
        "confidence": 0.9,
        "evidence": [{"message_id": message_id, "start": 0, "end": 6}],
        **other,
    }


@dataclass(frozen=True, slots=True)
class World:
    """Writes as the superuser, so for any tenant."""

    connection: asyncpg.Connection

    async def conversation(self, conversation_id: str, *, tenant_id: str = "a", **other: Any) -> None:
        """A solved e-mail conversation of Billing, unless told otherwise; replaces one with that id."""
        row = {
            "source": "zendesk",
            "external_id": f"x-{conversation_id}",
            "channel": "email",
            "language": "de",
            "status": "solved",
            "agent": "Ines Roth",
            "team": "Billing",
            "tags": ["refund"],
            "opened_at": OPENED,
            "solved_at": OPENED + timedelta(hours=2),
            "reopen_count": 0,
            "message_count": 2,
            "version": 1,
            "received_at": OPENED,
            **other,
        }
        await self._upsert(
            "ingest.conversation",
            {"tenant_id": tenant_id, "id": conversation_id},
            {**row, "state": "{}"},
        )

    async def message(
        self,
        conversation_id: str,
        message_id: str,
        *,
        role: str,
        after: timedelta,
        text: str,
        tenant_id: str = "a",
        deleted: bool = False,
    ) -> None:
        """A message `after` the opening."""
        await self._upsert(
            "ingest.message",
            {"tenant_id": tenant_id, "conversation_id": conversation_id, "id": message_id},
            {
                "role": role,
                "at": OPENED + after,
                "text": text,
                "deleted": deleted,
                "shown": True,
                "registers": "{}",
            },
        )

    async def survey(
        self,
        conversation_id: str,
        kind: str,
        score: float,
        *,
        tenant_id: str = "a",
        comment: str | None = None,
    ) -> None:
        """A customer's answer."""
        await self._upsert(
            "ingest.survey",
            {"tenant_id": tenant_id, "conversation_id": conversation_id, "kind": kind},
            {"score": score, "comment": comment},
        )

    async def review(
        self,
        conversation_id: str,
        *,
        tenant_id: str = "a",
        ratings: Sequence[Mapping[str, Any]] = (),
        flags: Sequence[Mapping[str, Any]] = (),
        **other: Any,
    ) -> None:
        """The current review of a conversation."""
        row = {
            "conversation_id": conversation_id,
            "round": 1,
            "is_current": True,
            "conversation_version": 1,
            "reopen_count": 0,
            "scorecard_id": "default",
            "scorecard_version": 1,
            "model_revision": "rev-1",
            "state": "final",
            "score": 80.0,
            "ratings": orjson.dumps(list(ratings)).decode(),
            "flags": orjson.dumps(list(flags)).decode(),
            "sentiment": orjson.dumps({"start": -0.8, "end": 0.4, "lowest": -0.8, "trend": 1.2}).decode(),
            "predicted_csat": 4.1,
            "resolved_label": "yes",
            "resolved_probability": 0.8,
            "scored_at": OPENED,
            **other,
        }
        await self._upsert("autoqa.review", {"tenant_id": tenant_id, "id": f"r-{conversation_id}"}, row)

    async def prediction(
        self, conversation_id: str, message_id: str, output: Mapping[str, Any], *, tenant_id: str = "a"
    ) -> None:
        """What the model said of a message."""
        await self._upsert(
            "autoqa.prediction",
            {
                "tenant_id": tenant_id,
                "conversation_id": conversation_id,
                "message_id": message_id,
                "model_revision": "rev-1",
            },
            {"input_hash": b"", "output": orjson.dumps(dict(output)).decode()},
        )

    async def forget(self, conversation_id: str, *, tenant_id: str = "a") -> None:
        """Ingest lost the conversation."""
        await self.connection.execute(
            "delete from ingest.conversation where tenant_id = $1 and id = $2", tenant_id, conversation_id
        )

    async def _upsert(self, table: str, key: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        values = {**key, **row}
        columns = ", ".join(values)
        places = ", ".join(f"${place}" for place in range(1, len(values) + 1))
        changes = ", ".join(f"{name} = excluded.{name}" for name in row)
        await self.connection.execute(
            f"insert into {table} ({columns}) values ({places})"
            f" on conflict ({', '.join(key)}) do update set {changes}",
            *values.values(),
        )
