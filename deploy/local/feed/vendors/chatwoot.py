"""Chatwoot's account webhooks: conversations and messages, the survey being a message too."""

import hashlib
import hmac
import uuid
from datetime import datetime
from typing import Any, Final

from deploy.local.feed.people import Person
from deploy.local.feed.story import Line, Story
from deploy.local.feed.webhook import Webhook, as_rails_json, epoch, millis

ACCOUNT: Final = {"id": 7, "name": "Demo GmbH"}
_CHANNELS: Final = {
    "chat": "Channel::WebWidget",
    "email": "Channel::Email",
    "messaging": "Channel::Whatsapp",
    "social": "Channel::Instagram",
    "form": "Channel::Api",
    "phone": "Channel::Api",
}
_INBOX: Final = {"id": 3, "name": "Demo"}


def render(story: Story) -> list[Webhook]:
    """Created, one webhook a message, resolved, rated."""
    opened = _conversation(story, story.opened_at, ())
    created = {**opened, "account": ACCOUNT, "event": "conversation_created"}
    told = [_webhook(created, story.opened_at, ())]
    for place, line in enumerate(story.lines, start=1):
        told.append(_webhook(_message(story, line, story.lines[:place]), line.at, (line.id,)))
    if story.solved_at is not None:
        solved = {
            **_conversation(story, story.solved_at, story.lines, solved=True),
            "account": ACCOUNT,
            "event": "conversation_status_changed",
            "changed_attributes": None,
        }
        told.append(_webhook(solved, story.solved_at, ()))
    if story.survey is not None:
        told.append(_webhook(_survey(story), story.survey.at, ()))
    return told


def sign(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """Time, a dot and the body."""
    stamp = str(epoch(now))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return {"X-Chatwoot-Timestamp": stamp, "X-Chatwoot-Signature": f"sha256={mac.hexdigest()}"}


def _webhook(body: dict[str, Any], at: datetime, says: tuple[int, ...]) -> Webhook:
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-Chatwoot-Delivery": str(uuid.uuid4()),
    }
    return Webhook(at=at, body=as_rails_json(body), headers=headers, says=says)


def _message(story: Story, line: Line, told: tuple[Line, ...]) -> dict[str, Any]:
    kind = {"customer": "incoming", "system": "template"}.get(line.role, "outgoing")
    return {
        "account": ACCOUNT,
        "additional_attributes": {},
        "content_attributes": {},
        "content_type": "text",
        "content": line.text,
        "conversation": {**_conversation(story, line.at, told), "account": ACCOUNT},
        "created_at": millis(line.at),
        "id": line.id,
        "inbox": _INBOX,
        "message_type": kind,
        "private": line.role == "note",
        "sender": _sender(line),
        "source_id": None,
        "event": "message_created",
    }


def _sender(line: Line) -> dict[str, Any] | None:
    if line.author is None:
        return None
    if line.role == "customer":
        return {"account": ACCOUNT, **_contact(line.author)}
    kind = "agent_bot" if line.role == "bot" else "user"
    return {"id": line.author.id, "name": line.author.name, "email": line.author.email, "type": kind}


def _contact(person: Person) -> dict[str, Any]:
    return {
        "additional_attributes": {},
        "custom_attributes": {},
        "email": person.email,
        "id": person.id,
        "identifier": None,
        "name": person.name,
        "phone_number": None,
        "thumbnail": "",
        "blocked": False,
    }


def _conversation(
    story: Story, at: datetime, told: tuple[Line, ...], *, solved: bool = False
) -> dict[str, Any]:
    answers = [line.at for line in told if line.role == "agent"]
    return {
        "additional_attributes": {"conversation_language": story.language, "mail_subject": story.subject},
        "can_reply": True,
        "channel": _CHANNELS[story.channel],
        "id": story.id,
        "inbox_id": _INBOX["id"],
        "messages": [],
        "labels": list(story.tags),
        "meta": {
            "sender": {**_contact(story.customer), "type": "contact"},
            "assignee": {"id": story.agent.id, "name": story.agent.name, "type": "user"},
            "assignee_type": "User",
            "team": {"id": story.team.id, "name": story.team.name},
            "hmac_verified": False,
        },
        "status": "resolved" if solved else "open",
        "custom_attributes": {},
        "snoozed_until": None,
        "unread_count": 0,
        "first_reply_created_at": millis(answers[0]) if answers else None,
        "priority": None,
        "waiting_since": 0,
        "last_activity_at": epoch(at),
        "timestamp": epoch(at),
        "created_at": epoch(story.opened_at),
        "updated_at": round(at.timestamp(), 6),
    }


def _survey(story: Story) -> dict[str, Any]:
    answer = story.survey
    assert answer is not None  # noqa: S101 - told by the caller
    asked = Line(id=story.id * 100 + 99, role="system", at=answer.at, text="1 2 3 4 5?", author=None)
    response = {"rating": answer.score, "feedback_message": answer.comment}
    values = {"submitted_values": {"csat_survey_response": response}, "display_type": "emoji"}
    return {
        **_message(story, asked, story.lines),
        "conversation": {**_conversation(story, answer.at, story.lines, solved=True), "account": ACCOUNT},
        "content_attributes": values,
        "content_type": "input_csat",
        "event": "message_updated",
    }
