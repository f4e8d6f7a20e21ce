"""Freshdesk's automation rules: chosen placeholders, without ids or times of messages."""

import html as entities
from datetime import datetime
from typing import Any, Final

from deploy.local.feed.story import Line, Story
from deploy.local.feed.webhook import Webhook, as_json, html

_SOURCES: Final = {
    "email": "Email",
    "form": "Portal",
    "phone": "Phone",
    "chat": "Chat",
    "messaging": "WhatsApp",
    "social": "Facebook",
}
_STEPS: Final = {1: -103, 2: -101, 3: 100, 4: 101, 5: 103}


def render(story: Story) -> list[Webhook]:
    """Created, one webhook a comment, resolved, rated (by our own template)."""
    told = []
    for place, line in enumerate(story.lines):
        event, fields = ("{ticket_action:created}", {}) if place == 0 else _comment(story, line)
        told.append(_webhook(story, event, line.at, fields, says=(line.id,)))
    if story.solved_at is not None:
        told.append(_webhook(story, "{status:{from:2,to:4}}", story.solved_at, {"ticket_status": "Resolved"}))
    if story.survey is not None:
        rating = {
            "ticket_status": "Resolved",
            "satisfaction_rating": str(_STEPS[story.survey.score]),
            "satisfaction_comment": story.survey.comment,
        }
        told.append(_webhook(story, "{satisfaction:received}", story.survey.at, rating))
    return told


def sign(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    """Nothing is signed; the secret itself travels in a header."""
    del body, now
    return {"X-Autoqa-Token": secret}


def _comment(story: Story, line: Line) -> tuple[str, dict[str, Any]]:
    name = (line.author or story.agent).name
    text = f"{name} : {line.text}"
    if line.role == "note":
        return "{note_type:private}", {"ticket_latest_private_comment": text}
    event = "{reply_sent:sent}" if line.role == "agent" else "{note_type:public}"
    return event, {"ticket_latest_public_comment": text}


def _webhook(
    story: Story, event: str, at: datetime, fields: dict[str, Any], says: tuple[int, ...] = ()
) -> Webhook:
    customer, agent, opening = story.customer, story.agent, story.lines[0]
    ticket = {
        "ticket_id": story.id,
        "ticket_subject": entities.unescape(story.subject),
        "ticket_description": f'<div style="font-family:Arial">{html(opening.text)}</div>',
        "ticket_url": f"https://demo.freshdesk.com/helpdesk/tickets/{story.id}",
        "ticket_portal_url": f"https://demo.freshdesk.com/support/tickets/{story.id}",
        "ticket_due_by_time": "",
        "ticket_tags": ", ".join(story.tags),
        "ticket_latest_public_comment": None,
        "ticket_latest_private_comment": None,
        "ticket_group_name": story.team.name,
        "ticket_agent_name": agent.name,
        "ticket_agent_email": agent.email,
        "ticket_satisfaction_survey": "",
        "ticket_status": "Open",
        "ticket_priority": "Medium",
        "ticket_source": "Outbound Email" if opening.role == "agent" else _SOURCES[story.channel],
        "ticket_type": "Question",
        "requester_name": customer.name,
        "ticket_requester_email": customer.email,
        "requester_email": customer.email,
        "helpdesk_name": "Demo",
        "triggered_event": event,
        **fields,
    }
    return Webhook(
        at=at,
        body=as_json({"freshdesk_webhook": ticket}),
        headers={"Content-Type": "application/json"},
        says=says,
    )
