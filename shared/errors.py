"""The tree of errors that cross a boundary; transports map them, nothing else does.

PruefsteinError
├── Rejected     can never succeed        4xx, or the dead-letter topic
│   ├── Unauthenticated                   401
│   ├── Forbidden                         403
│   └── TooLarge                          413
├── NotFound     no such thing (for you)  404
├── Conflict     the state forbids it     409
├── Transient    may succeed later        503 with Retry-After, or back off and try again
└── Stop         nothing more can be done the process ends
"""

__all__ = [
    "Conflict",
    "Forbidden",
    "NotFound",
    "PruefsteinError",
    "Rejected",
    "Stop",
    "TooLarge",
    "Transient",
    "Unauthenticated",
]


class PruefsteinError(Exception):
    """Root of the tree. `reason` is a short word in snake case that may go to logs, metrics and clients."""

    reason = "error"

    def __init__(self, detail: str, *, reason: str | None = None) -> None:
        """Say in `detail` what was wrong, without message text, names or addresses."""
        super().__init__(detail)
        self.detail = detail
        if reason is not None:
            self.reason = reason


class Rejected(PruefsteinError):
    """The input can never succeed."""

    reason = "rejected"


class Unauthenticated(Rejected):
    """Nobody we know: a key or a signature is missing or wrong."""

    reason = "unauthenticated"


class Forbidden(Rejected):
    """Known, but not allowed to do this."""

    reason = "forbidden"


class TooLarge(Rejected):
    """Over the size limit."""

    reason = "too_large"


class NotFound(PruefsteinError):
    """There is no such thing, or it belongs to another tenant."""

    reason = "not_found"


class Conflict(PruefsteinError):
    """The present state forbids it."""

    reason = "conflict"


class Transient(PruefsteinError):
    """Something we depend on is away; the same call may succeed later."""

    reason = "unavailable"


class Stop(PruefsteinError):
    """The process must end; a supervisor decides what follows."""

    reason = "stopped"
