"""Payload of `category-replays`: one step of scoring past conversations again. Ids and times only."""

from datetime import datetime
from typing import Final

from pydantic import BaseModel, ConfigDict

TYPE: Final = "com.pruefstein.category.replay.v1"


class Cursor(BaseModel):
    """The last conversation that was scored, in the order of opening and id."""

    model_config = ConfigDict(frozen=True)

    opened_at: datetime
    conversation_id: str


class CategoryReplay(BaseModel):
    """Conversations opened from `opened_from` until before `opened_before`, those after `after`."""

    model_config = ConfigDict(frozen=True)

    tenant_id: str
    replay_id: str
    category_id: str
    opened_from: datetime
    opened_before: datetime
    after: Cursor | None = None
