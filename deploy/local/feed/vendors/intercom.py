"""Intercom's notifications: the conversation as it is, with the part that triggered the topic."""

import hashlib
import hmac
import uuid
from datetime import datetime
from typing import Any, Final

from deploy.local.feed.people import Person
from deploy.local.feed.story import Line, Story
from deploy.local.feed.webhook import Webhook, as_json, epoch, html

APP: Final = "lkqcyt9t"
_SOURCES: Final = {
    "chat": "conversation",
    "email": "email",
    "messaging": "whatsapp",
    "social": "instagram",
    "phone": "phone_call",
    "form": "conversation",
}
_TOPICS: Final = {
    "customer": "conversation.user.replied",
    "agent": "conversation.admin.replied",
    "note": "conversation.admin.noted",
    "bot": "conversation.operator.replied",
    "system": "conversation.operator.replied",
}
_AUTHORS: Final = {"customer": "user", "agent": "admin", "note": "admin", "bot": "bot"}


def render(story: Story) -> list[Webhook]:
    """Created with the first message, one notification a part, closed, rated."""
    opening = story.lines[0]
    topic = "conversation.admin.single.created" if opening.role == "agent" else "conversation.user.created"
    told = [_webhook(story, topic, opening.at, says=(opening.id,))]
    told += [
        _webhook(story, _TOPICS[line.role], line.at, part=_part(line), says=(line.id,))
        for line in story.lines[1:]
    ]
    if story.solved_at is not None:
        closing = Line(id=story.id * 100 + 98, role="agent", at=story.solved_at, text="", author=story.agent)
        part = {**_part(closing), "part_type": "close", "body": None, "state": "closed"}
        told.append(_webhook(story, "conversation.admin.closed", story.solved_at, part=part, closed=True))
    if story.survey is not None:
        rating = {
            "rating": story.survey.score,
            "remark": story.survey.comment,
            "created_at": epoch(story.survey.at),
            "updated_at": epoch(story.survey.at),
        }
        told.append(_webhook(story, "conversation.rating.added", story.survey.at, rating=rating, closed=True))
    return told


def sign(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The body alone."""
    del now
    return {"X-Hub-Signature": f"sha1={hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}"}


def _webhook(
    story: Story,
    topic: str,
    at: datetime,
    *,
    part: dict[str, Any] | None = None,
    rating: dict[str, Any] | None = None,
    closed: bool = False,
    says: tuple[int, ...] = (),
) -> Webhook:
    parts = [] if part is None else [part]
    item = {
        **_item(story, at, closed=closed),
        "conversation_rating": rating or {},
        "conversation_parts": {
            "type": "conversation_part.list",
            "conversation_parts": parts,
            "total_count": len(parts),
        },
    }
    body = {
        "type": "notification_event",
        "app_id": APP,
        "data": {"type": "notification_event_data", "item": item},
        "links": {},
        "id": f"notif_{uuid.uuid4()}",
        "topic": topic,
        "delivery_status": "pending",
        "delivery_attempts": 1,
        "delivered_at": 0,
        "first_sent_at": epoch(at),
        "created_at": epoch(at),
        "self": None,
    }
    headers = {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "User-Agent": "intercom-parrot-service-client/1.0",
    }
    return Webhook(at=at, body=as_json(body), headers=headers, says=says)


def _item(story: Story, at: datetime, *, closed: bool) -> dict[str, Any]:
    opening = story.lines[0]
    answers = [line.at for line in story.lines if line.role == "agent" and line.at <= at]
    return {
        "type": "conversation",
        "id": str(story.id),
        "created_at": epoch(story.opened_at),
        "updated_at": epoch(at),
        "waiting_since": None,
        "snoozed_until": None,
        "source": {
            "type": _SOURCES[story.channel],
            "id": str(opening.id),
            "delivered_as": "customer_initiated",
            "subject": html(story.subject),
            "body": f"<p>{html(opening.text)}</p>",
            "author": _author(opening),
            "attachments": [],
            "url": None,
            "redacted": False,
        },
        "contacts": {
            "type": "contact.list",
            "contacts": [{"type": "contact", "id": str(story.customer.id), "external_id": None}],
        },
        "admin_assignee_id": story.agent.id,
        "team_assignee_id": story.team.id,
        "open": not closed,
        "state": "closed" if closed else "open",
        "read": False,
        "tags": {
            "type": "tag.list",
            "tags": [_tag(place, name) for place, name in enumerate(story.tags, start=1)],
        },
        "priority": "not_priority",
        "sla_applied": None,
        "statistics": {
            "type": "conversation_statistics",
            "first_admin_reply_at": epoch(answers[0]) if answers else None,
            "last_close_at": epoch(at) if closed else None,
            "count_reopens": 0,
        },
        "title": None,
        "custom_attributes": {"Language": {"de": "German", "en": "English"}[story.language]},
    }


def _tag(number: int, name: str) -> dict[str, str]:
    return {"type": "tag", "id": str(number), "name": name}


def _part(line: Line) -> dict[str, Any]:
    return {
        "type": "conversation_part",
        "id": str(line.id),
        "part_type": "note" if line.role == "note" else "comment",
        "body": f"<p>{html(line.text)}</p>",
        "created_at": epoch(line.at),
        "updated_at": epoch(line.at),
        "notified_at": epoch(line.at),
        "assigned_to": None,
        "author": _author(line),
        "attachments": [],
        "external_id": None,
        "redacted": False,
    }


def _author(line: Line) -> dict[str, Any]:
    person = line.author or Person(id=0, first="Workflow", last="", email="workflow@demo.example")
    return {
        "type": _AUTHORS.get(line.role, "workflow"),
        "id": str(person.id),
        "name": person.name,
        "email": person.email,
        "from_ai_agent": False,
    }
