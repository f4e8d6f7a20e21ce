"""Zendesk's event subscriptions: tickets with comments, and the messaging channels."""

import base64
import hashlib
import hmac
import uuid
from datetime import datetime, timedelta
from typing import Any, Final

from deploy.local.feed.story import Line, Story
from deploy.local.feed.webhook import Webhook, as_json, seconds

ACCOUNT: Final = 22129848
_BASE: Final = 8_447_000_000_000
_VIA: Final = {"email": "email", "form": "web", "phone": "voice", "chat": "chat", "social": "twitter"}
_ACTOR: Final = {"customer": "end_user", "agent": "agent"}


def render(story: Story) -> list[Webhook]:
    """Created, assigned, one webhook a message, solved, rated."""
    messaging = story.channel == "messaging"
    told = [_created(story), _assigned(story)]
    told += [
        _message(story, line) if messaging and line.role != "note" else _comment(story, line)
        for line in story.lines[1 if _described(story) else 0 :]
    ]
    if story.solved_at is not None:
        change = {"current": "SOLVED", "previous": "OPEN", "meta": _meta(story, 90)}
        told.append(_event(story, "ticket.status_changed", change, story.solved_at, "SOLVED"))
    if story.survey is not None and story.survey.score != 3:  # there is good and bad only
        score = {"score": "GOOD" if story.survey.score > 3 else "BAD", "comment": story.survey.comment}
        rated = {"satisfaction_score": score, "meta": _meta(story, 91)}
        told.append(_event(story, "ticket.csat_received", rated, story.survey.at, "SOLVED"))
    return told


def sign(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """Time and body, without a separator."""
    stamp = seconds(now)
    mac = hmac.digest(secret.encode(), stamp.encode() + body, hashlib.sha256)
    return {
        "X-Zendesk-Webhook-Signature-Timestamp": stamp,
        "X-Zendesk-Webhook-Signature": base64.b64encode(mac).decode(),
    }


def _described(story: Story) -> bool:
    """Whether the first message is the ticket's description; in the messaging channels there is none."""
    return story.channel != "messaging" and story.lines[0].role in ("customer", "agent")


def _created(story: Story) -> Webhook:
    event = {"meta": _meta(story, 1)}
    says = (story.lines[0].id,) if _described(story) else ()
    return _event(story, "ticket.created", event, story.opened_at, "NEW", says=says, assigned=False)


def _assigned(story: Story) -> Webhook:
    event = {"current": str(_BASE + story.agent.id), "previous": None, "meta": _meta(story, 2)}
    at = story.opened_at + timedelta(milliseconds=500)  # before anything is answered
    return _event(story, "ticket.agent_assignment_changed", event, at)


def _comment(story: Story, line: Line) -> Webhook:
    staff = line.role in ("agent", "note")
    author = {"id": -1, "is_staff": False, "name": "System"}
    if line.author is not None and line.role != "bot":
        author = {"id": _BASE + line.author.id, "is_staff": staff, "name": line.author.name}
    comment = {"id": line.id, "body": line.text, "is_public": line.role != "note", "author": author}
    event = {"comment": comment, "meta": _meta(story, line.id % 100)}
    return _event(story, "ticket.comment_added", event, line.at, says=(line.id,))


def _message(story: Story, line: Line) -> Webhook:
    actor = {"id": "zd:answerBot", "name": "Answer Bot", "type": "system"}
    if line.author is not None and line.role in _ACTOR:
        actor = {"id": str(_BASE + line.author.id), "name": line.author.name, "type": _ACTOR[line.role]}
    elif line.role == "system":
        actor = {"id": str(_BASE), "name": "Trigger", "type": "trigger"}
    event = {
        "actor": actor,
        "conversation_id": f"{story.id:024x}",
        "message": {"body": line.text, "id": f"{line.id:024x}"},
    }
    return _event(story, "messaging_ticket.message_added", event, line.at, says=(line.id,))


def _meta(story: Story, position: int) -> dict[str, Any]:
    return {"sequence": {"id": f"01{story.id:013X}", "position": position}}


def _event(
    story: Story,
    kind: str,
    event: dict[str, Any],
    at: datetime,
    status: str = "OPEN",
    *,
    says: tuple[int, ...] = (),
    assigned: bool = True,
) -> Webhook:
    detail = {"id": str(story.id)} if kind.startswith("messaging") else _detail(story, at, status, assigned)
    body = {
        "account_id": ACCOUNT,
        "detail": detail,
        "event": event,
        "id": str(uuid.uuid4()),
        "subject": f"zen:ticket:{story.id}",
        "time": _nanos(at),
        "type": f"zen:event-type:{kind}",
        "zendesk_event_version": "2022-11-06",
    }
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Zendesk Webhook",
        "X-Zendesk-Account-Id": str(ACCOUNT),
        "X-Zendesk-Webhook-Id": "01GK8E6BKWMJZD2T8Y5AXJQMG5",
        "X-Zendesk-Webhook-Invocation-Id": uuid.uuid4().hex[:26].upper(),
    }
    return Webhook(at=at, body=as_json(body), headers=headers, says=says)


def _nanos(at: datetime) -> str:
    return f"{seconds(at).removesuffix('Z')}.{at.microsecond:06d}000Z"


def _detail(story: Story, at: datetime, status: str, assigned: bool) -> dict[str, Any]:
    customer, agent = str(_BASE + story.customer.id), str(_BASE + story.agent.id)
    opening = story.lines[0]
    messaging = story.channel == "messaging"
    return {
        "actor_id": agent if assigned else customer,
        "assignee_id": agent if assigned else None,
        "brand_id": "8447346621310",
        "created_at": seconds(story.opened_at),
        "custom_status": "8447320465790",
        "description": opening.text if _described(story) else "",
        "external_id": None,
        "form_id": "8646151517822",
        "group_id": str(_BASE + story.team.id),
        "id": str(story.id),
        "is_public": True,
        "organization_id": None,
        "priority": "NORMAL",
        "requester_id": customer,
        "status": status,
        "subject": story.subject,
        "submitter_id": agent if opening.role == "agent" else customer,
        "tags": list(story.tags),
        "type": "INCIDENT",
        "updated_at": seconds(at),
        "via": {"channel": "native_messaging" if messaging else _VIA[story.channel]},
    }
