"""What Chatwoot's conversation object says."""

from services.ingest.sources.facts import person, tell_times
from services.ingest.sources.fields import Fields
from services.ingest.sources.words import language_of, priority_of
from shared.domain.conversation import Channel, Status
from shared.domain.ticket_event import ConversationFacts, Person, Team

__all__ = ["conversation"]

_STATUS = {
    "open": Status.OPEN,
    "resolved": Status.SOLVED,
    "pending": Status.PENDING,
    "snoozed": Status.SNOOZED,
}
_CHANNELS = {
    "WebWidget": Channel.CHAT,
    "Email": Channel.EMAIL,
    "Whatsapp": Channel.MESSAGING,
    "Sms": Channel.MESSAGING,
    "TwilioSms": Channel.MESSAGING,
    "Telegram": Channel.MESSAGING,
    "Line": Channel.MESSAGING,
    "FacebookPage": Channel.SOCIAL,
    "Instagram": Channel.SOCIAL,
    "TwitterProfile": Channel.SOCIAL,
}
_TIMES = {
    "created_at": "created_at",
    "updated_at": "updated_at",
    "first_reply_at": "first_reply_created_at",
}


def conversation(fields: Fields) -> ConversationFacts:
    """The conversation as it was when the payload was built."""
    facts = ConversationFacts(id=fields.need_id("id"))
    if "channel" in fields:
        raw = facts["channel_raw"] = fields.word("channel")
        facts["channel"] = _CHANNELS.get((raw or "").removeprefix("Channel::"))
    if "status" in fields:
        facts["status_raw"] = fields.word("status")
        facts["status"] = _STATUS.get(facts["status_raw"] or "")
    if "priority" in fields:
        facts["priority"] = priority_of(fields.word("priority"))
    if "labels" in fields:
        facts["tags"] = fields.texts("labels")
    more = fields.loose("additional_attributes")
    if more and (subject := more.word("mail_subject")) is not None:
        facts["subject"] = subject
    if more and (language := language_of(more.word("conversation_language"))) is not None:
        facts["language"] = language
    tell_times(facts, fields, _TIMES)
    meta = fields.object("meta")
    return facts | _people(facts["id"], meta) if meta else facts


def _people(conversation_id: str, meta: Fields) -> ConversationFacts:
    facts = ConversationFacts(id=conversation_id)
    if "team" in meta:
        team = meta.object("team")
        facts["team"] = Team(id=team.id("id"), name=team.word("name")) if team else None
    if "assignee" in meta:
        facts["assignee"] = _assignee(meta)
    if "sender" in meta:
        facts["customer"] = person(meta.object("sender"))
    return facts


def _assignee(meta: Fields) -> Person | None:
    kind = meta.word("assignee_type")
    return person(meta.object("assignee"), kind="agent" if kind in (None, "User") else "bot")
