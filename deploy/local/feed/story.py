"""A conversation about to happen: one record of the corpus, moved to the present, with people and ids.

Pure: the clock's value and the randomness arrive as arguments.
"""

import itertools
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from deploy.local.feed import people
from deploy.local.feed.people import Person, Team

LONGEST_GAP: Final = timedelta(hours=30)
"""Gaps between turns are kept up to this, so that no conversation began weeks ago."""
_SUBJECT: Final = 70


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message; `author` is None for the helpdesk itself."""

    id: int
    role: str
    at: datetime
    text: str
    author: Person | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What the customer answers afterwards: 1 to 5."""

    score: int
    comment: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What a helpdesk would know of the conversation in the end; `solved_at` None leaves it open."""

    id: int
    record_id: str
    language: str
    channel: str
    subject: str
    tags: tuple[str, ...]
    team: Team
    agent: Person
    customer: Person
    lines: tuple[Line, ...]
    solved_at: datetime | None
    survey: Survey | None

    @property
    def opened_at(self) -> datetime:
        """When the first message came."""
        return self.lines[0].at


def story_from_record(
    record: Mapping[str, Any], *, story_id: int, ends_at: datetime, chance: random.Random
) -> Story:
    """Retell a record so that all of it, closing and survey too, has happened by `ends_at`.

    Ids of messages follow from `story_id`, so two stories never share one. What `chance` decides: who the
    people are, whether it is solved (more likely where the record says so) and whether a survey is answered.
    """
    language = str(record["language"])
    team = chance.choice(people.TEAMS[language])
    agent = chance.choice(team.agents)
    customer = people.customer(story_id, language, chance)
    authors = {"customer": customer, "agent": agent, "note": agent, "bot": people.BOT}
    messages = list(record["messages"])
    last_at, solved_at = ends_at - timedelta(seconds=4), ends_at - timedelta(seconds=2)
    moments = _moments([datetime.fromisoformat(message["at"]) for message in messages], last_at)
    lines = tuple(
        Line(
            id=story_id * 100 + place,
            role=message["role"],
            at=at,
            text=message["text"],
            author=authors.get(message["role"]),
        )
        for place, (message, at) in enumerate(zip(messages, moments, strict=True), start=1)
    )
    labels = record.get("labels", {})
    likely = {"yes": 0.9, "unclear": 0.6}.get(str(labels.get("resolved")), 0.45)
    solved = chance.random() < likely
    return Story(
        id=story_id,
        record_id=str(record["id"]),
        language=language,
        channel=str(record["channel"]),
        subject=_subject(messages),
        tags=(str(record.get("industry", "other")), language),
        team=team,
        agent=agent,
        customer=customer,
        lines=lines,
        solved_at=solved_at if solved else None,
        survey=_survey(labels.get("csat"), language, ends_at, chance) if solved else None,
    )


def _moments(original: list[datetime], ends_at: datetime) -> list[datetime]:
    """The same gaps, capped and at least a second, counted back from the end."""
    moments = [ends_at]
    for earlier, later in reversed(list(itertools.pairwise(original))):
        gap = min(max(later - earlier, timedelta(seconds=1)), LONGEST_GAP)
        moments.append(moments[-1] - gap)
    return list(reversed(moments))


def _subject(messages: list[Mapping[str, Any]]) -> str:
    """The first words that a customer wrote which are no salutation."""
    texts = [str(message["text"]) for message in messages if message["role"] == "customer"]
    lines = [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    found = next((line for line in lines if not line.endswith(",")), lines[0] if lines else "Support")
    return found if len(found) <= _SUBJECT else f"{found[:_SUBJECT].rsplit(' ', 1)[0]} …"


def _survey(csat: object, language: str, ends_at: datetime, chance: random.Random) -> Survey | None:
    if not isinstance(csat, int) or chance.random() > 0.5:
        return None
    comment = chance.choice(people.COMMENTS[language][csat]) if chance.random() < 0.4 else ""
    return Survey(score=csat, comment=comment, at=ends_at)
