"""What the demo feed sends is what the helpdesks would send."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from deploy.local.feed.payloads import VENDORS, Story, render, signed, story_from_record, vendors_for
from services.ingest.sources import SOURCES
from shared.domain.ticket_event import EventKind, MessageFacts, TicketEvent
from shared.errors import Unauthenticated

RECORDS = Path(__file__).parents[3] / "data" / "conversations"
SAMPLES = Path(__file__).parents[2] / "samples"
NOW = datetime(2026, 3, 2, 12, 0, 0, 123456, tzinfo=UTC)
SECRET = "a secret: ünd more"
SAMPLED = {
    "zendesk": ("ticket_created", "comment_added_agent", "status_changed_solved", "agent_assignment_changed"),
    "zammad": ("ticket_created", "agent_reply", "internal_note", "state_closed_no_article"),
    "chatwoot": (
        "conversation_created",
        "message_created_incoming",
        "message_created_incoming_email",
        "message_created_outgoing_agent",
        "conversation_status_changed_resolved",
        "message_updated_csat",
    ),
    "intercom": (
        "conversation_user_created",
        "conversation_admin_replied",
        "conversation_admin_closed",
        "conversation_rating_added",
    ),
    "helpscout": (
        "convo_created",
        "convo_agent_reply_created",
        "convo_status_closed",
        "satisfaction_ratings",
    ),
    "freshdesk": ("default_ticket_created", "default_status_changed", "default_private_note"),
}


def records(limit: int = 60) -> list[dict[str, Any]]:
    """Some of every file, all channels and roles among them."""
    files = sorted(RECORDS.glob("*.jsonl"))
    lines = [line for file in files for line in file.read_text().splitlines()[: limit // len(files)]]
    return [json.loads(line) for line in lines]


def story(record: Mapping[str, Any], number: int = 7) -> Story:
    """The record in the present, always solved and rated."""
    for seed in range(1000):
        told = story_from_record(record, story_id=number, ends_at=NOW, chance=random.Random(seed))
        if told.survey is not None:
            return told
    raise AssertionError("no seed gives a survey")


def events(vendor: str, told: Story) -> list[TicketEvent]:
    """What ingest makes of the story's webhooks, signatures checked."""
    source = SOURCES[vendor]
    found: list[TicketEvent] = []
    for webhook in render(vendor, told):
        headers = signed(vendor, webhook, secret=SECRET, now=NOW)
        lower = {name.lower(): value for name, value in headers.items()}
        source.verify(webhook.body, lower, secret=SECRET, now=NOW)
        found += source.parse(json.loads(webhook.body), lower)
    return found


def messages(found: list[TicketEvent]) -> list[MessageFacts]:
    """Each message once, in the order in which they came; a survey that is a message is none."""
    spoken = [event for event in found if event.kind is not EventKind.CSAT_RECEIVED]
    return list({message["id"]: message for event in spoken for message in event.messages}.values())


def plain(text: str) -> str:
    """Text without the differences that HTML does not keep."""
    return " ".join(text.split())


def all_text(message: MessageFacts) -> str:
    """The text with the quoted trail that was cut from it."""
    return plain(f"{message.get('text', '')} {message.get('quoted_text') or ''}")


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_message_arrives_with_its_role_and_text(vendor: str) -> None:
    """What the helpdesk tells is what was said, nothing more and nothing less."""
    for record in records():
        told = story(record)
        if vendor == "freshdesk" and vendor not in vendors_for(told):
            continue
        found = messages(events(vendor, told))
        no_bots = vendor == "zammad" or (vendor == "zendesk" and told.channel != "messaging")
        bot = "system" if no_bots else "bot"
        expected = [bot if line.role == "bot" else line.role for line in told.lines]
        assert [str(message["role"]) for message in found] == expected, record["id"]
        for message, line in zip(found, told.lines, strict=True):
            assert set(plain(line.text).split()) <= set(all_text(message).split()) | {">"}, record["id"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_story_ends_solved_and_rated(vendor: str) -> None:
    """The last state of the conversation is solved, and the customer's answer is on our scale."""
    record = {**records()[0], "labels": {"resolved": "yes", "csat": 5}}
    found = events(vendor, story(record))
    statuses = [str(event.conversation["status"]) for event in found if event.conversation.get("status")]
    assert statuses[-1] in ("solved", "closed")
    answers = [event.conversation["csat"] for event in found if event.conversation.get("csat")]
    if vendor != "zammad":  # it asks nobody
        assert answers
        assert answers[-1] is not None
        assert 1 <= answers[-1]["score"] <= 5


@pytest.mark.parametrize("vendor", VENDORS)
def test_all_webhooks_of_a_story_tell_of_one_conversation(vendor: str) -> None:
    """One conversation, begun by a creation, told in the order of time."""
    found = events(vendor, story(records()[1]))
    assert {event.conversation["id"] for event in found} == {"7"}
    assert found[0].kind is EventKind.CONVERSATION_CREATED
    # Helpdesks round differently: some to the second.
    moments = [event.occurred_at.replace(microsecond=0) for event in found if event.occurred_at is not None]
    assert moments == sorted(moments)


@pytest.mark.parametrize("vendor", VENDORS)
def test_an_altered_body_is_refused(vendor: str) -> None:
    """The signature covers the body, or the secret is compared."""
    webhook = render(vendor, story(records()[0]))[0]
    headers = signed(vendor, webhook, secret="another", now=NOW)
    lower = {name.lower(): value for name, value in headers.items()}
    with pytest.raises(Unauthenticated):
        SOURCES[vendor].verify(webhook.body, lower, secret=SECRET, now=NOW)


@pytest.mark.parametrize("record", records(12), ids=lambda record: str(record["id"]))
def test_a_story_has_happened_by_its_end(record: Mapping[str, Any]) -> None:
    """Turns keep their order, their gaps up to the limit, and none lies in the future."""
    told = story(record)
    moments = [line.at for line in told.lines]
    assert moments == sorted(moments)
    assert told.solved_at is not None
    assert moments[-1] < told.solved_at < NOW
    original = [datetime.fromisoformat(message["at"]) for message in record["messages"]]
    for (earlier, later), (first, second) in zip(pairwise(original), pairwise(moments), strict=True):
        if timedelta(seconds=1) <= later - earlier <= timedelta(hours=30):
            assert second - first == later - earlier


def keys(value: object, path: str = "") -> set[str]:
    """The paths of all keys; the members of lists count as one."""
    if isinstance(value, dict):
        own = {f"{path}.{name}" for name in value}
        return own.union(*(keys(inner, f"{path}.{name}") for name, inner in value.items()))
    if isinstance(value, list):
        return set[str]().union(*(keys(inner, f"{path}[]") for inner in value))
    return set()


@pytest.mark.parametrize("vendor", sorted(SAMPLED))
def test_bodies_have_the_shape_of_the_samples(vendor: str) -> None:
    """No key that the helpdesk does not send."""
    known: set[str] = set()
    for name in SAMPLED[vendor]:
        known |= keys(json.loads((SAMPLES / vendor / f"{name}.json").read_text()))
    invented = {
        # Sent by the helpdesk, in no sample.
        "zendesk": {
            ".event.satisfaction_score",
            ".event.satisfaction_score.score",
            ".event.satisfaction_score.comment",
        },
        # Our own template.
        "freshdesk": {".freshdesk_webhook.satisfaction_rating", ".freshdesk_webhook.satisfaction_comment"},
        # Mail subjects stand with the messages in the samples.
        "chatwoot": {".additional_attributes.mail_subject"},
    }
    for record in records(24):
        told = story(record)
        if vendor == "zendesk" and told.channel == "messaging":
            continue
        for webhook in render(vendor, told):
            assert keys(json.loads(webhook.body)) - known <= invented.get(vendor, set())
