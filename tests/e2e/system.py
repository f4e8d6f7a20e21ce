"""The running stack as an outsider sees it: HTTP, the stream, topics and, to count rows, the database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import httpx
import orjson
from pydantic import SecretStr

from deploy.local.demo import VENDORS
from deploy.local.environment import DATABASE
from deploy.local.feed.payloads import render
from deploy.local.feed.send import Sender, Source
from deploy.local.ports import HOST
from deploy.local.postgres import SUPERUSER
from deploy.local.stack import SERVICES, ServiceName, Stack
from deploy.local.together import together
from services.ingest.directory import WebhookSource
from services.ingest.store import Store
from services.metrics.keys.handlers import add_key
from services.metrics.keys.store import KeyStore
from shared.clock import SystemClock
from shared.db.database import Database
from shared.http.auth import KeyRole
from shared.settings import DatabaseSettings
from tests.e2e.talk import Told
from tests.e2e.waiting import eventually

ELIGIBLE: Final = frozenset({"new", "open", "pending", "on_hold", "snoozed", "solved", "closed"})
"""Statuses of conversations that count."""
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Who sends and who reads."""

    id: str
    sources: dict[str, Source]
    viewer_key: str


@dataclass(slots=True, kw_only=True)
class System:
    """One stack with a client for all of it; `refused_badly` collects answers that no sender may ever get."""

    stack: Stack
    client: httpx.AsyncClient
    refused_badly: list[str] = field(default_factory=list)

    @property
    def demo(self) -> Tenant:
        """The tenant that the stack makes by itself."""
        env = self.stack.env
        sources = {
            vendor: Source(
                vendor=vendor, id=env[f"{vendor.upper()}_SOURCE_ID"], secret=env[f"{vendor.upper()}_SECRET"]
            )
            for vendor in VENDORS
        }
        return Tenant(id="demo", sources=sources, viewer_key=env["API_KEY_VIEWER"])

    def url(self, service: str) -> str:
        """Where a service answers."""
        return self.stack.env[f"{service.upper()}_URL"]

    def key(self, role: str) -> dict[str, str]:
        """The header of the demo tenant's key."""
        return bearer(self.stack.env[f"API_KEY_{role.upper()}"])

    async def add_tenant(self, name: str, secrets: Mapping[str, str]) -> Tenant:
        """Another company with a source for each vendor in `secrets` and a viewer's key."""
        sources = {
            vendor: Source(vendor=vendor, id=f"src_{name}_{vendor}", secret=secrets[vendor])
            for vendor in secrets
        }
        database = Database(self._database_settings("ingest"))
        try:
            store = Store(database)
            for one in sources.values():
                await store.add_source(
                    WebhookSource(
                        id=one.id, tenant_id=name, vendor=one.vendor, account_id=None, secret=one.secret
                    )
                )
        finally:
            await database.close()
        database = Database(self._database_settings("metrics"))
        try:
            _, key = await add_key(
                KeyStore(database), tenant_id=name, role=KeyRole.VIEWER, name=None, clock=SystemClock()
            )
        finally:
            await database.close()
        return Tenant(id=name, sources=sources, viewer_key=key)

    def _database_settings(self, service: ServiceName) -> DatabaseSettings:
        environment = self.stack.services[service].environment
        return DatabaseSettings(
            host=HOST,
            port=self.stack.settings.postgres_port,
            name=DATABASE,
            user=service,
            password=SecretStr(environment[f"{service.upper()}_DATABASE__PASSWORD"]),
            pool_size=1,
        )

    async def send(self, *told: Told, tenant: Tenant | None = None, pause: float = 0.0) -> Sender:
        """All webhooks of stories, one after the other; the sender knows what was answered."""
        sender = self.sender()
        sources = (tenant or self.demo).sources
        for one in told:
            assert await sender.tell(sources[one.vendor], render(one.vendor, one.story), pause=pause)
        return sender

    def sender(self) -> Sender:
        """Sends again what was not acknowledged; what breaks the rules is noted."""
        return Sender(self.client, SystemClock())

    async def note_answer(self, response: httpx.Response) -> None:
        """For the client: nobody may ever get a 500, nor a 503 without Retry-After."""
        status = response.status_code
        path = response.request.url.path
        is_told_when = status == 503 and "retry-after" in response.headers
        # Readiness is for the operator, who asks again anyhow.
        if status >= 500 and not is_told_when and path != "/readyz":
            self.refused_badly.append(f"{response.request.method} {path}: {status}")

    async def read(self, path: str, *, key: str | None = None, **query: str | int) -> Json:
        """What the API of metrics answers; fails on anything but 200."""
        headers = self.key("viewer") if key is None else bearer(key)
        answer = await self.client.get(f"{self.url('metrics')}{path}", params=query, headers=headers)
        assert answer.status_code == 200, f"{path}: {answer.status_code}"
        found: Json = answer.json()
        return found

    async def read_all(self, path: str, *, key: str | None = None, **query: str | int) -> list[Json]:
        """Every item of a list, page by page."""
        items: list[Json] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.read(path, key=key, limit=200, **query, **cursor)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}

    async def conversation(self, source: str, external_id: str, *, key: str | None = None) -> Json:
        """The one conversation of that id at the helpdesk, with all its details."""
        page = await self.read("/v1/conversations", key=key, source=source, external_id=external_id)
        assert len(page["items"]) == 1, f"{source} {external_id}: {len(page['items'])} conversations"
        return await self.read(f"/v1/conversations/{page['items'][0]['id']}", key=key)

    async def complete(self, told: Told) -> Json:
        """The conversation, once all of the story has arrived, each message once, and is judged."""

        async def check() -> Json:
            found = await self.conversation(told.vendor, told.external_id)
            texts = [message["text"] for message in found["messages"]]
            spoken = [text for text in texts if any(mark in text for mark in told.marks)]
            assert len(spoken) == len(told.marks), f"{told.vendor}: {len(spoken)} of {len(told.marks)}"
            assert all(mark in text for mark, text in zip(told.marks, spoken, strict=True)), "out of order"
            if told.story.solved_at is not None:
                assert found["status"] in ("solved", "closed"), found["status"]
            assert found["review"] == ("provisional" if told.story.solved_at is None else "final")
            assert found["ratings"]
            return found

        return await eventually(check)

    async def volume(self) -> int:
        """How many conversations the KPIs count, from the rollups."""
        (row,) = (await self.read("/v1/kpis", metrics="volume"))["rows"]
        return int(row["volume"]["n"])

    async def assert_nothing_doubled(self) -> None:
        """KPIs, lists and reviews agree with each other: one conversation, one current review."""

        async def agree() -> None:
            items = await self.read_all("/v1/conversations")
            counted = [item for item in items if item["status"] in ELIGIBLE]
            assert len({item["id"] for item in items}) == len(items)
            assert await self.volume() == len(counted)

        await eventually(agree)
        connection = await self.database()
        try:
            doubled = await connection.fetch(
                "select tenant_id, conversation_id, count(*) filter (where is_current) as current,"
                " count(*) as rows, count(distinct round) as rounds"
                " from autoqa.review_v1 group by 1, 2"
                " having count(*) filter (where is_current) > 1 or count(*) <> count(distinct round)"
            )
            assert [dict(row) for row in doubled] == []
        finally:
            await connection.close()

    async def database(self) -> asyncpg.Connection:
        """A connection that sees every tenant, to count rows."""
        return await asyncpg.connect(
            host=HOST,
            port=self.stack.settings.postgres_port,
            user=SUPERUSER,
            password=self.stack.postgres.password,
            database=DATABASE,
            ssl=False,
        )

    @contextlib.asynccontextmanager
    async def listening(self, *, key: str | None = None) -> AsyncIterator[list[tuple[str, Json]]]:
        """Names and data of the stream's events as they come in."""
        heard: list[tuple[str, Json]] = []
        headers = self.key("viewer") if key is None else bearer(key)
        url = f"{self.url('metrics')}/v1/stream"
        async with self.client.stream("GET", url, headers=headers, timeout=None) as response:
            assert response.status_code == 200
            lines = response.aiter_lines()
            assert (await anext(lines)).startswith(":")
            listener = asyncio.create_task(_listen(lines, heard))
            try:
                yield heard
            finally:
                listener.cancel()
                await asyncio.gather(listener, return_exceptions=True)

    def repair(self) -> None:
        """Start what a failed test left dead, so that the next one begins with a whole stack."""
        servers = [
            server
            for server in (self.stack.kafka, self.stack.postgres)
            if server.child is None or server.child.exit_code is not None
        ]
        together([server.start for server in servers])
        for name in SERVICES:
            child = self.stack.services[name].child
            if child is None or child.exit_code is not None:
                self.stack.restart_service(name)


async def _listen(lines: AsyncIterator[str], heard: list[tuple[str, Json]]) -> None:
    name = ""
    async for line in lines:
        if line.startswith("event:"):
            name = line.removeprefix("event:").strip()
        elif line.startswith("data:"):
            heard.append((name, orjson.loads(line.removeprefix("data:"))))


def bearer(key: str) -> dict[str, str]:
    """The header that carries an API key."""
    return {"Authorization": f"Bearer {key}"}
