"""What every helpdesk would send of a story; used by the feed, the end-to-end tests and the benchmarks.

record -> story_from_record() -> Story -> render(vendor, story) -> [Webhook] -> signed() -> headers to POST
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from deploy.local.feed.story import Line, Story, Survey, story_from_record
from deploy.local.feed.vendors import chatwoot, freshdesk, generic, helpscout, intercom, zammad, zendesk
from deploy.local.feed.webhook import Webhook

__all__ = [
    "VENDORS",
    "Line",
    "Story",
    "Survey",
    "Webhook",
    "render",
    "signed",
    "story_from_record",
    "vendors_for",
]

_RENDER: Final[Mapping[str, Callable[[Story], list[Webhook]]]] = {
    "zendesk": zendesk.render,
    "zammad": zammad.render,
    "chatwoot": chatwoot.render,
    "intercom": intercom.render,
    "freshdesk": freshdesk.render,
    "helpscout": helpscout.render,
    "generic": generic.render,
}
_SIGN: Final[Mapping[str, Callable[[bytes, str, datetime], dict[str, str]]]] = {
    "zendesk": zendesk.sign,
    "zammad": zammad.sign,
    "chatwoot": chatwoot.sign,
    "intercom": intercom.sign,
    "freshdesk": freshdesk.sign,
    "helpscout": helpscout.sign,
    "generic": generic.sign,
}
VENDORS: Final = tuple(_RENDER)
_CHANNELS: Final[Mapping[str, tuple[str, ...]]] = {
    "email": ("zendesk", "zammad", "helpscout", "chatwoot", "freshdesk"),
    "form": ("zendesk", "zammad", "freshdesk", "generic"),
    "chat": ("chatwoot", "intercom", "intercom", "generic"),
    "messaging": ("zendesk", "chatwoot", "intercom"),
    "social": ("chatwoot", "intercom", "generic"),
    "phone": ("zammad", "generic", "helpscout"),
}


def vendors_for(story: Story) -> tuple[str, ...]:
    """Which helpdesks would carry it in real life. Each can render any story, but Freshdesk knows no bots."""
    roles = {line.role for line in story.lines}
    plain = roles <= {"customer", "agent", "note"} and story.lines[0].role != "note"
    return tuple(name for name in _CHANNELS[story.channel] if plain or name != "freshdesk")


def render(vendor: str, story: Story) -> list[Webhook]:
    """The webhooks of `vendor`, in the order of what happened. Raises KeyError for an unknown vendor."""
    return _RENDER[vendor](story)


def signed(vendor: str, webhook: Webhook, *, secret: str, now: datetime) -> dict[str, str]:
    """All headers of one delivery at `now`; a retry is signed anew."""
    return {**webhook.headers, **_SIGN[vendor](webhook.body, secret, now)}
