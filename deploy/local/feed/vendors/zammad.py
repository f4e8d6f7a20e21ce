"""Zammad's trigger webhooks: the ticket as it is, and the article that fired the trigger."""

import hashlib
import hmac
import uuid
from datetime import datetime
from typing import Any, Final

from deploy.local.feed.people import Person
from deploy.local.feed.story import Line, Story
from deploy.local.feed.webhook import Webhook, as_rails_json, html, millis

_TYPES: Final = {
    "email": "email",
    "form": "web",
    "phone": "phone",
    "chat": "chat",
    "messaging": "whatsapp",
    "social": "twitter status",
}
_SENDERS: Final = {"customer": ("Customer", 2), "agent": ("Agent", 1), "note": ("Agent", 1)}


def render(story: Story) -> list[Webhook]:
    """Created, one webhook an article, closed. Zammad asks nobody how content they are."""
    told = []
    for count, line in enumerate(story.lines, start=1):
        trigger = "autoqa: ticket created" if count == 1 else "autoqa: article added"
        body = {"ticket": _ticket(story, count, line.at, None), "article": _article(story, line)}
        told.append(_webhook(trigger, body, line.at, (line.id,)))
    if story.solved_at is not None:
        ticket = _ticket(story, len(story.lines), story.solved_at, story.solved_at)
        told.append(_webhook("autoqa: state changed", {"ticket": ticket, "article": {}}, story.solved_at, ()))
    return told


def sign(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The body alone."""
    del now
    return {"X-Hub-Signature": f"sha1={hmac.new(secret.encode(), body, hashlib.sha1).hexdigest()}"}


def _webhook(trigger: str, body: dict[str, Any], at: datetime, says: tuple[int, ...]) -> Webhook:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": "Zammad User Agent",
        "X-Zammad-Trigger": trigger,
        "X-Zammad-Delivery": str(uuid.uuid4()),
    }
    return Webhook(at=at, body=as_rails_json(body), headers=headers, says=says)


def _ticket(story: Story, count: int, at: datetime, closed_at: datetime | None) -> dict[str, Any]:
    told = story.lines[:count]
    answers = [line.at for line in told if line.role == "agent"]
    questions = [line.at for line in told if line.role == "customer"]
    state, state_id = ("closed", 4) if closed_at else (("new", 1) if count == 1 else ("open", 2))
    return {
        "article_count": count,
        "article_ids": [line.id for line in told],
        "close_at": _moment(closed_at),
        "create_article_sender": _SENDERS.get(story.lines[0].role, ("System", 3))[0],
        "create_article_type": _TYPES[story.channel],
        "created_at": millis(story.opened_at),
        "customer": _user(story.customer, "Customer", story.opened_at),
        "customer_id": story.customer.id,
        "escalation_at": None,
        "first_response_at": _moment(answers[0] if answers else None),
        "group": {"id": story.team.id, "name": story.team.name, "active": True},
        "group_id": story.team.id,
        "id": story.id,
        "last_close_at": _moment(closed_at),
        "last_contact_agent_at": _moment(answers[-1] if answers else None),
        "last_contact_at": _moment(max(answers + questions, default=None)),
        "last_contact_customer_at": _moment(questions[-1] if questions else None),
        "note": None,
        "number": str(story.id % 10**9),
        "organization": {},
        "organization_id": None,
        "owner": _user(story.agent, "Agent", story.opened_at),
        "owner_id": story.agent.id,
        "pending_time": None,
        "preferences": {"channel_id": 3},
        "priority": {"active": True, "id": 2, "name": "2 normal"},
        "priority_id": 2,
        "state": state,
        "state_id": state_id,
        "title": story.subject,
        "type": None,
        "updated_at": millis(at),
    }


def _article(story: Story, line: Line) -> dict[str, Any]:
    sender, sender_id = _SENDERS.get(line.role, ("System", 3))
    author = line.author
    return {
        "attachments": [],
        "body": f"<div>{html(line.text)}</div>",
        "cc": "",
        "content_type": "text/html",
        "created_at": millis(line.at),
        "created_by": _user(author, sender, line.at) if author else {},
        "created_by_id": author.id if author else 1,
        "from": f"{author.name} <{author.email}>" if author else "",
        "id": line.id,
        "in_reply_to": None,
        "internal": line.role == "note",
        "message_id": None,
        "origin_by_id": None,
        "preferences": {},
        "sender": sender,
        "sender_id": sender_id,
        "subject": story.subject,
        "ticket_id": story.id,
        "type": "note" if line.role == "note" else _TYPES[story.channel],
        "updated_at": millis(line.at),
    }


def _user(person: Person, role: str, at: datetime) -> dict[str, Any]:
    return {
        "active": True,
        "created_at": millis(at),
        "email": person.email,
        "firstname": person.first,
        "id": person.id,
        "lastname": person.last,
        "login": person.email,
        "roles": [role],
        "updated_at": millis(at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else millis(at)
