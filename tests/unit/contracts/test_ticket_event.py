"""The canonical event on the wire."""

import json
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.v1.ticket_event import parse_ticket_event, ticket_event_json
from shared.domain.conversation import Role, Status
from shared.domain.ticket_event import EventKind, TicketEvent
from shared.errors import Rejected
from tests.unit.domain.generated import events


def told(**facts: Any) -> TicketEvent:
    """An event with those facts."""
    return parse_ticket_event({"event": "conversation.updated", "conversation": {"id": 1, **facts}})


@given(events(list(EventKind)))
def test_an_event_survives_the_wire(generated: tuple[TicketEvent, datetime]) -> None:
    """Absent stays absent and null stays null."""
    written = ticket_event_json(generated[0])
    assert ticket_event_json(parse_ticket_event(json.dumps(written).encode())) == written


def test_absent_is_not_null() -> None:
    """Absent says nothing, null says empty."""
    assert "subject" not in told().conversation
    assert told(subject=None).conversation == {"id": "1", "subject": None}
    assert told(tags=None).conversation["tags"] == []


def test_unknown_fields_and_words_are_tolerated() -> None:
    """Enums are open; the raw word is kept."""
    event = parse_ticket_event(
        {
            "event": "conversation.danced",
            "colour": 5,
            "conversation": {"id": "1", "status": "waiting", "channel": "pigeon", "x": []},
            "messages": [{"id": 1, "role": "wizard", "text": "a\x00b", "new": 1}],
        }
    )
    assert event.kind is EventKind.CONVERSATION_UPDATED
    facts = event.conversation
    assert (facts["status"], facts["status_raw"]) == (None, "waiting")
    assert (facts["channel"], facts["channel_raw"]) == (None, "pigeon")
    assert (event.messages[0]["role"], event.messages[0]["text"]) == (Role.SYSTEM, "ab")
    assert told(status="solved").conversation["status"] is Status.SOLVED


def test_surveys_keep_to_their_scales() -> None:
    """CSAT 1 to 5, NPS 0 to 10, CES 1 to 7; without a score there is no answer."""
    facts = told(csat={"score": 5}, nps={"score": 0, "comment": "x"}, ces={"score": None}).conversation
    assert facts["csat"] == {"score": 5}
    assert (facts["nps"], facts["ces"]) == ({"score": 0, "comment": "x"}, None)
    for wrong in ({"csat": {"score": 0}}, {"nps": {"score": 11}}, {"ces": {"score": float("nan")}}):
        with pytest.raises(Rejected):
            told(**wrong)


@pytest.mark.parametrize(
    ("payload", "named"),
    [
        (b"{", "valid JSON"),
        ([], "object"),
        ({"event": "message.added"}, "event"),
        ({"event": "message.added", "conversation": {"id": ["secret"]}}, "conversation.id"),
        ({"event": "message.added", "conversation": {"id": "s" * 300}}, "conversation.id"),
        ({"event": "x", "conversation": {"id": 1, "created_at": "secret"}}, "conversation.created_at"),
        ({"event": "x", "conversation": {"id": 1, "sla": {"secret": []}}}, "conversation.sla"),
        ({"event": "x", "conversation": {"id": 1}, "messages": [{"text": "secret"}]}, "messages.0.id"),
        ({"event": "x", "conversation": {"id": 1}, "messages": [{"id": 1}] * 5001}, "messages"),
        ({"event": "x", "source": "Secret!", "conversation": {"id": 1}}, "source"),
    ],
)
def test_what_is_no_event_is_rejected_by_field_without_its_value(payload: object, named: str) -> None:
    """The detail may go to logs."""
    with pytest.raises(Rejected) as refused:
        parse_ticket_event(payload)
    assert named in refused.value.detail
    assert "secret" not in refused.value.detail.lower()


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=3),
        lambda x: (
            st.lists(x, max_size=2)
            | st.dictionaries(
                st.sampled_from(
                    ["event", "conversation", "id", "messages", "tags", "csat", "sla", "at", "score"]
                ),
                x,
                max_size=4,
            )
        ),
    )
)
def test_anything_is_an_event_or_rejected(payload: object) -> None:
    """No other exception."""
    try:
        parse_ticket_event(payload)
    except Rejected as refused:
        assert refused.detail  # noqa: PT017  # some payloads are events
