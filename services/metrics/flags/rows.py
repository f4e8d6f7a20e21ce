"""Rows of `metrics.flag` and the values they stand for."""

from collections.abc import Mapping
from typing import Any

from services.metrics.flags.state import FlagState, StoredFlag
from shared.domain.evidence import EvidenceSpan
from shared.domain.flag import FlagKind, Severity


def flag_row(tenant_id: str, flag: StoredFlag) -> dict[str, Any]:
    """What is inserted."""
    return {
        "tenant_id": tenant_id,
        "id": flag.id,
        "conversation_id": flag.conversation_id,
        "kind": flag.kind.value,
        "severity": flag.severity.value,
        "rank": flag.severity.rank,
        "confidence": flag.confidence,
        "evidence": [
            {"message_id": span.message_id, "start": span.start, "end": span.end} for span in flag.evidence
        ],
        "seen_messages": sorted(flag.seen_messages),
        "state": flag.state.value,
        "raised_at": flag.raised_at,
        "withdrawn_at": flag.withdrawn_at,
        "changed_at": flag.changed_at,
        "changed_by": flag.changed_by,
    }


def flag_from_row(row: Mapping[Any, Any]) -> StoredFlag:
    """What was stored."""
    return StoredFlag(
        id=row["id"],
        conversation_id=row["conversation_id"],
        kind=FlagKind(row["kind"]),
        severity=Severity(row["severity"]),
        confidence=row["confidence"],
        evidence=spans(row["evidence"]),
        seen_messages=frozenset(row["seen_messages"]),
        state=FlagState(row["state"]),
        raised_at=row["raised_at"],
        withdrawn_at=row["withdrawn_at"],
        changed_at=row["changed_at"],
        changed_by=row["changed_by"],
    )


def spans(evidence: list[dict[str, Any]]) -> tuple[EvidenceSpan, ...]:
    """Evidence as it stands in jsonb columns."""
    return tuple(
        EvidenceSpan(message_id=span["message_id"], start=span["start"], end=span["end"]) for span in evidence
    )
