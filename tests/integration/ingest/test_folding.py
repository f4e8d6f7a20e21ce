"""From the topic to the tables: what is stored, what counts as a change, what is told."""

import asyncio
from datetime import UTC, datetime

import orjson
import pytest

from shared.broker.record import Headers, Outgoing
from shared.contracts import topics
from tests.integration.ingest.bench import Bench, a_message, an_event
from tests.integration.ingest.conftest import NewBench

AGENT = a_message(
    id="m2", role="agent", at="2026-03-02T08:10:00Z", text="Guten Tag, das Paket kommt morgen bei Ihnen an."
)


async def test_a_conversation_is_stored_with_everything_that_others_read(bench: Bench) -> None:
    """The published columns follow from the events."""
    facts = {
        "id": "1",
        "number": "A-1",
        "status": "solved",
        "channel": "email",
        "tags": ["vip"],
        "team": {"id": "t1", "name": "Versand"},
        "assignee": {"id": "a1", "name": "Anna"},
        "customer": {"id": "c1", "name": "Carl", "email": "carl@example.org"},
        "created_at": "2026-03-02T08:00:00Z",
        "solved_at": "2026-03-02T08:20:00Z",
    }
    [row] = await bench.fold(
        an_event(conversation=facts, messages=[a_message(), AGENT], occurred_at="2026-03-02T08:20:00Z")
    )
    assert row["version"] == row["published_version"] == 1
    assert (row["status"], row["agent"], row["team"], row["tags"]) == ("solved", "Anna", "Versand", ["vip"])
    assert (row["agent_id"], row["team_id"], row["customer_id"]) == ("a1", "t1", "c1")
    assert (row["number"], row["channel"], row["language"]) == ("A-1", "email", "de")
    assert row["opened_at"] == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert row["first_reply_at"] == row["last_message_at"] == datetime(2026, 3, 2, 8, 10, tzinfo=UTC)
    assert row["solved_at"] == datetime(2026, 3, 2, 8, 20, tzinfo=UTC)
    assert (row["message_count"], row["reopen_count"], row["merged_into"]) == (2, 0, None)
    assert [message["id"] for message in await bench.messages()] == ["m1", "m2"]


async def test_the_same_event_again_changes_nothing(bench: Bench) -> None:
    """No new version, and nobody is told twice."""
    await bench.fold(an_event(), an_event())
    [row] = await bench.fold(an_event())
    assert row["version"] == 1
    assert [one["version"] for one in await bench.told()] == [1]


async def test_news_raise_the_version_by_one(bench: Bench) -> None:
    """Whoever sees the higher one reads again."""
    [before] = await bench.fold(an_event())
    [after] = await bench.fold(an_event(messages=[AGENT], occurred_at="2026-03-02T08:10:00Z"))
    assert (before["version"], after["version"]) == (1, 2)
    assert after["received_at"] > before["received_at"]
    assert [one["version"] for one in await bench.told()] == [1, 2]


async def test_late_events_come_out_as_if_in_order(bench: Bench) -> None:
    """The solved status stays, the late message takes its place."""
    solved = an_event(
        event="conversation.status_changed",
        occurred_at="2026-03-02T09:00:00Z",
        conversation={"id": "1", "status": "solved", "updated_at": "2026-03-02T09:00:00Z"},
        messages=[],
    )
    await bench.fold(solved, an_event(messages=[AGENT], occurred_at="2026-03-02T08:10:00Z"))
    [row] = await bench.fold(an_event())
    assert row["status"] == "solved"
    assert row["opened_at"] == datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    assert [message["id"] for message in await bench.messages()] == ["m1", "m2"]


async def test_an_edit_replaces_the_text_and_its_language(bench: Bench) -> None:
    """The language is that of the words that stand there now."""
    await bench.fold(an_event())
    edited = a_message(text="My order has not arrived yet, where is it?")
    await bench.fold(an_event(event="message.updated", occurred_at="2026-03-02T08:05:00Z", messages=[edited]))
    [message] = await bench.messages()
    assert (message["text"], message["language"]) == (edited["text"], "en")


async def test_a_deleted_message_has_no_text(bench: Bench) -> None:
    """Also when the message itself arrives late."""
    gone = an_event(
        event="message.deleted", messages=[{"id": "m1", "deleted": True}], occurred_at="2026-03-02T08:30:00Z"
    )
    await bench.fold(gone)
    await bench.fold(an_event())
    [message] = await bench.messages()
    assert (message["text"], message["deleted"]) == ("", True)


async def test_a_deleted_conversation_keeps_nobodys_words(bench: Bench) -> None:
    """Texts, comments, subject and customer are gone from every table, and late events bring none back."""
    secret = "Geheimwort"
    told = an_event(
        conversation={
            "id": "1",
            "subject": secret,
            "customer": {"id": secret, "name": secret, "email": secret},
            "csat": {"score": 2, "comment": secret},
        },
        messages=[a_message(text=secret, quoted_text=secret, author={"id": secret, "name": secret})],
    )
    await bench.fold(told)
    await bench.fold(an_event(event="conversation.deleted", occurred_at="2026-03-02T10:00:00Z", messages=[]))
    [row] = await bench.fold(told | {"occurred_at": "2026-03-02T11:00:00Z"})
    assert row["status"] == "deleted"
    for table in ("conversation", "message", "survey"):
        rows = await bench.fetch(f"select t::text from ingest.{table} t where tenant_id = $1", bench.tenant)
        assert rows
        assert secret not in str(rows)


async def test_a_merged_conversation_names_its_target(bench: Bench) -> None:
    """It leaves the statistics, the target goes on."""
    [row] = await bench.fold(
        an_event(event="conversation.merged", conversation={"id": "1", "merged_into": "2"})
    )
    assert (row["status"], row["merged_into"]) == ("merged", "2")


async def test_surveys_are_kept_with_the_newest_answer(bench: Bench) -> None:
    """One of each kind; a changed answer replaces the old one."""

    def answered(score: int, at: str) -> dict[str, object]:
        return {
            "event": "csat.received",
            "occurred_at": at,
            "conversation": {
                "id": "1",
                "csat": {"score": score, "comment": "so lala", "at": at},
                "nps": {"score": 9},
            },
        }

    await bench.fold(an_event(), answered(2, "2026-03-03T08:00:00Z"))
    await bench.fold(answered(4, "2026-03-04T08:00:00Z"))
    rows = await bench.fetch(
        "select kind, score, comment, answered_at from ingest.survey_v1 where tenant_id = $1 order by kind",
        bench.tenant,
    )
    assert [tuple(row.values()) for row in rows] == [
        ("csat", 4.0, "so lala", datetime(2026, 3, 4, 8, 0, tzinfo=UTC)),
        ("nps", 9.0, None, None),
    ]


async def test_a_description_that_comes_again_as_a_message_is_shown_once(bench: Bench) -> None:
    """It was shown until its message came."""
    await bench.fold(an_event(messages=[a_message(id="desc-1")]))
    assert [message["id"] for message in await bench.messages()] == ["desc-1"]
    [row] = await bench.fold(an_event(messages=[a_message(id="m1")], occurred_at="2026-03-02T08:01:00Z"))
    assert [message["id"] for message in await bench.messages()] == ["m1"]
    assert row["message_count"] == 1


async def test_what_was_stored_and_not_told_is_told_with_the_repetition(bench: Bench) -> None:
    """As after a crash between the transaction and the publication."""
    await bench.fold(an_event())
    await bench.execute("update ingest.conversation set published_version = 0")
    [row] = await bench.fold(an_event())
    assert (row["version"], row["published_version"]) == (1, 1)
    assert [one["version"] for one in await bench.told()] == [1, 1]


async def test_poison_goes_to_the_dead_letters_with_its_reason(bench: Bench) -> None:
    """The conversations around it are folded, a tombstone is passed over."""

    def raw(value: bytes | None, **headers: str) -> Outgoing:
        named = {"ce_tenantid": bench.tenant, **headers}
        return Outgoing(
            topic=topics.TICKET_EVENTS,
            key=b"k",
            value=value,
            headers=tuple((name, content.encode()) for name, content in named.items()),
        )

    event = {"ce_specversion": "1.0", "ce_id": "1", "ce_source": "/x", "ce_type": "t"}
    webhook = event | {"ce_type": "com.pruefstein.webhook.received.v1"}
    long_id = orjson.dumps(an_event(conversation={"id": "1"}, messages=[a_message(id="x" * 257)]))
    await bench.ingest.producer.send(
        [
            raw(b"\xff\xfe garbage", **event),
            raw(b"{}", **event),
            raw(long_id, **event),
            raw(b"{}", **webhook, ce_vendor="nobody"),
            raw(b"[]", **webhook, ce_vendor="zendesk"),
            raw(None, **event),
            Outgoing(topic=topics.TICKET_EVENTS, key=None, value=orjson.dumps(an_event())),
        ]
    )
    rows = await bench.fold(an_event())
    assert len(rows) == 1
    letters = await bench.dead_letters()
    reasons = [letter["dlq.error.reason"].decode() for letter in letters]
    assert sorted(reasons)[:2] == ["invalid_event", "invalid_event"]
    assert {"invalid_json", "unknown_vendor", "no_tenant"} <= set(reasons)
    assert len(letters) == 6
    assert any(letter["value"] == b"\xff\xfe garbage" for letter in letters)


@pytest.mark.parametrize("mode", ["structured", "plain"])
async def test_other_producers_may_write_in_any_form(new_bench: NewBench, mode: str) -> None:
    """Structured CloudEvents and bare events; without a tenant in the record the set one counts."""
    bench = new_bench(default_tenant="the-only-one")
    await bench.skip()
    event = an_event(source="shop", conversation={"id": f"{mode}-1", "status": "open"})
    if mode == "structured":
        value: object = {"specversion": "1.0", "id": "1", "source": "/shop", "type": "t", "data": event}
        headers: Headers = (("content-type", b"application/cloudevents+json; charset=UTF-8"),)
    else:
        value, headers = event, ()
    record = Outgoing(topic=topics.TICKET_EVENTS, key=b"1", value=orjson.dumps(value), headers=headers)
    await bench.ingest.producer.send([record])
    await bench.consume()
    rows = await bench.fetch("select tenant_id, source, external_id from ingest.conversation")
    assert [tuple(row.values()) for row in rows] == [("the-only-one", "shop", f"{mode}-1")]


async def test_two_consumers_of_one_conversation_lose_nothing(new_bench: NewBench) -> None:
    """While partitions move, both may hold events of the same conversation: one waits for the other."""
    first, second = new_bench(), new_bench()
    second.tenant = first.tenant
    await asyncio.gather(first.skip(), second.skip())
    await first.produce(*(an_event(messages=[a_message(id=f"m{i}")]) for i in range(200)))
    await asyncio.gather(first.consume(), second.consume())
    [row] = await first.conversations()
    assert row["message_count"] == 200
    assert not await first.dead_letters()
    assert not await second.dead_letters()


async def test_messages_that_no_event_names_stay_as_they_are(bench: Bench) -> None:
    """Texts, quoted trails and languages: their columns are neither read nor written."""
    first = a_message(quoted_text="Am Montag schrieb Anna:")
    await bench.fold(an_event(messages=[first]))
    [row] = await bench.fold(an_event(messages=[AGENT], occurred_at="2026-03-02T08:10:00Z"))
    tagged = {"id": "1", "tags": ["vip"]}
    [after] = await bench.fold(
        an_event(
            event="conversation.updated",
            messages=[],
            occurred_at="2026-03-02T08:20:00Z",
            conversation=tagged,
        )
    )
    assert (row["language"], after["language"], after["message_count"]) == ("de", "de", 2)
    rows = await bench.fetch("select id, text, quoted_text, language from ingest.message order by id")
    assert [(one["id"], one["text"], one["quoted_text"], one["language"]) for one in rows] == [
        ("m1", first["text"], "Am Montag schrieb Anna:", "de"),
        ("m2", AGENT["text"], None, "de"),
    ]


async def test_what_an_earlier_release_stored_folds_on(bench: Bench) -> None:
    """Its rows have no mark of their texts, so the texts are read."""
    await bench.fold(an_event())
    await bench.execute("update ingest.message set registers = registers - 'mark'")
    [row] = await bench.fold(an_event(messages=[AGENT], occurred_at="2026-03-02T08:10:00Z"))
    assert (row["version"], row["language"], row["message_count"]) == (2, "de", 2)
    assert [message["text"] for message in await bench.messages()] == [a_message()["text"], AGENT["text"]]


async def test_a_deletion_takes_the_texts_that_were_not_read(bench: Bench) -> None:
    """The whole conversation's, whatever else the event names."""
    await bench.fold(an_event(messages=[a_message(quoted_text="Zitat"), AGENT]))
    await bench.fold(an_event(event="conversation.deleted", messages=[], occurred_at="2026-03-02T09:00:00Z"))
    rows = await bench.fetch("select text, quoted_text, author_name, registers from ingest.message")
    assert [(one["text"], one["quoted_text"], one["author_name"]) for one in rows] == [("", None, None)] * 2
