"""What can never succeed: kept on `<topic>.dlq`, unchanged, with its reason in headers."""

from datetime import datetime
from typing import Final

from shared.broker.record import Outgoing, Record
from shared.contracts import topics
from shared.errors import PruefsteinError

PREFIX: Final = "dlq."


def dead_letter(record: Record, error: Exception, *, group: str, attempts: int, now: datetime) -> Outgoing:
    """The record with string headers that say where it was, what was wrong and when."""
    rejected = isinstance(error, PruefsteinError)
    context = {
        "original.topic": record.topic,
        "original.partition": str(record.partition),
        "original.offset": str(record.offset),
        "original.timestamp": record.at.isoformat(),
        "consumer.group": group,
        "error.reason": error.reason if isinstance(error, PruefsteinError) else "unexpected",
        "error.class": type(error).__name__,
        # Only our own errors promise to be free of customers' words.
        "error.message": str(error)[:1000] if rejected else "",
        "error.at": "" if rejected else _raised_at(error),
        "attempts": str(attempts),
        "failed.at": now.isoformat(),
    }
    kept = tuple(header for header in record.headers if not header[0].startswith(PREFIX))
    return Outgoing(
        topic=topics.dead_letters(record.topic),
        key=record.key,
        value=record.value,
        headers=kept + tuple((PREFIX + name, value.encode()) for name, value in context.items()),
    )


def without_value(letter: Outgoing) -> Outgoing:
    """The reason alone, for a record too large to be kept with it; the origin still holds the value."""
    size = str(len(letter.value or b"")).encode()
    kept = tuple((name, value) for name, value in letter.headers if name.startswith(PREFIX))
    return Outgoing(topic=letter.topic, key=None, value=b"", headers=(*kept, (f"{PREFIX}value.bytes", size)))


def _raised_at(error: Exception) -> str:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace is not None else ""
