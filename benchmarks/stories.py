"""Conversations to measure with: the repository's own records, moved to the present."""

import json
import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any, Final

from deploy.local.feed.payloads import Story, story_from_record

_FOLDER: Final = Path(__file__).parents[1] / "data" / "conversations"


def records() -> list[dict[str, Any]]:
    """All conversations of the repository, in a fixed order."""
    return [
        json.loads(line)
        for path in sorted(_FOLDER.glob("*.jsonl"))
        for line in path.read_text("utf-8").splitlines()
    ]


def stories(first_id: int) -> Iterator[Story]:
    """Stories without end, each with an id of its own."""
    chance = random.Random(17)  # noqa: S311 (not a secret)
    pool = records()
    chance.shuffle(pool)
    for number in count():
        record = pool[number % len(pool)]
        yield story_from_record(record, story_id=first_id + number, ends_at=datetime.now(UTC), chance=chance)
