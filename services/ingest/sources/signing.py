"""Proving that a delivery comes from the helpdesk: over the raw bytes, in constant time, before parsing."""

import base64
import hashlib
import hmac
from collections.abc import Callable
from datetime import datetime

from services.ingest.sources.base import REPLAY_WINDOW, Headers
from shared.contracts.instants import parse_instant
from shared.errors import Unauthenticated

__all__ = ["check", "check_recent", "digest", "hex_of", "in_base64", "needed"]


def digest(algorithm: str, secret: str, signed: bytes) -> bytes:
    """The HMAC; an empty secret proves nothing and is refused."""
    if not secret:
        raise Unauthenticated("the source has no secret")
    return hmac.new(secret.encode(), signed, getattr(hashlib, algorithm)).digest()


def in_base64(mac: bytes) -> str:
    """Standard alphabet, padded."""
    return base64.b64encode(mac).decode()


def hex_of(prefix: str) -> Callable[[bytes], str]:
    """Lower-case hexadecimal after a prefix such as `sha1=`."""
    return lambda mac: prefix + mac.hex()


def needed(headers: Headers, name: str) -> str:
    """A header that a signed delivery must have."""
    value = headers.get(name)
    if not value:
        raise Unauthenticated(f"the header {name} is missing")
    return value


def check(expected: str, given: str) -> None:
    """Compare whole, as it is written: another spelling of the same bytes is refused too."""
    if not hmac.compare_digest(expected.encode(), given.encode("utf-8", "replace")):
        raise Unauthenticated("the signature does not fit")


def check_recent(stamp: str, now: datetime) -> None:
    """Refuse what was signed too long ago, or too far ahead."""
    try:
        signed_at = parse_instant(stamp)
    except ValueError:
        raise Unauthenticated("the signed timestamp is not a time") from None
    if abs(now - signed_at) > REPLAY_WINDOW:
        raise Unauthenticated("the signed timestamp is outside the replay window", reason="replayed")
