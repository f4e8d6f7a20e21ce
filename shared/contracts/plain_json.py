"""JSON at the doors: decoded strictly, freed of what neither Postgres nor UTF-8 can hold."""

import json
from typing import NoReturn

import orjson

from shared.errors import Rejected

__all__ = ["clean_text", "decode_json"]


def decode_json(body: bytes) -> object:
    """The value of a JSON body; NUL characters are dropped, lone surrogates become U+FFFD.

    Raises `Rejected` with the place, never with the content.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        # orjson refuses escaped lone surrogates, which senders do cut out of emojis.
        if b"\\ud" not in body and b"\\uD" not in body:
            raise _invalid(error) from None
        value = _decode_leniently(body)
    else:
        if b"\\u0000" not in body:
            return value
    try:
        return _clean(value)
    except RecursionError:
        raise Rejected("the body is nested too deeply", reason="invalid_json") from None


def _decode_leniently(body: bytes) -> object:
    try:
        return json.loads(body.decode(), parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _invalid(error) from None
    except (ValueError, RecursionError):
        raise Rejected("the body is not valid JSON", reason="invalid_json") from None


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("not JSON")


def _invalid(error: json.JSONDecodeError) -> Rejected:
    return Rejected(
        f"the body is not valid JSON (line {error.lineno}, column {error.colno})", reason="invalid_json"
    )


def clean_text(text: str) -> str:
    """Without NUL characters and lone surrogates."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        # Through UTF-16, so that the two halves of one character find each other.
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _clean(value: object) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {clean_text(key): _clean(item) for key, item in value.items()}
    return value
