"""Our own webhook: canonical events, for systems that no other source knows."""

import hashlib
import hmac
import uuid
from datetime import datetime
from typing import Any, Final

from deploy.local.feed.story import Line, Story
from deploy.local.feed.webhook import Webhook, as_json, epoch, millis

ACCOUNT: Final = "demo-shop"


def render(story: Story) -> list[Webhook]:
    """Created with the first message, one event a message, solved, rated."""
    told = []
    for place, line in enumerate(story.lines):
        event = "conversation.created" if place == 0 else "message.added"
        said = [_message(line)]
        told.append(_webhook(story, event, line.at, {"status": "open"}, messages=said, says=(line.id,)))
    if story.solved_at is not None:
        facts = {"status": "solved", "solved_at": millis(story.solved_at)}
        told.append(_webhook(story, "conversation.status_changed", story.solved_at, facts))
    if story.survey is not None:
        answer: dict[str, Any] = {"score": story.survey.score, "comment": story.survey.comment or None}
        told.append(_webhook(story, "csat.received", story.survey.at, {"csat": answer}))
    return told


def sign(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """Time, a dot and the body."""
    stamp = str(epoch(now))
    mac = hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256)
    return {"X-Pruefstein-Timestamp": stamp, "X-Pruefstein-Signature": f"sha256={mac.hexdigest()}"}


def _webhook(
    story: Story,
    event: str,
    at: datetime,
    facts: dict[str, Any],
    *,
    messages: list[dict[str, Any]] | None = None,
    says: tuple[int, ...] = (),
) -> Webhook:
    body = {
        "source": "generic",
        "account_id": ACCOUNT,
        "delivery_id": str(uuid.uuid4()),
        "event": event,
        "occurred_at": millis(at),
        "conversation": {
            "id": str(story.id),
            "channel": story.channel,
            "subject": story.subject,
            "language": story.language,
            "tags": list(story.tags),
            "team": {"id": str(story.team.id), "name": story.team.name},
            "assignee": _person(story.agent.id, story.agent.name, story.agent.email, "agent"),
            "customer": _person(story.customer.id, story.customer.name, story.customer.email, None),
            "created_at": millis(story.opened_at),
            "updated_at": millis(at),
            **facts,
        },
        "messages": messages or [],
    }
    return Webhook(at=at, body=as_json(body), headers={"Content-Type": "application/json"}, says=says)


def _person(number: int, name: str, email: str, kind: str | None) -> dict[str, Any]:
    told: dict[str, Any] = {"id": str(number), "name": name, "email": email}
    return told if kind is None else {**told, "kind": kind}


def _message(line: Line) -> dict[str, Any]:
    author = None if line.author is None else {"id": str(line.author.id), "name": line.author.name}
    return {"id": str(line.id), "role": line.role, "at": millis(line.at), "text": line.text, "author": author}
