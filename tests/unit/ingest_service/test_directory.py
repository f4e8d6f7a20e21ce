"""Which source a webhook's address names: remembered, bounded, and trusted through an outage."""

import asyncio
from dataclasses import dataclass, field

import pytest

from services.ingest import directory as module
from services.ingest.directory import (
    OUTAGE_SECONDS,
    REMEMBER_SECONDS,
    SourceDirectory,
    WebhookSource,
)
from shared.errors import NotFound, Transient

SOURCE = WebhookSource(id="a", tenant_id="t", vendor="zendesk", account_id=None, secret="s")


@dataclass
class Asked:
    """Stands for the database, and for the time in seconds."""

    now: float = 0.0
    is_away: bool = False
    known: dict[str, WebhookSource] = field(default_factory=lambda: {"a": SOURCE})
    questions: list[str] = field(default_factory=list)
    #: Cleared, an answer takes as long as it stays so.
    is_answering: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.is_answering.set()

    async def find(self, source_id: str) -> WebhookSource | None:
        """As the store does."""
        self.questions.append(source_id)
        await self.is_answering.wait()
        if self.is_away:
            raise Transient("the database does not answer")
        return self.known.get(source_id)

    def directory(self) -> SourceDirectory:
        """One that asks here."""
        return SourceDirectory(self.find, lambda: self.now)


async def test_an_answer_is_remembered_for_a_while() -> None:
    """Also that there is no such source."""
    asked = Asked()
    directory = asked.directory()
    for _ in range(3):
        assert await directory.source("a") == SOURCE
        with pytest.raises(NotFound):
            await directory.source("b")
    assert asked.questions == ["a", "b"]
    asked.now = REMEMBER_SECONDS
    del asked.known["a"]
    with pytest.raises(NotFound):
        await directory.source("a")


async def test_a_known_source_is_trusted_while_the_database_is_away() -> None:
    """Not every helpdesk sends again; an unknown one has to wait."""
    asked = Asked()
    directory = asked.directory()
    await directory.source("a")
    asked.is_away = True
    asked.now = OUTAGE_SECONDS - 1
    assert await directory.source("a") == SOURCE
    with pytest.raises(Transient):
        await directory.source("b")
    asked.now = OUTAGE_SECONDS + 5
    with pytest.raises(Transient):
        await directory.source("a")


async def test_while_the_database_is_away_it_is_not_asked_for_each_webhook() -> None:
    """Every two seconds is enough; once it is back, what it says counts again."""
    asked = Asked()
    directory = asked.directory()
    await directory.source("a")
    asked.is_away = True
    asked.now = REMEMBER_SECONDS
    for _ in range(3):
        assert await directory.source("a") == SOURCE
    assert asked.questions == ["a", "a"]
    asked.is_away = False
    del asked.known["a"]
    asked.now += 2
    with pytest.raises(NotFound):
        await directory.source("a")


async def test_that_there_is_no_such_source_is_trusted_as_well() -> None:
    """An id that was unknown stays so while nobody can be asked."""
    asked = Asked()
    directory = asked.directory()
    with pytest.raises(NotFound):
        await directory.source("b")
    asked.is_away = True
    asked.now = REMEMBER_SECONDS
    with pytest.raises(NotFound):
        await directory.source("b")


async def test_nobody_waits_behind_a_silent_database_for_what_is_known() -> None:
    """A stale answer beats the queue."""
    asked = Asked()
    directory = asked.directory()
    await directory.source("a")
    asked.now = REMEMBER_SECONDS
    asked.is_answering.clear()
    waiting = asyncio.create_task(directory.source("b"))
    while asked.questions != ["a", "b"]:
        await asyncio.sleep(0)
    assert await directory.source("a") == SOURCE
    assert asked.questions == ["a", "b"]
    asked.is_answering.set()
    with pytest.raises(NotFound):
        await waiting


async def test_made_up_ids_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The known ones outlive them."""
    monkeypatch.setattr(module, "_SIZE", 10)
    asked = Asked()
    directory = asked.directory()
    await directory.source("a")
    for number in range(100):
        with pytest.raises(NotFound):
            await directory.source(f"made-up-{number}")
    assert len(directory._known) <= 10
    await directory.source("a")
    assert asked.questions.count("a") == 1
