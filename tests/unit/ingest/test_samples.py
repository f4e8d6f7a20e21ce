"""The vendors' own bodies come out as the contract says."""

from typing import Any

import pytest

from services.ingest.sources import SOURCES, Disposition
from shared.contracts.v1.ticket_event import parse_ticket_event, ticket_event_json
from tests.unit.ingest.samples import (
    CONTRACTS,
    OURS,
    Signed,
    assert_subset,
    contract_files,
    expected,
    vectors,
)


def label(value: object) -> str | None:
    """The name of a case."""
    return f"{value.vendor}-{value.name}" if isinstance(value, Signed) else None


@pytest.mark.parametrize(("signed", "wanted"), expected(), ids=label)
def test_a_sample_becomes_the_expected_event(signed: Signed, wanted: dict[str, Any]) -> None:
    """A subset, as the contract compares."""
    (event,) = SOURCES[signed.vendor].parse(signed.payload, signed.headers)
    assert_subset(wanted, ticket_event_json(event))


@pytest.mark.parametrize("signed", vectors(), ids=label)
def test_every_sample_has_one_event_that_glance_announced(signed: Signed) -> None:
    """The door and the consumer agree on where it belongs."""
    source = SOURCES[signed.vendor]
    glance = source.glance(signed.payload, signed.headers)
    (event,) = source.parse(signed.payload, signed.headers)
    assert glance.disposition is (Disposition.PING if signed.name == "ping.json" else Disposition.EVENT)
    assert (event.conversation["id"] or None) == glance.external_id
    assert (event.account_id, event.delivery_id) == (glance.account_id, glance.delivery_id)
    assert (event.source_event, event.occurred_at) == (glance.source_event, glance.occurred_at)


@pytest.mark.parametrize("signed", vectors(), ids=label)
def test_every_event_survives_the_wire(signed: Signed) -> None:
    """What `parse` prints may be sent to `POST /v1/events`; times keep their milliseconds."""
    (event,) = SOURCES[signed.vendor].parse(signed.payload, signed.headers)
    written = ticket_event_json(event)
    assert ticket_event_json(parse_ticket_event(written)) == written


@pytest.mark.parametrize("signed", vectors(), ids=label)
def test_the_kept_headers_are_enough_to_parse(signed: Signed) -> None:
    """Only those travel with the body."""
    source = SOURCES[signed.vendor]
    kept = {name: value for name, value in signed.headers.items() if name in source.kept_headers}
    assert source.parse(signed.payload, kept) == source.parse(signed.payload, signed.headers)


def test_our_samples_are_those_of_the_contracts() -> None:
    """They ship with the repository and must not drift apart."""
    for path in contract_files():
        assert (OURS / path.relative_to(CONTRACTS)).read_bytes() == path.read_bytes(), path.name
