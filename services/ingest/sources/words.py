"""Words that helpdesks show to people, where a payload carries labels, not codes; English and German."""

from collections.abc import Mapping

from shared.domain.conversation import Channel, Status

__all__ = ["channel_of", "language_of", "priority_of", "status_of"]

_STATUS: Mapping[str, Status] = {
    "new": Status.NEW,
    "neu": Status.NEW,
    "open": Status.OPEN,
    "offen": Status.OPEN,
    "pending": Status.PENDING,
    "wartend": Status.PENDING,
    "ausstehend": Status.PENDING,
    "waiting on customer": Status.PENDING,
    "waiting on third party": Status.ON_HOLD,
    "hold": Status.ON_HOLD,
    "on-hold": Status.ON_HOLD,
    "on hold": Status.ON_HOLD,
    "angehalten": Status.ON_HOLD,
    "solved": Status.SOLVED,
    "gelöst": Status.SOLVED,
    "resolved": Status.SOLVED,
    "closed": Status.CLOSED,
    "geschlossen": Status.CLOSED,
    "archived": Status.CLOSED,
    "deleted": Status.DELETED,
    "gelöscht": Status.DELETED,
    "scrubbed": Status.DELETED,
    "spam": Status.SPAM,
}

_CHANNEL: Mapping[str, Channel] = {
    "email": Channel.EMAIL,
    "e-mail": Channel.EMAIL,
    "mail": Channel.EMAIL,
    "outbound email": Channel.EMAIL,
    "web": Channel.FORM,
    "web form": Channel.FORM,
    "web_form": Channel.FORM,
    "webformular": Channel.FORM,
    "help_center": Channel.FORM,
    "help center": Channel.FORM,
    "mobile_sdk": Channel.FORM,
    "web_widget": Channel.FORM,
    "portal": Channel.FORM,
    "feedback widget": Channel.FORM,
    "chat": Channel.CHAT,
    "chat_transcript": Channel.CHAT,
    "live chat": Channel.CHAT,
    "messaging": Channel.MESSAGING,
    "native_messaging": Channel.MESSAGING,
    "whatsapp": Channel.MESSAGING,
    "sms": Channel.MESSAGING,
    "telegram": Channel.MESSAGING,
    "telegram personal-message": Channel.MESSAGING,
    "line": Channel.MESSAGING,
    "facebook": Channel.SOCIAL,
    "facebook feed post": Channel.SOCIAL,
    "facebook feed comment": Channel.SOCIAL,
    "instagram": Channel.SOCIAL,
    "instagram_dm": Channel.SOCIAL,
    "twitter": Channel.SOCIAL,
    "twitter_dm": Channel.SOCIAL,
    "twitter status": Channel.SOCIAL,
    "twitter direct-message": Channel.SOCIAL,
    "any_channel": Channel.SOCIAL,
    "phone": Channel.PHONE,
    "telefon": Channel.PHONE,
    "voice": Channel.PHONE,
    "phone call": Channel.PHONE,
    "phone_call": Channel.PHONE,
    "phone_switch": Channel.PHONE,
}

_PRIORITY = {
    "niedrig": "low",
    "mittel": "medium",
    "hoch": "high",
    "dringend": "urgent",
    "not_priority": "normal",
    "priority": "high",
}

_LANGUAGE = {
    "deutsch": "de",
    "german": "de",
    "englisch": "en",
    "english": "en",
    "french": "fr",
    "français": "fr",
    "spanish": "es",
    "italian": "it",
    "dutch": "nl",
}


def status_of(raw: str | None) -> Status | None:
    """The status of a label, None where nobody knows it."""
    return None if raw is None else _STATUS.get(raw.strip().casefold())


def channel_of(raw: str | None) -> Channel | None:
    """The channel of a label, None where nobody knows it."""
    return None if raw is None else _CHANNEL.get(raw.strip().casefold())


def priority_of(raw: str | None) -> str | None:
    """The priority in lower-case English."""
    if raw is None:
        return None
    word = raw.strip().casefold()
    return _PRIORITY.get(word, word) or None


def language_of(raw: str | None) -> str | None:
    """The two letters of a language's name or tag."""
    if raw is None:
        return None
    word = raw.strip().casefold()
    letters = word.replace("_", "-").split("-", 1)[0].split("(", 1)[0].strip()
    return _LANGUAGE.get(letters) or (letters if len(letters) == 2 and letters.isascii() else None)
