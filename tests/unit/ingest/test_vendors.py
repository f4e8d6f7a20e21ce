"""What helpdesks do besides their samples."""

import copy
from typing import Any

import pytest

from services.ingest.sources import SOURCES, Disposition
from shared.contracts.v1.ticket_event import ticket_event_json
from shared.domain.ticket_event import DESCRIPTION_ID_PREFIX
from shared.errors import Rejected
from tests.unit.ingest.samples import one


def sample(vendor: str, name: str) -> tuple[Any, dict[str, str]]:
    """A body to be changed, with its headers."""
    signed = one(vendor, name)
    return copy.deepcopy(signed.payload), signed.headers


def parsed(vendor: str, payload: object, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """The one event, as JSON."""
    (event,) = SOURCES[vendor].parse(payload, headers or {})
    return ticket_event_json(event)


@pytest.mark.parametrize(
    ("vendor", "payload", "headers"),
    [
        ("zendesk", {"type": "zen:event-type:user.created", "id": "x"}, {}),
        ("zendesk", {"type": "zen:event-type:ticket.danced", "id": "x"}, {}),
        ("chatwoot", {"event": "contact_updated", "id": 1}, {}),
        ("chatwoot", {"event": "conversation_typing_on"}, {}),
        ("intercom", {"topic": "contact.created", "data": {"item": {"id": "1"}}}, {}),
        ("helpscout", {"id": 1}, {"x-helpscout-event": "customer.created"}),
    ],
)
def test_unknown_types_are_ignored(vendor: str, payload: object, headers: dict[str, str]) -> None:
    """They are accepted and counted, and make no event."""
    assert SOURCES[vendor].glance(payload, headers).disposition is Disposition.IGNORED
    assert SOURCES[vendor].parse(payload, headers) == []


@pytest.mark.parametrize(
    ("vendor", "payload"),
    [
        ("zendesk", {"id": "x"}),
        ("zendesk", {"type": "zen:event-type:ticket.created", "detail": {}}),
        ("zammad", {"ticket": {}}),
        ("chatwoot", {"event": "message_created", "conversation": {"id": None}}),
        ("intercom", {"topic": "conversation.read", "data": {"item": {}}}),
        ("freshdesk", {"freshdesk_webhook": {"ticket_id": {}}}),
        ("helpscout", {"id": 1}),
        ("generic", {"event": "ping", "occurred_at": "yesterday"}),
        ("generic", []),
    ],
)
def test_what_belongs_nowhere_is_rejected(vendor: str, payload: object) -> None:
    """Already at the door."""
    with pytest.raises(Rejected):
        SOURCES[vendor].glance(payload, {})


def test_zendesk_comments_are_by_their_author_and_visibility() -> None:
    """Staff, customer, nobody; private beats them all."""
    body, _ = sample("zendesk", "comment_added_agent")
    roles = []
    for is_public, author in [
        (True, {"id": 5, "is_staff": False, "name": "x"}),
        (True, None),
        (True, {"id": -1, "is_staff": True}),
        (False, {"id": 5, "is_staff": False}),
        (False, None),
    ]:
        body["event"]["comment"] |= {"is_public": is_public, "author": author}
        roles.append(parsed("zendesk", body)["messages"][0]["role"])
    assert roles == ["customer", "system", "system", "note", "note"]


def test_zendesk_soft_deletion_is_a_status_and_permanent_deletion_an_event() -> None:
    """The first can be undone."""
    body, _ = sample("zendesk", "status_changed_solved")
    told = []
    for kind in ("soft_deleted", "undeleted", "permanently_deleted", "marked_as_spam"):
        event = parsed("zendesk", {**body, "type": f"zen:event-type:ticket.{kind}"})
        told.append((event["event"].removeprefix("conversation."), event["conversation"]["status"]))
    assert told == [
        ("status_changed", "deleted"),
        ("status_changed", "solved"),
        ("deleted", "solved"),
        ("status_changed", "spam"),
    ]


def test_zendesk_redactions_delete_and_hidden_comments_become_notes() -> None:
    """Only a reference comes; the rest is to be fetched."""
    body, _ = sample("zendesk", "status_changed_solved")
    body["event"] = {"comment": {"id": 77}}
    redacted = parsed("zendesk", {**body, "type": "zen:event-type:ticket.comment_redacted"})
    hidden = parsed("zendesk", {**body, "type": "zen:event-type:ticket.comment_made_private"})
    assert (redacted["event"], redacted["messages"]) == ("message.deleted", [{"id": "77", "deleted": True}])
    assert (hidden["messages"], hidden["needs_fetch"]) == ([{"id": "77", "role": "note"}], True)


def test_zendesk_labels_may_be_german() -> None:
    """A trigger's placeholders speak the account's language."""
    body, headers = sample("zendesk", "trigger_template_csat")
    body |= {"ticket_status": "Gelöst", "satisfaction_rating": "Schlecht", "ticket_via": "Webformular"}
    event = parsed("zendesk", body, headers)
    assert event["conversation"]["status"] == "solved"
    assert event["conversation"]["channel"] == "form"
    assert event["conversation"]["csat"] == {
        "score": 1,
        "raw": "Schlecht",
        "comment": "Sehr freundlich, danke!",
    }


def test_zammad_merges_are_marked_and_custom_states_keep_their_name() -> None:
    """The note of a merge is no first reply."""
    body, headers = sample("zammad", "internal_note")
    body["ticket"]["state"] = "merged"
    body["article"] |= {"internal": False, "type": "note", "body": "merged"}
    merged = parsed("zammad", body, headers)
    assert (merged["event"], merged["messages"][0]["role"]) == ("conversation.merged", "system")
    body["ticket"]["state"] = "wartet auf Lager"
    custom = parsed("zammad", body, headers)["conversation"]
    assert (custom["status"], custom["status_raw"]) == (None, "wartet auf Lager")


def test_zammad_names_the_person_who_is_meant() -> None:
    """Agents type phone calls on behalf of customers."""
    body, headers = sample("zammad", "agent_reply")
    body["article"] |= {"origin_by_id": 217, "sender": "Customer", "type": "phone"}
    message = parsed("zammad", body, headers)["messages"][0]
    assert (message["role"], message["author"]) == ("customer", {"id": "217", "name": "Thomas Krüger"})


def test_chatwoot_tells_people_from_machines() -> None:
    """Bots, automations, templates, automatic replies and notes."""
    body, headers = sample("chatwoot", "message_created_outgoing_agent")
    changes: list[dict[str, Any]] = [
        {"sender": {"id": 1, "type": "agent_bot"}},
        {"sender": {"id": 1, "type": "captain_assistant"}},
        {"sender": None},
        {"message_type": "template"},
        {"message_type": "incoming", "sender": {"id": 1}},
        {"message_type": "incoming", "content_attributes": {"email": {"auto_reply": True}}},
        {"private": True},
    ]
    events = [parsed("chatwoot", {**body, **change}, headers) for change in changes]
    roles = [event["messages"][0]["role"] for event in events]
    assert roles == ["bot", "bot", "system", "system", "customer", "system", "note"]


def test_chatwoot_deletions_leave_no_text() -> None:
    """The localised sentence in the place of the content is not the agent's."""
    body, headers = sample("chatwoot", "message_created_outgoing_agent")
    body |= {"event": "message_updated", "content_attributes": {"deleted": True}, "content": "Gelöscht"}
    event = parsed("chatwoot", body, headers)
    assert event["event"] == "message.deleted"
    assert event["messages"][0]["deleted"] is True
    assert "text" not in event["messages"][0]


def test_chatwoot_ignores_the_message_inside_the_conversation() -> None:
    """It may be another one."""
    body, headers = sample("chatwoot", "conversation_created")
    assert parsed("chatwoot", body, headers)["messages"] == []


def test_intercom_replies_inside_other_parts_are_messages() -> None:
    """A reply may close or open the conversation; an AI agent is a bot."""
    body, _ = sample("intercom", "conversation_admin_closed")
    part = body["data"]["item"]["conversation_parts"]["conversation_parts"][0]
    part |= {"body": "<p>Done.</p>", "author": {"type": "admin", "id": "1", "from_ai_agent": True}}
    event = parsed("intercom", body)
    assert event["event"] == "conversation.status_changed"
    assert [(m["role"], m["text"]) for m in event["messages"]] == [("bot", "Done.")]


def test_intercom_redactions_and_deletions_are_told() -> None:
    """With nothing but ids."""
    body, _ = sample("intercom", "conversation_admin_replied")
    body["topic"] = "conversation_part.redacted"
    part = body["data"]["item"]["conversation_parts"]["conversation_parts"][0]
    part |= {"redacted": True, "body": "<p><i>This message was deleted</i></p>"}
    event = parsed("intercom", body)
    assert (event["event"], event["messages"][0]["deleted"]) == ("message.deleted", True)
    assert "text" not in event["messages"][0]
    gone = {"topic": "conversation.deleted", "id": "n", "data": {"item": {"id": 9}}}
    assert parsed("intercom", gone)["event"] == "conversation.deleted"


def test_intercom_reopening_empties_solved_at() -> None:
    """The statistics still hold the last closing."""
    body, _ = sample("intercom", "conversation_rating_added")
    body["data"]["item"] |= {"state": "open", "team_assignee_id": 0}
    told = parsed("intercom", body)["conversation"]
    assert (told["status"], told["solved_at"], told["team"]) == ("open", None, None)


def test_freshdesk_comments_get_an_id_that_follows_from_their_text() -> None:
    """The same comment in two webhooks is one message."""
    body, headers = sample("freshdesk", "default_private_note")
    first, again = parsed("freshdesk", body, headers), parsed("freshdesk", copy.deepcopy(body), headers)
    assert first["messages"] == again["messages"]
    body["freshdesk_webhook"] |= {
        "triggered_event": "{note_type:public}",
        "ticket_latest_public_comment": "Petra Lange : <div>Immer noch <b>nichts</b></div>",
    }
    message = parsed("freshdesk", body, headers)["messages"][0]
    assert (message["role"], message["text"], message["author"]) == (
        "customer",
        "Immer noch nichts",
        {"name": "Petra Lange"},
    )


def test_freshdesk_satisfaction_is_linear_over_seven_steps() -> None:
    """From -103 to 103, with nothing in between the hundreds."""
    body, _ = sample("freshdesk", "custom_template_ids_only")
    steps = [{**body, "satisfaction_rating": raw} for raw in (-103, "-102", -101, 100, 103)]
    scores = [parsed("freshdesk", step)["conversation"]["csat"]["score"] for step in steps]
    assert scores == pytest.approx([1, 1 + 2 / 3, 1 + 4 / 3, 3, 5])


def test_help_scout_drafts_are_no_messages_and_forwards_are_notes() -> None:
    """Neither reaches the customer."""
    body, headers = sample("helpscout", "convo_agent_reply_created")
    newest, oldest = body["_embedded"]["threads"]
    newest["state"] = "draft"
    oldest["type"] = "forwardchild"
    assert [m["role"] for m in parsed("helpscout", body, headers)["messages"]] == ["note"]


def test_help_scouts_stamp_follows_a_later_reply_of_the_customer() -> None:
    """`userUpdatedAt` is about users only."""
    body, headers = sample("helpscout", "convo_agent_reply_created")
    body["_embedded"]["threads"][0]["createdAt"] = "2026-03-02T11:00:00Z"
    assert parsed("helpscout", body, headers)["occurred_at"] == "2026-03-02T11:00:00Z"


def test_the_generic_source_takes_messages_as_html() -> None:
    """Their text is made by the rules; the source's own name stays."""
    event = parsed(
        "generic",
        {
            "source": "own-desk",
            "event": "message.added",
            "conversation": {"id": 1},
            "messages": [{"id": 2, "role": "customer", "html": "<p>Hallo</p><blockquote type=cite>x"}],
        },
    )
    assert (event["source"], event["conversation"]) == ("own-desk", {"id": "1"})
    assert (event["messages"][0]["text"], event["messages"][0]["quoted_text"]) == ("Hallo", "x")


def test_a_description_has_an_id_that_the_fold_knows() -> None:
    """So that it can step back."""
    body, headers = sample("zendesk", "ticket_created")
    assert parsed("zendesk", body, headers)["messages"][0]["id"] == f"{DESCRIPTION_ID_PREFIX}5158"
