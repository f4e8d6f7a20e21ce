"""Server-sent events: bounded, one tenant's, ended in time."""

import asyncio

import httpx
import pytest

from services.metrics.keys.handlers import add_key, revoke_key
from services.metrics.keys.store import KeyStore
from services.metrics.stream import endpoints
from services.metrics.stream.events import Notice, ReviewScored
from services.metrics.stream.hub import Hub, Subscription
from services.metrics.stream.listener import Listener
from shared.domain.review import ReviewState
from shared.errors import Transient
from shared.http.app import create_app
from shared.http.auth import Authenticator, KeyRole
from tests.integration.metrics.conftest import Metrics
from tests.integration.metrics.world import World
from tests.stack import TestDatabase


def a_notice(number: int, tenant_id: str = "a") -> Notice:
    """Of the n-th review."""
    event = ReviewScored(id=str(number), conversation_id="c", version=1, state=ReviewState.FINAL, score=80.0)
    return Notice(tenant_id=tenant_id, event=event)


async def test_listeners_hear_their_own_tenant() -> None:
    """In order, until the hub closes."""
    hub = Hub(queue_size=10, max_listeners=10)
    with hub.subscribe("a") as mine, hub.subscribe("b") as theirs:
        for number in range(3):
            hub.publish(a_notice(number))
        hub.publish(a_notice(9, "b"))
        event = await anext(aiter(theirs))
        assert event.id == "9"
        heard = mine.__aiter__()
        assert [(await anext(heard)).id for _ in range(3)] == ["0", "1", "2"]
        hub.close()
        assert [event async for event in heard] == []
    with pytest.raises(Transient), hub.subscribe("a"):
        pass


async def test_a_listener_that_is_too_slow_is_let_go() -> None:
    """Memory is bounded, and nobody misses events without noticing."""
    hub = Hub(queue_size=2, max_listeners=2)
    with hub.subscribe("a") as slow, hub.subscribe("a") as quick:
        heard = quick.__aiter__()
        for number in range(4):
            hub.publish(a_notice(number))
            assert (await anext(heard)).id == str(number)
        assert [event async for event in slow] == []


async def test_listeners_are_bounded() -> None:
    """One more is told to come back."""
    hub = Hub(queue_size=1, max_listeners=1)
    with hub.subscribe("a"), pytest.raises(Transient), hub.subscribe("b"):
        pass
    with hub.subscribe("b"):
        pass


async def until_listening(listener: Listener) -> None:
    """Raises TimeoutError after 20 s."""
    async with asyncio.timeout(20):
        while True:
            try:
                return await listener.check()
            except Transient:
                await asyncio.sleep(0.01)


async def test_listening_goes_on_after_the_connection_broke(
    metrics: Metrics, world: World, database: TestDatabase
) -> None:
    """And readiness tells meanwhile."""
    hub = Hub(queue_size=10, max_listeners=10)
    listener = Listener(database.settings("metrics"), hub)
    task = asyncio.create_task(listener.run())
    await until_listening(listener)
    with hub.subscribe("a") as subscription:
        heard = subscription.__aiter__()
        await world.conversation("c1")
        await world.review("c1")
        await metrics.news("c1")
        async with asyncio.timeout(20):
            assert (await anext(heard)).conversation_id == "c1"
        killed = await world.connection.fetchval(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity"
            " where query like 'LISTEN%' and datname = current_database()"
        )
        assert killed == 1
        assert await heard_at_last(metrics, world, subscription) == "c2"
    listener.stop()
    await task


async def heard_at_last(metrics: Metrics, world: World, subscription: Subscription) -> str:
    """Tell of c2 until it is heard: what comes while nobody listens is not repeated."""
    await world.conversation("c2")
    for number in range(100):
        await world.review("c2", score=float(number))
        await metrics.news("c2")
        try:
            return (await asyncio.wait_for(anext(subscription.__aiter__()), 0.2)).conversation_id
        except TimeoutError:
            continue
    return "nothing"


async def until_full(hub: Hub) -> None:
    """Until the hub takes no more listeners."""
    try:
        while True:
            hub.require_room()
            await asyncio.sleep(0.01)
    except Transient:
        return


async def test_a_revoked_key_ends_its_open_stream(metrics: Metrics) -> None:
    """Those of other keys go on."""
    hub = Hub(queue_size=10, max_listeners=2)
    app = create_app(service="metrics", title="t", description="d", checks={})
    app.state.authenticator = Authenticator(metrics.database, remember_seconds=0)
    app.include_router(endpoints.router(hub, heartbeat_seconds=1, recheck_seconds=0.05))
    store = KeyStore(metrics.database)
    keys = [
        await add_key(store, tenant_id="a", role=KeyRole.VIEWER, name=None, clock=metrics.clock)
        for _ in range(2)
    ]
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics") as client:

        async def listen(token: str) -> str:
            response = await client.get("/v1/stream", headers={"Authorization": f"Bearer {token}"})
            return response.text

        revoked, other = (asyncio.create_task(listen(token)) for _, token in keys)
        async with asyncio.timeout(20):
            await until_full(hub)
            await revoke_key(store, tenant_id="a", key_id=keys[0][0].id, clock=metrics.clock)
            assert "listening" in await revoked
            hub.require_room()
            assert not other.done()
            hub.close()
            assert "listening" in await other
