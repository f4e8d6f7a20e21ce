"""Conversations to send: few words, each text with a word of its own by which it is found again."""

import itertools
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from deploy.local.feed.payloads import Story, Survey, story_from_record

MARK: Final = "zqxgeheim"
"""Begins a made-up word in every text, name, address and subject that these tests send."""

Said = tuple[str, str]
"""Role and text; `{mark}` stands for the text's own word."""

CALM_DE: Final[tuple[Said, ...]] = (
    ("customer", "Guten Tag, können Sie mir bitte sagen, wann meine Bestellung {mark} ankommt?"),
    (
        "agent",
        "Guten Tag und danke für Ihre Nachricht! Ihre Bestellung {mark} kommt morgen zwischen 9 und 12 Uhr. "
        "Melden Sie sich gern, wenn Sie noch etwas brauchen. Einen schönen Tag!",
    ),
    ("customer", "Super, vielen Dank für die schnelle Hilfe mit {mark}!"),
)
CALM_EN: Final[tuple[Said, ...]] = (
    ("customer", "Hello, the lamp from order {mark} arrived with a broken switch. What can we do?"),
    (
        "agent",
        "Hello, I am sorry about the broken switch, that must be annoying. A new lamp {mark} is on its way "
        "and will be with you on Tuesday; keep the old one. Is there anything else I can help you with?",
    ),
    ("customer", "That is great, thank you so much, {mark} is all I needed."),
)
THREAT: Final[tuple[Said, ...]] = (
    (
        "customer",
        "I have handed this over to my solicitor. If the refund {mark} is not in my account by Friday I "
        "will take you to court.",
    ),
    ("agent", "Hello, I understand, and I am sorry. The refund {mark} was sent today. Kind regards"),
)
"""Its first message is flagged `legal` by any reader."""

_ids = itertools.count(70_000_001)
_marks = itertools.count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A story as one helpdesk tells it, with the marks of its messages in their order."""

    vendor: str
    story: Story
    marks: tuple[str, ...]

    @property
    def external_id(self) -> str:
        """Its id at the helpdesk."""
        return str(self.story.id)


def new_mark() -> str:
    """A word that nobody else uses."""
    return f"{MARK}{next(_marks):06d}"


def tell(
    vendor: str,
    said: Sequence[Said],
    *,
    language: str = "de",
    channel: str = "email",
    is_solved: bool = True,
    csat: int | None = None,
    tag: str = "e2e",
) -> Told:
    """A new conversation of the last minutes; everybody in it bears a mark too."""
    marks = tuple(new_mark() for _ in said)
    now = datetime.now(UTC)
    begin = now - timedelta(minutes=len(said) + 1)
    record = {
        "id": "e2e",
        "language": language,
        "channel": channel,
        "messages": [
            {
                "role": role,
                "at": (begin + timedelta(minutes=place)).isoformat(),
                "text": text.format(mark=mark),
            }
            for place, ((role, text), mark) in enumerate(zip(said, marks, strict=True))
        ],
    }
    number = next(_ids)
    chance = random.Random(number)
    story = story_from_record(record, story_id=number, ends_at=now, chance=chance)
    customer = replace(story.customer, last=new_mark(), email=f"{new_mark()}@example.com")
    story = replace(
        story,
        subject=f"Anfrage {new_mark()}",
        tags=(tag,),
        customer=customer,
        lines=tuple(
            replace(line, author=customer) if line.role == "customer" else line for line in story.lines
        ),
        solved_at=now - timedelta(seconds=2) if is_solved else None,
        survey=None if csat is None else Survey(score=csat, comment=f"Sehr gut {new_mark()}", at=now),
    )
    return Told(vendor=vendor, story=story, marks=marks)
