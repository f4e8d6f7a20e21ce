"""The JSON event format of CloudEvents: attributes and data inside one object."""

import base64
import binascii
from collections.abc import Mapping

import orjson

from shared.contracts.plain_json import decode_json
from shared.errors import Rejected

__all__ = ["attributes_of", "event_object", "payload_of"]

_PAYLOAD = ("data", "data_base64")


def attributes_of(event: object) -> dict[str, str]:
    """Every attribute as text; what is null or has a structure is no attribute."""
    if not isinstance(event, dict):
        raise Rejected("a CloudEvent is a JSON object", reason="invalid_envelope")
    return {
        name: _text(value)
        for name, value in event.items()
        if name not in _PAYLOAD and isinstance(value, str | int | bool)
    }


def payload_of(event: object) -> bytes:
    """The data as bytes: text as it is where the content is not JSON, else as JSON."""
    if not isinstance(event, dict):
        raise Rejected("a CloudEvent is a JSON object", reason="invalid_envelope")
    if "data_base64" in event:
        return _decoded(event["data_base64"])
    if "data" not in event:
        return b""
    data = event["data"]
    if isinstance(data, str) and not _is_json(event.get("datacontenttype")):
        return data.encode()
    try:
        return orjson.dumps(data)
    except TypeError:
        raise Rejected("data is not JSON", reason="invalid_envelope") from None


def event_object(attributes: Mapping[str, str], data: bytes) -> dict[str, object]:
    """Undo both; data that is not JSON goes as base64."""
    event: dict[str, object] = dict(attributes)
    if _is_json(attributes.get("datacontenttype")):
        try:
            return {**event, "data": decode_json(data)} if data else event
        except Rejected:
            pass
    return {**event, "data_base64": base64.b64encode(data).decode()} if data else event


def _decoded(text: object) -> bytes:
    try:
        return base64.b64decode(text, validate=True) if isinstance(text, str) else b""
    except (ValueError, binascii.Error):
        raise Rejected("data_base64 is not base64", reason="invalid_envelope") from None


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_json(media: object) -> bool:
    if media is None:
        return True
    kind = str(media).split(";", 1)[0].strip().lower()
    return kind.endswith(("/json", "+json"))
