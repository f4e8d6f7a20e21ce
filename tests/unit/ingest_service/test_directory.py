"""Which source a webhook's address names: remembered, bounded, and trusted through an outage."""

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

    async def find(self, source_id: str) -> WebhookSource | None:
        """As the store does."""
        self.questions.append(source_id)
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
