"""The whole stack stopped, started again, and started on a broker that has forgotten everything."""

import asyncio
import os
import shutil
import time
from pathlib import Path
from typing import Final

import httpx

from deploy.local.stack import Stack
from shared.contracts.topics import CONVERSATIONS_CHANGED
from tests.e2e.system import System
from tests.e2e.talk import CALM_EN, THREAT, tell
from tests.e2e.topics import records
from tests.e2e.waiting import eventually

GRACE_SECONDS: Final = 31
"""A conversation that is younger may still be on its way and is not told again."""


def processes_of(stack: Stack) -> list[str]:
    """Command lines of everything that runs for this stack: with its folder or its ports."""
    homes = {str(stack.settings.home), str(stack.postgres.place)}
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            environment = (entry / "environ").read_bytes().decode(errors="replace")
            folder = str((entry / "cwd").readlink())
        except OSError:
            continue
        ports = [f"_PORT={port}\0" for port in stack.settings.ports().values()]
        if int(entry.name) != os.getpid() and (
            any(home in command or folder.startswith(home) for home in homes)
            or any(port in environment for port in ports)
        ):
            found.append(command)
    return found


async def test_a_clean_stop_leaves_no_process_and_a_second_start_keeps_everything(system: System) -> None:
    """Conversations, reviews, people's decisions and figures are what they were."""
    stack = system.stack
    threat = tell("zendesk", THREAT, language="en")
    await system.send(threat)
    await system.complete(threat)
    flags = await system.read_all("/v1/flags")
    url = f"{system.url('metrics')}/v1/flags/{flags[0]['id']}"
    decided = await system.client.patch(url, json={"state": "dismissed"}, headers=system.key("qa_lead"))
    assert decided.status_code == 200
    before = await everything(system)
    assert processes_of(stack)
    await asyncio.to_thread(stack.stop)
    assert processes_of(stack) == []
    await asyncio.to_thread(stack.start)
    assert await everything(system) == before
    dismissed = await system.read_all("/v1/flags", state="dismissed")
    assert flags[0]["id"] in [flag["id"] for flag in dismissed]


async def everything(system: System) -> tuple[list[str], list[str], int]:
    """What a reader sees."""
    conversations = await system.read_all("/v1/conversations")
    flags = await system.read_all("/v1/flags")
    return (
        sorted(f"{one['id']} {one['status']} {one['review']} {one['score']}" for one in conversations),
        sorted(flag["id"] for flag in flags),
        await system.volume(),
    )


async def test_on_a_fresh_broker_what_was_not_scored_gets_scored(system: System) -> None:
    """The topics are gone, the database is kept: ingest tells again of what nobody judged, once."""
    stack = system.stack
    await asyncio.to_thread(stack.kill_service, "autoqa")
    told = [tell(vendor, CALM_EN, language="en") for vendor in ("zendesk", "intercom", "generic")]
    await system.send(*told)
    sent = time.monotonic()

    async def folded() -> None:
        for one in told:
            found = await system.conversation(one.vendor, one.external_id)
            assert found["status"] in ("solved", "closed")
            assert (len(found["messages"]), found["review"]) == (len(one.marks), None)

    await eventually(folded)
    await asyncio.to_thread(stack.stop)
    shutil.rmtree(stack.kafka.data_dir)
    await asyncio.sleep(max(0.0, sent + GRACE_SECONDS - time.monotonic()))
    await asyncio.to_thread(stack.start)
    for one in told:
        await system.complete(one)
    await system.assert_nothing_doubled()
    later = tell("chatwoot", CALM_EN, language="en")
    await system.send(later)
    await system.complete(later)
    scored = await records(stack.env["KAFKA_BOOTSTRAP"], CONVERSATIONS_CHANGED)
    assert len({record.key for record in scored}) == len(told) + 1, "what was judged is not told again"


async def test_readiness_is_told_by_every_service(system: System) -> None:
    """After all of it, everything that a service depends on is there."""
    answers = await asyncio.gather(
        *(system.client.get(f"{system.url(service)}/readyz") for service in system.stack.services)
    )
    assert [(answer.status_code, set(answer.json().values())) for answer in answers] == [
        (httpx.codes.OK, {"ready"})
    ] * 3
