"""What events make of a stored conversation."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.ingest.refold import Arrival, Identity, Known, Refolded, refold
from services.ingest.rows import ConversationRows, rows_of
from shared.contracts.v1.ticket_event import parse_ticket_event

IDENTITY = Identity(id="c", source="shop", account_id=None, external_id="1")
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NEW = Known(identity=IDENTITY, received_at=AT)
TEXT = "Meine Bestellung ist noch nicht angekommen."


def arrival(received_at: datetime = AT, **facts: Any) -> Arrival:
    """A customer's message, or what `facts` say instead."""
    message = {"id": "m1", "role": "customer", "at": "2026-03-02T08:00:00Z", "text": TEXT}
    event = {
        "event": "message.added",
        "source": "shop",
        "occurred_at": "2026-03-02T08:00:00Z",
        "conversation": {"id": "1", "status": "open"},
        "messages": [message],
    }
    return Arrival(
        tenant_id="t",
        conversation=IDENTITY,
        event=parse_ticket_event(event | facts),
        received_at=received_at,
    )


def stored(refolded: Refolded, **languages: str | None) -> Known:
    """As it is read again after it was written."""
    return replace(
        refolded.before,
        version=refolded.version,
        received_at=refolded.received_at,
        state=refolded.state,
        messages=refolded.messages,
        languages=languages,
        shown=frozenset(refolded.messages),
    )


def written(refolded: Refolded, **detected: str | None) -> ConversationRows:
    """For the tables."""
    return rows_of(refolded, "t", detected=detected)


def test_news_make_a_version_and_repetitions_do_not() -> None:
    """One version for a batch, however many events it has."""
    first = refold(NEW, [arrival(), arrival()])
    assert (first.is_changed, first.version, first.was_news) == (True, 1, [True, False])
    again = refold(stored(first), [arrival(AT + timedelta(hours=1))])
    assert (again.is_changed, again.version) == (False, 1)
    assert again.received_at == AT


def test_received_at_is_that_of_the_newest_event_that_changed_it() -> None:
    """A repetition in the same batch does not count."""
    later, latest = AT + timedelta(seconds=5), AT + timedelta(seconds=9)
    tagged: dict[str, Any] = {
        "event": "conversation.updated",
        "messages": [],
        "occurred_at": "2026-03-02T08:01:00Z",
        "conversation": {"id": "1", "tags": ["vip"]},
    }
    refolded = refold(NEW, [arrival(), arrival(later, **tagged), arrival(latest)])
    assert refolded.received_at == later


def test_only_new_texts_are_read_for_their_language() -> None:
    """What was known stays known, until the words change."""
    first = refold(NEW, [arrival()])
    assert first.new_texts == {"m1": TEXT}
    known = stored(first, m1="de")
    tagged = refold(known, [arrival(conversation={"id": "1", "tags": ["vip"]})])
    assert tagged.new_texts == {}
    assert written(tagged).conversation["language"] == "de"
    edit = {"id": "m1", "role": "customer", "text": "Where is it?"}
    edited = refold(known, [arrival(messages=[edit], occurred_at="2026-03-02T08:05:00Z")])
    assert edited.new_texts == {"m1": "Where is it?"}
    [row] = written(edited, m1=None).messages
    assert row["language"] is None


def test_only_what_changed_is_written() -> None:
    """A long conversation costs no more than its newest message."""
    known = stored(refold(NEW, [arrival()]), m1="de")
    reply = {"id": "m2", "role": "agent", "at": "2026-03-02T08:10:00Z", "text": "Guten Tag"}
    rows = written(refold(known, [arrival(messages=[reply])]))
    assert [row["id"] for row in rows.messages] == ["m2"]
    assert rows.surveys is None


def test_a_helpdesks_word_for_the_language_counts_where_no_text_tells() -> None:
    """Detection goes first."""
    event = arrival(conversation={"id": "1", "language": "en"})
    assert written(refold(NEW, [event]), m1=None).conversation["language"] == "en"
    assert written(refold(NEW, [event]), m1="de").conversation["language"] == "de"
