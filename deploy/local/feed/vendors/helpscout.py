"""Help Scout's webhooks: the whole conversation each time, threads newest first; the event is a header."""

import base64
import hashlib
import hmac
from datetime import datetime
from typing import Any, Final

from deploy.local.feed.people import Person
from deploy.local.feed.story import Line, Story
from deploy.local.feed.webhook import Webhook, as_json, html, seconds

_TYPES: Final = {"chat": "chat", "phone": "phone"}
_EVENTS: Final = {
    "customer": "convo.customer.reply.created",
    "agent": "convo.agent.reply.created",
    "note": "convo.note.created",
}
_THREADS: Final = {"customer": "customer", "agent": "message", "note": "note", "bot": "chat"}


def render(story: Story) -> list[Webhook]:
    """Created, one webhook a thread, closed, rated."""
    told = []
    for count, line in enumerate(story.lines, start=1):
        event = "convo.created" if count == 1 else _EVENTS.get(line.role, "convo.agent.reply.created")
        told.append(_webhook(event, _conversation(story, count, line.at), line.at, (line.id,)))
    if story.solved_at is not None:
        closed = _conversation(story, len(story.lines), story.solved_at, closed=True)
        told.append(_webhook("convo.status", closed, story.solved_at, ()))
    if story.survey is not None:
        told.append(_webhook("satisfaction.ratings", _rating(story), story.survey.at, ()))
    return told


def sign(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """The body alone."""
    del now
    mac = hmac.digest(secret.encode(), body, hashlib.sha1)
    return {"X-HelpScout-Signature": base64.b64encode(mac).decode()}


def _webhook(event: str, body: dict[str, Any], at: datetime, says: tuple[int, ...]) -> Webhook:
    headers = {"Content-Type": "application/json", "X-HelpScout-Event": event}
    return Webhook(at=at, body=as_json(body), headers=headers, says=says)


def _conversation(story: Story, count: int, at: datetime, *, closed: bool = False) -> dict[str, Any]:
    opening = story.lines[0]
    return {
        "id": story.id,
        "number": story.id % 10**8,
        "threads": count,
        "type": _TYPES.get(story.channel, "email"),
        "folderId": 493,
        "status": "closed" if closed else "active",
        "state": "published",
        "subject": story.subject,
        "preview": opening.text[:100],
        "mailboxId": story.team.id,
        "assignee": _named(story.agent),
        "createdBy": _person(opening.author, opening.role),
        "createdAt": seconds(story.opened_at),
        "closedBy": story.agent.id if closed else 0,
        "closedAt": seconds(at) if closed else None,
        "userUpdatedAt": seconds(at),
        "source": {"type": "email", "via": "customer"},
        "tags": [{"id": place, "color": "#929499", "tag": tag} for place, tag in enumerate(story.tags, 9150)],
        "cc": [],
        "bcc": [],
        "primaryCustomer": _person(story.customer, "customer"),
        "customFields": [],
        "_embedded": {"threads": [_thread(story, line) for line in reversed(story.lines[:count])]},
    }


def _thread(story: Story, line: Line) -> dict[str, Any]:
    return {
        "id": line.id,
        "type": _THREADS.get(line.role, "lineitem"),
        "status": "active",
        "state": "published",
        "action": {"type": "default", "text": None, "associatedEntities": {}},
        "body": html(line.text),
        "customer": _person(story.customer, "customer"),
        "createdBy": _person(line.author, line.role),
        "assignedTo": None,
        "savedReplyId": 0,
        "to": [],
        "cc": [],
        "bcc": [],
        "createdAt": seconds(line.at),
        "openedAt": None,
    }


def _named(person: Person) -> dict[str, Any]:
    return {"id": person.id, "first": person.first, "last": person.last, "email": person.email}


def _person(person: Person | None, role: str) -> dict[str, Any]:
    kind = {"customer": "customer", "bot": "bot"}.get(role, "user")
    known = person or Person(id=1, first="Help", last="Scout", email="none@demo.example")
    return {"type": kind, **_named(known)}


def _rating(story: Story) -> dict[str, Any]:
    answer, customer = story.survey, story.customer
    assert answer is not None  # noqa: S101 - told by the caller
    return {
        "id": story.id,
        "customer": {"id": customer.id, "firstName": customer.first, "lastName": customer.last},
        "ticketId": story.id,
        "threadId": story.lines[-1].id,
        "mailbox": {"id": story.team.id, "name": story.team.name},
        "rating": "Great" if answer.score > 3 else "Okay" if answer.score == 3 else "Bad",
        "comments": answer.comment,
        "createdAt": seconds(answer.at),
        "modifiedAt": seconds(answer.at),
    }
