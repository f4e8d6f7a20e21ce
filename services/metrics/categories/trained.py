"""What autoqa tells of trained categories, brought into the tables."""

from collections.abc import Sequence

from pydantic import ValidationError

from services.metrics.categories.category import trained
from services.metrics.categories.store import CategoryStore
from shared.broker.record import Record
from shared.clock import Clock
from shared.contracts.envelope import from_kafka
from shared.contracts.v1.category_trained import TYPE, CategoryTrained
from shared.errors import Rejected

__all__ = ["decode", "on_trained"]


def decode(record: Record) -> CategoryTrained:
    """Raises `Rejected` for what tells of no training."""
    envelope = from_kafka(record.key, record.value, record.headers)
    if envelope.type != TYPE:
        raise Rejected("the record is of another type", reason="unknown_type")
    try:
        return CategoryTrained.model_validate_json(envelope.data)
    except ValidationError:
        raise Rejected("the record tells of no training", reason="invalid_payload") from None


async def on_trained(told: Sequence[CategoryTrained], *, store: CategoryStore, clock: Clock) -> None:
    """Keep quality and active version; a scorecard with the category gets its next version. Idempotent."""
    for one in told:
        async with store.transaction(one.tenant_id) as transaction:
            await transaction.lock()
            before = await transaction.category(one.category_id)
            if before is None:
                continue
            after = trained(before, one)
            if after != before:
                await transaction.update(after)
                await transaction.renew_scorecard(clock.now())
