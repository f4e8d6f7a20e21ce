"""What stands on the topics of custom categories: read by autoqa, or written by it. Pure."""

from typing import TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from shared.broker.record import Outgoing, Record
from shared.contracts import topics
from shared.contracts.envelope import Envelope, from_kafka
from shared.contracts.v1 import category_changed, category_replay, category_trained
from shared.errors import Rejected

__all__ = ["changed_category", "replay_record", "replay_step", "trained_record"]

_T = TypeVar("_T", bound=BaseModel)


def changed_category(record: Record) -> category_changed.CategoryChanged:
    """Raises `Rejected` for what is no change of a category."""
    return _payload(record, category_changed.TYPE, category_changed.CategoryChanged)


def replay_step(record: Record) -> category_replay.CategoryReplay:
    """Raises `Rejected` for what is no step of a replay."""
    return _payload(record, category_replay.TYPE, category_replay.CategoryReplay)


def trained_record(told: category_trained.CategoryTrained) -> Outgoing:
    """How good a head is. The id stays the same for one training."""
    return _record(
        topics.CATEGORIES_TRAINED,
        category_trained.TYPE,
        told,
        tenant_id=told.tenant_id,
        event_id=f"{told.category_id}:{told.version}:{told.model_revision}:{told.state}",
    )


def replay_record(step: category_replay.CategoryReplay) -> Outgoing:
    """The next step."""
    after = "" if step.after is None else f"{step.after.opened_at.isoformat()}:{step.after.conversation_id}"
    return _record(
        topics.CATEGORY_REPLAYS,
        category_replay.TYPE,
        step,
        tenant_id=step.tenant_id,
        event_id=f"{step.replay_id}:{after}",
    )


def _payload(record: Record, kind: str, model: type[_T]) -> _T:
    envelope = from_kafka(record.key, record.value, record.headers)
    if envelope.type != kind:
        raise Rejected("the record is of another type", reason="unknown_type")
    try:
        return model.model_validate_json(envelope.data)
    except ValidationError:
        raise Rejected("the record's payload is not of its type", reason="invalid_payload") from None


def _record(topic: str, kind: str, payload: BaseModel, *, tenant_id: str, event_id: str) -> Outgoing:
    value, headers = Envelope(
        id=event_id,
        source="/autoqa",
        type=kind,
        extensions={"tenantid": tenant_id},
        data=orjson.dumps(payload.model_dump(mode="json")),
    ).to_kafka()
    return Outgoing(topic=topic, key=topics.tenant_key(tenant_id), value=value, headers=headers)
