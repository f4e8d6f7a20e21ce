"""One delivery of a helpdesk, before it is signed."""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A body and its headers; the signature is added when it is sent, as it may hold the time."""

    at: datetime
    """When the thing that it tells of happened."""
    body: bytes
    """The exact bytes that are signed and sent."""
    headers: dict[str, str] = field(default_factory=dict)
    """All headers but those of the signature."""
    says: tuple[int, ...] = ()
    """Ids of the lines that it brings."""


def as_json(value: Any) -> bytes:
    """Compact UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def as_rails_json(value: Any) -> bytes:
    """As Rails writes it: `<`, `>` and `&` are escaped, which a receiver must not undo before verifying."""
    escapes = {0x3C: "\\u003c", 0x3E: "\\u003e", 0x26: "\\u0026"}
    return as_json(value).decode().translate(escapes).encode()


def seconds(at: datetime) -> str:
    """`2026-03-02T08:14:05Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(at: datetime) -> str:
    """`2026-03-02T08:14:05.117Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def epoch(at: datetime) -> int:
    """Whole seconds since 1970."""
    return int(at.timestamp())


def html(text: str) -> str:
    """Plain text as the HTML that editors make of it."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace("\n", "<br>")
