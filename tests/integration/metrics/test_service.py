"""The service as a process: fed by Kafka, heard over server-sent events, stopped by a signal."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import orjson
import pytest

from deploy.local.ports import free_ports
from deploy.topics import TopicSettings, create, wanted
from shared.broker.kafka import Producer
from shared.broker.record import Outgoing
from shared.contracts import topics
from shared.contracts.envelope import Envelope
from shared.settings import KafkaSettings
from tests.integration.metrics.world import World, a_flag
from tests.stack import TestDatabase, child_environment


@dataclass(frozen=True, slots=True)
class Running:
    """A started service."""

    process: asyncio.subprocess.Process
    client: httpx.AsyncClient
    environment: dict[str, str]


async def run(environment: dict[str, str], *arguments: str) -> tuple[int, str, str]:
    """The command line to its end: exit code, standard output and error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.metrics", *arguments),
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode or 0, out.decode(), err.decode()


@pytest.fixture
async def running(kafka: str, database: TestDatabase, world: World) -> AsyncIterator[Running]:
    """The service, ready."""
    settings = TopicSettings(bootstrap_servers=kafka)
    await create(settings, wanted(settings))
    (port,) = free_ports(1)
    values = {
        **database.environment("metrics"),
        "METRICS_KAFKA__BOOTSTRAP_SERVERS": kafka,
        "METRICS_PORT": str(port),
        "METRICS_HEARTBEAT_SECONDS": "1",
        "METRICS_GAUGE_SECONDS": "1",
    }
    environment = child_environment(values)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.metrics", "serve", env=environment
    )
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20) as client:
        await until_ready(client, process)
        yield Running(process, client, environment)
    if process.returncode is None:
        process.kill()
        await process.wait()


async def until_ready(client: httpx.AsyncClient, process: asyncio.subprocess.Process) -> None:
    """Raises TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while process.returncode is None:
            try:
                if (await client.get("/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.1)
    raise AssertionError("the service ended")


async def tell(kafka: str, topic: str, conversation_id: str) -> None:
    """Publish that there is news of a conversation."""
    envelope = Envelope(
        id=conversation_id,
        source="/test",
        type="com.pruefstein.conversation.changed.v1",
        data=orjson.dumps({"tenant_id": "a", "conversation_id": conversation_id, "version": 1}),
    )
    value, headers = envelope.to_kafka()
    producer = Producer(KafkaSettings(bootstrap_servers=kafka), client_id="test")
    await producer.send(
        [
            Outgoing(topic=topic, key=b"a:zendesk:-:1", value=b"broken", headers=()),
            Outgoing(topic=topic, key=b"a:zendesk:-:1", value=value, headers=headers),
        ]
    )
    await producer.close()


async def test_news_become_events_lists_and_gauges(running: Running, kafka: str, world: World) -> None:
    """A broken record on the way stops nothing; a signal ends all within the grace of open streams."""
    code, token, said = await run(running.environment, "keys", "add", "--tenant", "a", "--role", "viewer")
    assert (code, token.strip() in said) == (0, False)
    headers = {"Authorization": f"Bearer {token.strip()}"}
    await world.conversation("c1", opened_at=(await world.connection.fetchval("select now()")))
    await world.review("c1", flags=[a_flag("churn")])
    heard: list[tuple[str, dict[str, object]]] = []
    async with running.client.stream("GET", "/v1/stream", headers=headers) as stream, asyncio.timeout(60):
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()
        assert (await anext(lines)).startswith(": listening")
        await tell(kafka, topics.CONVERSATIONS_SCORED, "c1")
        name = ""
        async for line in lines:
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                heard.append((name, orjson.loads(line.removeprefix("data: "))))
                if len(heard) == 2:
                    break
        assert [name for name, _ in heard] == ["review.scored", "flag.raised"]
        assert heard[1][1]["kind"] == "churn"
        assert "text" not in str(heard)
        flags = (await running.client.get("/v1/flags", headers=headers)).json()["items"]
        assert [flag["id"] for flag in flags] == [heard[1][1]["id"]]
        await until_shown(running.client, 'pruefstein_kpi{kpi="volume",team="Billing",tenant="a"} 1.0')
        running.process.send_signal(signal.SIGTERM)
        rest = [line async for line in lines]
        assert not any(line.startswith("data: ") for line in rest)
    async with asyncio.timeout(8):
        assert await running.process.wait() == 0


async def until_shown(client: httpx.AsyncClient, line: str) -> None:
    """Raises TimeoutError where /metrics never shows the line."""
    async with asyncio.timeout(30):
        while line not in (await client.get("/metrics")).text:
            await asyncio.sleep(0.1)


async def test_keys_are_made_listed_and_revoked(database: TestDatabase, world: World) -> None:
    """By a command line that needs the database alone; a key is never shown again."""
    environment = child_environment(database.environment("metrics"))
    code, token, _ = await run(
        environment, "keys", "add", "--tenant", "a", "--role", "admin", "--name", "console"
    )
    assert code == 0
    _, listed, _ = await run(environment, "keys", "list", "--tenant", "a")
    key_id, role, _, state, name = listed.strip().split("\t")
    assert (role, state, name, token.strip() in listed) == ("admin", "valid", "console", False)
    assert await run(environment, "keys", "list", "--tenant", "b") == (0, "", "")
    code, _, said = await run(environment, "keys", "revoke", "--tenant", "b", key_id)
    assert (code, len(said.splitlines())) == (1, 1)
    code, _, _ = await run(environment, "keys", "revoke", "--tenant", "a", key_id)
    assert code == 0
    _, listed, _ = await run(environment, "keys", "list", "--tenant", "a")
    assert "revoked" in listed


async def test_missing_settings_are_one_line(database: TestDatabase) -> None:
    """Not a traceback."""
    code, _, said = await run(child_environment({}), "serve")
    assert (code, len(said.splitlines())) == (1, 1)
    assert "METRICS_DATABASE" in said
