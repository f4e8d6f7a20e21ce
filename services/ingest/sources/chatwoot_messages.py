"""Chatwoot's messages, mails among them, and the satisfaction survey that is a message too."""

from datetime import datetime

from services.ingest.sources.facts import body_of, csat, message, stable_id
from services.ingest.sources.fields import Fields
from services.ingest.text import Body
from shared.domain.conversation import Role
from shared.domain.ticket_event import MessageFacts, Person, Survey

__all__ = ["is_deleted", "message_facts", "survey"]

_INCOMING = ("incoming", "0")
_OUTGOING = ("outgoing", "1")
_BOTS = ("agent_bot", "captain_assistant")


def is_deleted(root: Fields) -> bool:
    """A deleted message stays, with a localised sentence for its content."""
    attributes = root.loose("content_attributes")
    return attributes is not None and attributes.flag("deleted")


def survey(root: Fields, occurred_at: datetime | None) -> Survey | None:
    """The customer's answer; it may be edited, so the update's time is the answer's."""
    if root.word("content_type") != "input_csat":
        return None
    attributes = root.loose("content_attributes")
    submitted = attributes.loose("submitted_values") if attributes else None
    response = submitted.loose("csat_survey_response") if submitted else None
    rating = response.number("rating") if response else None
    if response is None or rating is None or not 1 <= rating <= 5:
        return None
    return csat(rating, response.text("rating"), response.text("feedback_message"), occurred_at)


def message_facts(root: Fields) -> MessageFacts:
    """The event's own message."""
    raw = root.text("content") or ""
    role, at = _role(root), root.time("created_at")
    message_id = root.id("id") or stable_id(root.need_object("conversation").need_id("id"), at, raw)
    facts = message(id=message_id, role=role, at=at, raw=raw, html=False, author=_author(root))
    if is_deleted(root):
        gone = MessageFacts(id=message_id, role=role, author=facts.get("author"), deleted=True)
        if at is not None:
            gone["at"] = at
        return gone
    mail = _mail(root, role)
    if mail is not None:
        facts["text"], facts["quoted_text"] = mail.text, mail.quoted_text
    return facts


def _role(root: Fields) -> Role:
    if root.flag("private"):
        return Role.NOTE
    kind = root.text("message_type")
    if kind in _INCOMING:
        return Role.SYSTEM if _is_auto_reply(root) else Role.CUSTOMER
    if kind not in _OUTGOING:
        return Role.SYSTEM
    sender = root.object("sender")
    sort = (sender.word("type") or "") if sender else ""
    if sort in _BOTS:
        return Role.BOT
    return Role.AGENT if sort == "user" else Role.SYSTEM


def _email(root: Fields) -> Fields | None:
    attributes = root.loose("content_attributes")
    return attributes.loose("email") if attributes else None


def _is_auto_reply(root: Fields) -> bool:
    email = _email(root)
    return email is not None and email.data.get("auto_reply") is True


def _author(root: Fields) -> Person | None:
    sender = root.object("sender")
    if not sender or sender.id("id") is None:
        return None
    return Person(id=sender.id("id"), name=sender.word("name"))


def _mail(root: Fields, role: Role) -> Body | None:
    """`quoted` is, despite its name, the reply that Chatwoot has trimmed already."""
    email = _email(root)
    if email is None:
        return None
    for name in ("text_content", "html_content"):
        content = email.loose(name)
        if content and (trimmed := content.word("quoted")) is not None:
            return _trimmed(trimmed, content.text("full") or "", role, html=name == "html_content")
    return None


def _trimmed(trimmed: str, full: str, role: Role, *, html: bool) -> Body:
    body = body_of(trimmed, role, html=html)
    if body.quoted_text is not None or not full.startswith(trimmed):
        return body
    rest = body_of(full[len(trimmed) :], Role.SYSTEM, html=html)
    left = "\n\n".join(filter(None, (rest.text, rest.quoted_text)))
    return Body(body.text, left or None)
