"""Broker and database that crash under load, and services that wait for them."""

import asyncio

import httpx

from deploy.local.stack import SERVICES
from tests.e2e.load import under_load
from tests.e2e.system import System
from tests.e2e.talk import CALM_DE, tell
from tests.e2e.waiting import eventually


def processes(system: System) -> list[int]:
    """The services that run."""
    children = [system.stack.services[name].child for name in SERVICES]
    return [child.pid for child in children if child is not None and child.exit_code is None]


async def test_a_killed_broker_costs_a_503_and_nothing_else(system: System) -> None:
    """Senders are told to come again; after the restart all that was acknowledged is there once."""
    before = processes(system)
    async with under_load(system) as load:
        await load.acknowledged(0.2)
        await asyncio.to_thread(system.stack.kafka.kill)

        async def refused() -> None:
            assert load.sender.answers[503] > 0

        await eventually(refused)
        health = await system.client.get(f"{system.url('ingest')}/healthz")
        assert health.status_code == 200, "it waits, it does not die"
        await asyncio.to_thread(system.stack.kafka.start)
    await load.stands(system)
    assert set(load.sender.answers) <= {200, 202, 503}
    assert processes(system) == before
    await all_ready(system)


async def test_a_killed_database_costs_a_503_at_most(system: System) -> None:
    """What the broker took in waits there until the database is back; readers are told to come again."""
    before = processes(system)
    async with under_load(system) as load:
        await load.acknowledged(0.2)
        await asyncio.to_thread(system.stack.postgres.kill)
        await load.acknowledged(0.4)
        answers = await asyncio.gather(
            *(
                system.client.get(f"{system.url('metrics')}{path}", headers=system.key("viewer"))
                for path in ("/v1/conversations", "/v1/flags", "/v1/kpis")
            )
        )
        assert {answer.status_code for answer in answers} == {503}
        await asyncio.to_thread(system.stack.postgres.start)
    await load.stands(system)
    assert set(load.sender.answers) <= {200, 202, 503}
    assert processes(system) == before
    await all_ready(system)


async def test_the_first_request_after_an_outage_is_answered(system: System) -> None:
    """Connections that the database's restart broke are noticed before they are used."""
    await asyncio.to_thread(system.stack.postgres.kill)
    await asyncio.to_thread(system.stack.postgres.start)
    told = tell("zendesk", CALM_DE)
    sender = await system.send(told)
    assert set(sender.answers) == {202}
    await system.complete(told)


async def all_ready(system: System) -> None:
    """Every service says so."""

    async def check() -> None:
        for name in SERVICES:
            answer: httpx.Response = await system.client.get(f"{system.url(name)}/readyz")
            assert answer.status_code == 200, f"{name}: {answer.text}"

    await eventually(check)
