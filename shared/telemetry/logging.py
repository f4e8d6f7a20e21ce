"""JSON logs: an event name and fields. Never message text, names or addresses."""

import logging
import sys
from typing import cast

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

Logger = FilteringBoundLogger

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure(*, service: str, level: str = "info") -> None:
    """Send structured lines to standard output, also those of libraries (level warning and above)."""

    def add_service(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
        event["service"] = service
        return event

    shared_steps: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        add_service,
    ]
    render = structlog.processors.JSONRenderer(
        serializer=lambda event, **_: orjson.dumps(event, default=str).decode()
    )
    structlog.configure(
        processors=[*shared_steps, _format_exception, render],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.PrintLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared_steps, _format_exception],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)


def get_logger() -> Logger:
    """A logger; what is bound with `bound_contextvars` appears on each of its lines."""
    return cast(Logger, structlog.get_logger())


def _format_exception(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Name the exception and where it was raised, not its message: that may quote customers' words."""
    raised = event.pop("exc_info", None)
    if raised is True:
        raised = sys.exc_info()[1]
    if isinstance(raised, tuple):
        raised = raised[1]
    if isinstance(raised, BaseException):
        event["error_class"] = type(raised).__name__
        frames = []
        trace = raised.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno}:{code.co_name}")
            trace = trace.tb_next
        event["error_at"] = frames[-6:]
    return event
