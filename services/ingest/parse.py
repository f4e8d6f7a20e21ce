"""`python -m services.ingest parse`: what a helpdesk's body means, for people who connect one."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from services.ingest.sources import SOURCES
from shared.contracts.plain_json import decode_json
from shared.contracts.v1.ticket_event import ticket_event_json
from shared.errors import Rejected

__all__ = ["run"]


def run(source: str, headers_file: Path | None, body_file: Path) -> int:
    """Print the canonical events as a JSON list and return 0; refused: one line on stderr and 1.

    The headers are a JSON object, name to value. No signature is checked.
    """
    try:
        chosen = SOURCES.get(source)
        if chosen is None:
            raise Rejected(f"unknown source; known are {', '.join(SOURCES)}")
        headers = {} if headers_file is None else _headers(_read(headers_file))
        events = chosen.parse(decode_json(_read(body_file)), headers)
    except Rejected as error:
        print(f"refused: {error.detail}", file=sys.stderr)
        return 1
    text = json.dumps([ticket_event_json(event) for event in events], ensure_ascii=False, indent=2)
    sys.stdout.buffer.write(f"{text}\n".encode())
    sys.stdout.flush()
    return 0


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise Rejected(f"cannot read the file: {error.strerror}") from None


def _headers(raw: bytes) -> dict[str, str]:
    headers = decode_json(raw)
    if not isinstance(headers, Mapping):
        raise Rejected("the headers are not a JSON object")
    return {str(name).lower(): value for name, value in headers.items() if isinstance(value, str)}
