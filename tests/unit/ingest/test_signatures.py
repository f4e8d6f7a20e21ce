"""Only what the helpdesk signed comes in."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.sources import SOURCES
from services.ingest.sources.base import REPLAY_WINDOW
from shared.errors import Unauthenticated
from tests.unit.ingest.samples import ANY_TIME, Signed, negatives, one, vectors

SIGNED = [signed for signed in vectors() if signed.vendor != "freshdesk"]
STAMPED = [signed for signed in SIGNED if signed.vendor in ("zendesk", "chatwoot")]
SECURED = {
    "x-zendesk-webhook-signature",
    "x-zendesk-webhook-signature-timestamp",
    "x-hub-signature",
    "x-chatwoot-signature",
    "x-chatwoot-timestamp",
    "x-helpscout-signature",
}


def is_refused(
    signed: Signed, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bool:
    """Whether a changed delivery is refused under every secret."""
    changed = {**signed.headers, **(headers or {})}
    for secret in signed.secrets:
        try:
            SOURCES[signed.vendor].verify(
                signed.body if body is None else body, changed, secret=secret, now=signed.now
            )
        except Unauthenticated:
            continue
        return False
    return True


@pytest.mark.parametrize("signed", vectors(), ids=lambda s: f"{s.vendor}-{s.name}")
def test_every_vector_passes(signed: Signed) -> None:
    """With the clock at its timestamp."""
    for secret in signed.secrets:
        SOURCES[signed.vendor].verify(signed.body, signed.headers, secret=secret, now=signed.now)


@pytest.mark.parametrize("signed", negatives(), ids=lambda s: f"{s.vendor}-{s.name}")
def test_every_negative_is_refused(signed: Signed) -> None:
    """Wrong algorithm, wrong encoding, re-serialised body."""
    assert is_refused(signed)


@given(st.sampled_from(SIGNED), st.integers(min_value=0), st.integers(1, 255))
def test_any_changed_byte_of_the_body_is_refused(signed: Signed, place: int, flip: int) -> None:
    """Wherever it stands."""
    body = bytearray(signed.body)
    body[place % len(body)] ^= flip
    assert is_refused(signed, body=bytes(body))


@given(st.sampled_from(SIGNED), st.data())
def test_any_changed_character_of_signature_or_timestamp_is_refused(
    signed: Signed, data: st.DataObject
) -> None:
    """Another spelling of the same signature is no excuse."""
    name = data.draw(st.sampled_from(sorted(SECURED & signed.headers.keys())))
    value = signed.headers[name]
    place = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(codec="latin-1").filter(lambda c: c != value[place]))
    assert is_refused(signed, headers={name: value[:place] + other + value[place + 1 :]})


@pytest.mark.parametrize("signed", vectors(), ids=lambda s: f"{s.vendor}-{s.name}")
def test_without_headers_or_without_a_secret_nothing_passes(signed: Signed) -> None:
    """An empty secret would be known to everybody."""
    source = SOURCES[signed.vendor]
    with pytest.raises(Unauthenticated):
        source.verify(signed.body, {}, secret=signed.secrets[0], now=signed.now)
    with pytest.raises(Unauthenticated):
        source.verify(signed.body, signed.headers, secret="", now=signed.now)


@pytest.mark.parametrize("signed", STAMPED, ids=lambda s: f"{s.vendor}-{s.name}")
@pytest.mark.parametrize("sign", [1, -1])
def test_a_replay_outside_the_window_is_refused(signed: Signed, sign: int) -> None:
    """Too old and too far ahead; the edge of the window is inside."""
    source, secret = SOURCES[signed.vendor], signed.secrets[0]
    source.verify(signed.body, signed.headers, secret=secret, now=signed.now + sign * REPLAY_WINDOW)
    late = signed.now + sign * (REPLAY_WINDOW + timedelta(seconds=1))
    with pytest.raises(Unauthenticated) as refused:
        source.verify(signed.body, signed.headers, secret=secret, now=late)
    assert refused.value.reason == "replayed"


def test_freshdesk_takes_a_token_or_a_password_but_not_another() -> None:
    """One stored secret is looked for in both headers."""
    sample = one("freshdesk", "default_ticket_created")
    source = SOURCES["freshdesk"]
    token, basic = {"x-autoqa-token": "s3cret"}, {"authorization": "Basic dTpw"}
    source.verify(sample.body, token, secret="s3cret", now=ANY_TIME)
    source.verify(sample.body, basic, secret="u:p", now=ANY_TIME)
    for headers in (
        {"x-autoqa-token": "other"},
        {"authorization": "Basic dTpw=="},
        {"authorization": "dTpw"},
        basic,
    ):
        with pytest.raises(Unauthenticated):
            source.verify(sample.body, headers, secret="s3cret", now=ANY_TIME)


def test_the_generic_source_signs_time_and_body() -> None:
    """As its docstring tells the sender to."""
    body, stamp = b'{"event":"ping"}', str(int(ANY_TIME.timestamp()))
    mac = hmac.new(b"key", stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {"x-pruefstein-timestamp": stamp, "x-pruefstein-signature": f"sha256={mac}"}
    source = SOURCES["generic"]
    source.verify(body, headers, secret="key", now=ANY_TIME)
    with pytest.raises(Unauthenticated):
        source.verify(body + b" ", headers, secret="key", now=ANY_TIME)
    with pytest.raises(Unauthenticated):
        source.verify(body, headers, secret="key", now=ANY_TIME + timedelta(minutes=6))


def test_help_scouts_published_vector_is_reproduced() -> None:
    """From the example of its own library."""
    headers = {"x-helpscout-signature": "7S2+kN8bZsrdAEADJ+yYfWWsf/4="}
    SOURCES["helpscout"].verify(b'{"id":123}', headers, secret="asdfasdf", now=ANY_TIME)
