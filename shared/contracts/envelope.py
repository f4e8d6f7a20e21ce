"""CloudEvents 1.0: what crosses `ticket-events` and `POST /v1/events` is an `Envelope` on our side.

    Kafka   binary, structured, plain canonical JSON -> from_kafka -> Envelope -> to_kafka (binary)
    HTTP    binary, structured, batch, plain         -> from_http  -> [Envelope]

Binary mode going out, since it keeps the bytes of a webhook as they were signed and routes by headers.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from urllib.parse import unquote

import orjson

from shared.contracts.instants import parse_instant
from shared.contracts.plain_json import clean_text, decode_json
from shared.contracts.structured_event import attributes_of, event_object, payload_of
from shared.errors import Rejected, TooLarge

__all__ = [
    "MAX_BATCH",
    "TICKET_EVENT",
    "WEBHOOK_RECEIVED",
    "Envelope",
    "from_http",
    "from_kafka",
    "http_headers_json",
]

WEBHOOK_RECEIVED: Final = "com.pruefstein.webhook.received.v1"
"""A verified webhook: `data` is its body, byte by byte; extensions `vendor`, `tenantid`, `sourceid` and
`httpheaders`, the kept HTTP headers as a JSON object."""

TICKET_EVENT: Final = "com.pruefstein.ticket.event.v1"
"""A canonical ticket event. Other producers' types are as good, as long as `data` is one."""

MAX_BATCH: Final = 1000
_REQUIRED = ("id", "source", "type")
_CORE = frozenset({"id", "source", "type", "subject", "time", "datacontenttype", "specversion"})
_JSON = "application/json"
_MAX_ATTRIBUTE = 4096
_MAX_HTTP_HEADERS = 64 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One event. `source` and `id` together name it: a repeat of both is a duplicate."""

    id: str
    source: str
    type: str
    subject: str | None = None
    time: datetime | None = None
    datacontenttype: str | None = _JSON
    #: Lower-case letters and digits name an extension; values travel as text.
    extensions: Mapping[str, str] = field(default_factory=dict)
    data: bytes = b""

    def json(self) -> object:
        """The decoded data. Raises `Rejected` where it is not JSON."""
        return decode_json(self.data)

    @property
    def http_headers(self) -> dict[str, str]:
        """What the extension `httpheaders` keeps of a webhook, names in lower case."""
        headers = decode_json(self.extensions.get("httpheaders", "{}").encode())
        if not isinstance(headers, dict):
            raise Rejected("httpheaders is a JSON object", reason="invalid_envelope")
        return {str(name).lower(): value for name, value in headers.items() if isinstance(value, str)}

    def to_kafka(self) -> tuple[bytes, tuple[tuple[str, bytes], ...]]:
        """Value and headers in binary mode."""
        attributes = _attributes(self)
        headers = (
            [("content-type", attributes.pop("datacontenttype").encode())] if self.datacontenttype else []
        )
        headers += [(f"ce_{name}", value.encode()) for name, value in attributes.items()]
        return self.data, tuple(headers)

    def to_structured(self) -> dict[str, object]:
        """The JSON event format, for `application/cloudevents+json`."""
        return event_object(_attributes(self), self.data)


def _attributes(event: Envelope) -> dict[str, str]:
    attributes = {"specversion": "1.0", "id": event.id, "source": event.source, "type": event.type}
    if event.subject is not None:
        attributes["subject"] = event.subject
    if event.time is not None:
        attributes["time"] = event.time.isoformat().replace("+00:00", "Z")
    if event.datacontenttype is not None:
        attributes["datacontenttype"] = event.datacontenttype
    return attributes | {name: value for name, value in event.extensions.items() if name not in _CORE}


def from_kafka(key: bytes | None, value: bytes | None, headers: Iterable[tuple[str, bytes]]) -> Envelope:
    """The event of a record in any of the three forms. Raises `Rejected`; a null value is `no_value`."""
    named = {name.lower(): content for name, content in headers}
    if value is None:
        raise Rejected("the record has no value", reason="no_value")
    media = _text(named.get("content-type", b""))
    if media.lower().startswith("application/cloudevents"):
        return _structured(decode_json(value))
    attributes = {name[3:]: _text(content) for name, content in named.items() if name[:3] == "ce_"}
    if attributes:
        traces: dict[str, str] = {
            name: _text(content) for name, content in named.items() if name in ("traceparent", "tracestate")
        }
        return _envelope({**traces, **attributes, "datacontenttype": media or _JSON}, value)
    return _plain(key or b"", value)


def from_http(headers: Mapping[str, str], body: bytes) -> list[Envelope]:
    """The events of a request in any form. Raises `Rejected`, for a batch as a whole."""
    named = {name.lower(): content for name, content in headers.items()}
    media = named.get("content-type", "")
    if media.lower().startswith("application/cloudevents-batch"):
        return _batch(decode_json(body))
    if media.lower().startswith("application/cloudevents"):
        return [_structured(decode_json(body))]
    attributes = {name[3:]: clean_text(unquote(value)) for name, value in named.items() if name[:3] == "ce-"}
    if attributes:
        return [_envelope({**attributes, "datacontenttype": media or _JSON}, body)]
    return [_plain(b"", body)]


def _batch(events: object) -> list[Envelope]:
    if not isinstance(events, list):
        raise Rejected("a batch is a JSON array", reason="invalid_envelope")
    if len(events) > MAX_BATCH:
        raise TooLarge(f"a batch holds at most {MAX_BATCH} events")
    envelopes: list[Envelope] = []
    for place, event in enumerate(events):
        try:
            envelopes.append(_structured(event))
        except Rejected as error:
            raise Rejected(f"event {place} of the batch: {error.detail}", reason=error.reason) from None
    return envelopes


def _structured(event: object) -> Envelope:
    return _envelope(attributes_of(event), payload_of(event))


def _plain(key: bytes, value: bytes) -> Envelope:
    """A bare canonical event; its id follows from its bytes, so a replay yields the same."""
    event = decode_json(value)
    if not isinstance(event, dict):
        raise Rejected("neither a CloudEvent nor a ticket event", reason="invalid_envelope")
    if "specversion" in event:
        return _structured(event)
    if "event" not in event:
        raise Rejected("neither a CloudEvent nor a ticket event", reason="invalid_envelope")
    digest = hashlib.sha256(len(key).to_bytes(8, "big") + key + value).hexdigest()
    return Envelope(id=f"sha256-{digest}", source="/plain", type=TICKET_EVENT, data=value)


def _envelope(attributes: Mapping[str, str], data: bytes) -> Envelope:
    if attributes.get("specversion") != "1.0":
        raise Rejected("specversion is not 1.0", reason="invalid_envelope")
    for name in _REQUIRED:
        if not attributes.get(name):
            raise Rejected(f"the event has no {name}", reason="invalid_envelope")
    for name, text in attributes.items():
        if len(text) > _MAX_ATTRIBUTE and (name != "httpheaders" or len(text) > _MAX_HTTP_HEADERS):
            raise TooLarge(f"{name if name in _CORE else 'an extension'} is too long")
    extensions = {
        name: text for name, text in attributes.items() if name not in _CORE and _is_extension(name)
    }
    return Envelope(
        id=attributes["id"],
        source=attributes["source"],
        type=attributes["type"],
        subject=attributes.get("subject"),
        time=_time(attributes.get("time")),
        datacontenttype=attributes.get("datacontenttype"),
        extensions=extensions,
        data=data,
    )


def _is_extension(name: str) -> bool:
    return name.isascii() and name.isalnum() and name == name.lower() and len(name) <= 64


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return parse_instant(text)
    except ValueError:
        raise Rejected("time is not an RFC 3339 instant", reason="invalid_envelope") from None


def _text(content: bytes) -> str:
    try:
        return clean_text(content.decode())
    except UnicodeDecodeError:
        raise Rejected("a header is not UTF-8", reason="invalid_envelope") from None


def http_headers_json(headers: Mapping[str, str], kept: Iterable[str]) -> str:
    """The value of the extension `httpheaders`: those of `kept` that a request has."""
    named = {name.lower(): value for name, value in headers.items()}
    return orjson.dumps({name: named[name] for name in kept if name in named}).decode()
