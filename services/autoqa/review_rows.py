"""Between a review and the columns of its table; pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from services.autoqa.rate import Rated
from services.autoqa.readings import Reading, reading_to_json
from services.autoqa.rounds import LatestReview, round_of
from services.autoqa.scored_record import Publishable, scored_payload
from services.autoqa.stored import Judged, Loaded, Withdrawn
from shared.domain.review import Review, ReviewState
from shared.ids import review_id

__all__ = ["ReviewWrite", "nothing_found", "prediction_row", "review_write"]

_FINDINGS: Final = (
    *("scorecard_id", "scorecard_version", "model_revision", "score", "ratings", "flags", "sentiment"),
    *("predicted_csat", "resolved_label", "resolved_probability"),
)
"""Columns of a review that tell what was found, not when or in which version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewWrite:
    """A review as it is to be stored and told; `changes` where the stored one is another."""

    row: Mapping[str, Any]
    publishable: Publishable
    changes: bool
    new_flags: tuple[str, ...]


def review_write(
    tenant_id: str,
    pair: tuple[Loaded, Rated],
    latest: Mapping[str, Mapping[str, Any]],
    now: datetime,
    *,
    is_replay: bool,
) -> ReviewWrite:
    """What is to be written of a rated conversation, beside the `latest` review of each."""
    loaded, rated = pair
    review, conversation = rated.decided.review, loaded.conversation
    before = latest.get(conversation.id)
    review_round = round_of(_latest_review(before), state=review.state, reopen_count=loaded.reopen_count)
    publishable = Publishable(
        key=loaded.key,
        tenant_id=tenant_id,
        conversation_id=conversation.id,
        version=conversation.version,
        round=review_round,
        review=review,
        scored_at=now,
    )
    row = _row(publishable, reopen_count=loaded.reopen_count, due_at=rated.decided.due_at)
    if is_replay and before is not None and _adds_to(before, row):
        publishable = replace(publishable, round=review_round + 1)
        row = _row(publishable, reopen_count=loaded.reopen_count, due_at=rated.decided.due_at)
    changes = before is None or any(before[name] != row[name] for name in row if name != "scored_at")
    known = (
        {flag["kind"] for flag in before["flags"]} if before is not None and before["is_current"] else set()
    )
    if before is not None and not changes:
        # Found before and not a word different: it keeps the moment at which it was found.
        publishable = replace(publishable, scored_at=before["scored_at"])
    return ReviewWrite(
        row=row,
        publishable=publishable,
        changes=changes,
        new_flags=tuple(str(flag.kind) for flag in review.flags if flag.kind not in known),
    )


def _adds_to(before: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    return before["round"] == row["round"] and any(before[name] != row[name] for name in _FINDINGS)


def _latest_review(row: Mapping[str, Any] | None) -> LatestReview | None:
    if row is None:
        return None
    return LatestReview(
        round=row["round"],
        state=ReviewState(row["state"]),
        reopen_count=row["reopen_count"],
    )


def _row(found: Publishable, *, reopen_count: int, due_at: datetime | None) -> dict[str, Any]:
    shown = scored_payload(found).model_dump(mode="json")
    resolved = shown["resolved"] or {}
    return {
        "tenant_id": found.tenant_id,
        "id": review_id(found.conversation_id, found.round),
        "conversation_id": found.conversation_id,
        "round": found.round,
        "is_current": True,
        "conversation_version": found.version,
        "reopen_count": reopen_count,
        "scorecard_id": found.review.scorecard_id,
        "scorecard_version": found.review.scorecard_version,
        "model_revision": found.review.model_revision,
        "state": shown["state"],
        "score": shown["score"],
        "ratings": shown["ratings"],
        "flags": shown["flags"],
        "sentiment": shown["sentiment"],
        "predicted_csat": shown["predicted_csat"],
        "resolved_label": resolved.get("label"),
        "resolved_probability": resolved.get("probability"),
        "scored_at": found.scored_at,
        "due_at": due_at,
    }


def prediction_row(
    tenant_id: str, conversation_id: str, message_id: str, reading: Reading, judged: Judged
) -> dict[str, Any]:
    """The columns of what the model said of a message."""
    return {
        "tenant_id": tenant_id,
        "conversation_id": conversation_id,
        "message_id": message_id,
        "model_revision": judged.model_revision,
        "input_hash": reading.input_hash,
        "output": reading_to_json(reading),
    }


def nothing_found(
    tenant_id: str,
    gone: Withdrawn,
    latest: Mapping[str, Mapping[str, Any]],
    judged: Judged,
    now: datetime,
) -> Publishable:
    """No ratings, no flags, no score: whoever kept any of this conversation drops it."""
    row = latest.get(gone.conversation_id)
    return Publishable(
        key=gone.key,
        tenant_id=tenant_id,
        conversation_id=gone.conversation_id,
        version=gone.version,
        round=0 if row is None else row["round"],
        review=Review(
            scorecard_id=judged.scorecard.id,
            scorecard_version=judged.scorecard.version,
            model_revision=judged.model_revision,
            state=ReviewState.FINAL,
            ratings=(),
            flags=(),
            sentiment=None,
            predicted_csat=None,
            resolved=None,
            score=None,
        ),
        scored_at=now,
    )
