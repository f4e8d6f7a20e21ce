"""A line of an import."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from services.ingest.import_record import event_of_line
from shared.contracts.v1.ticket_event import parse_ticket_event, ticket_event_json
from shared.errors import Rejected

LINE: dict[str, Any] = {
    "id": "c1",
    "language": "en",
    "channel": "email",
    "messages": [{"id": "m1", "role": "customer", "at": "2026-03-02T09:14:00+01:00", "text": "Hello"}],
}


def test_a_line_becomes_an_event_that_everybody_reads() -> None:
    """What is written to the topic comes back the same."""
    event = event_of_line(orjson.dumps(LINE), source="import")
    assert parse_ticket_event(orjson.dumps(ticket_event_json(event))) == event


@pytest.mark.parametrize(
    ("facts", "place"),
    [
        ({"id": ""}, "id"),
        ({"channel": "pigeon"}, "channel"),
        ({"messages": []}, "messages"),
        ({"messages": [LINE["messages"][0] | {"role": "king"}]}, "messages.0.role"),
        ({"messages": [LINE["messages"][0] | {"at": "soon"}]}, "messages.0.at"),
        ({"messages": [LINE["messages"][0] | {"text": None}]}, "messages.0.text"),
        ({"messages": LINE["messages"] * 2}, "same id"),
    ],
)
def test_what_is_wrong_is_named(facts: dict[str, Any], place: str) -> None:
    """By its place, never by its words."""
    with pytest.raises(Rejected, match=place):
        event_of_line(orjson.dumps(LINE | facts), source="import")


def test_our_own_conversations_can_be_imported() -> None:
    """The training data has the same shape."""
    files = sorted((Path(__file__).parents[3] / "data" / "conversations").glob("*.jsonl"))
    lines = [line for file in files for line in file.read_bytes().splitlines()]
    assert lines
    for line in lines:
        event_of_line(line, source="import")
