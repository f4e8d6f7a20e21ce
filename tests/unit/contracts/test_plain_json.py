"""JSON at the doors."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.plain_json import clean_text, decode_json
from shared.errors import Rejected

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)


@given(values)
def test_json_comes_in_without_nul_and_lone_surrogates(value: object) -> None:
    """Escaped or not, in keys and in values."""
    text = json.dumps(decode_json(json.dumps(value).encode()), ensure_ascii=False)
    text.encode()
    assert "\\u0000" not in text


@given(st.binary())
def test_any_bytes_are_json_or_rejected(body: bytes) -> None:
    """No other exception."""
    try:
        decode_json(body)
    except Rejected as refused:
        assert refused.reason == "invalid_json"  # noqa: PT017  # most bytes are refused, some are not


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"NaN",
        b'["\\ud83d", NaN]',
        b'["\\ud83d"' + b"[" * 100_000,
        b"",
        b'["\xff"]',
    ],
)
def test_hostile_json_is_rejected(body: bytes) -> None:
    """Deep nesting, constants that are none, broken UTF-8."""
    with pytest.raises(Rejected):
        decode_json(body)


def test_deep_json_that_decodes_is_rejected_and_not_a_crash() -> None:
    """Cleaning recurses; the decoder's limit is higher."""
    body = b"[" * 990 + b'"\\u0000"' + b"]" * 990
    with pytest.raises(Rejected):
        decode_json(body)


def test_two_halves_of_a_character_find_each_other() -> None:
    """And a lone half is replaced."""
    assert clean_text("a\ud83d\ude00b\ud83d\x00") == "a\U0001f600b\ufffd"
