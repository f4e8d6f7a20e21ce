"""Whatever arrives, a source answers with a value or with `Rejected`."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.sources import SOURCES
from shared.contracts.v1.ticket_event import ticket_event_json
from shared.errors import Rejected
from tests.unit.ingest.samples import Signed, vectors

GENERIC = {
    "event": "message.added",
    "occurred_at": 1772443800,
    "conversation": {"id": 5, "status": "open", "tags": ["a"], "csat": {"score": 4}, "sla": {"x": "y"}},
    "messages": [{"id": 1, "role": "customer", "html": "<p>Hallo</p>", "author": {"id": 3}}],
}
BODIES: list[tuple[str, Any, dict[str, str]]] = [
    *((signed.vendor, signed.payload, signed.headers) for signed in vectors()),
    ("generic", GENERIC, {}),
]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.just(10**400)
    | st.just("\ud800\x00")
)
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every container with every key in it."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from places(value[key])


def survives(call: Callable[[], object]) -> None:
    """A value or a refusal whose text holds nothing of the payload."""
    detail = ""
    try:
        call()
    except Rejected as refused:
        detail = refused.detail
    assert len(detail) < 300
    assert detail.isascii()


@settings(max_examples=400)
@given(st.sampled_from(BODIES), st.data())
def test_a_mutated_body_is_parsed_or_rejected(
    body: tuple[str, Any, dict[str, str]], data: st.DataObject
) -> None:
    """Keys deleted, types changed, values nested."""
    vendor, payload, headers = body
    payload = copy.deepcopy(payload)
    for _ in range(data.draw(st.integers(1, 3))):
        found = list(places(payload))
        if not found:
            break
        container, key = found[data.draw(st.integers(0, len(found) - 1))]
        how = data.draw(st.sampled_from(["delete", "replace", "nest", "list"]))
        if how == "delete":
            del container[key]
        elif how == "replace":
            container[key] = data.draw(junk)
        else:
            container[key] = {"x": container[key]} if how == "nest" else [container[key]]
    source = SOURCES[vendor]
    survives(lambda: source.glance(payload, headers))
    survives(lambda: [ticket_event_json(event) for event in source.parse(payload, headers)])


@given(st.sampled_from(list(SOURCES)), junk, st.sampled_from([{}, {"x-helpscout-event": "convo.created"}]))
def test_junk_is_parsed_or_rejected(vendor: str, payload: object, headers: dict[str, str]) -> None:
    """Also what is no object at all."""
    survives(lambda: SOURCES[vendor].glance(payload, headers))
    survives(lambda: SOURCES[vendor].parse(payload, headers))


@pytest.mark.parametrize("signed", vectors(), ids=lambda s: f"{s.vendor}-{s.name}")
def test_what_parses_is_free_of_nul_and_lone_surrogates(signed: Signed) -> None:
    """Postgres refuses the one and UTF-8 the other."""

    def spoilt(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spoilt(item) for key, item in value.items()}
        if isinstance(value, list):
            return [spoilt(item) for item in value]
        return value + " \x00\ud83d" if isinstance(value, str) and " " in value else value

    for event in SOURCES[signed.vendor].parse(spoilt(signed.payload), signed.headers):
        written = repr(ticket_event_json(event)).encode()
        assert b"\\x00" not in written
        assert b"\\ud83d" not in written
