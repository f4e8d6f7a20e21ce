"""Listens to Postgres' NOTIFY on a connection of its own and hands notices to the hub."""

import asyncio
from typing import Final

import asyncpg
from pydantic import ValidationError

from services.metrics.stream.events import NOTIFY_CHANNEL, Notice
from services.metrics.stream.hub import Hub
from shared.errors import Transient
from shared.settings import DatabaseSettings
from shared.telemetry.logging import get_logger

log = get_logger()

_RECONNECT_SECONDS: Final = (0.1, 0.5, 1.0, 2.0)
_PING_SECONDS: Final = 15.0
"""A connection that went away without a word is noticed after this long."""


class Listener:
    """Notices of all processes that write facts; what comes while the database is away is not repeated."""

    def __init__(self, settings: DatabaseSettings, hub: Hub) -> None:
        """Nothing connects yet."""
        self._settings = settings
        self._hub = hub
        self._stopping = asyncio.Event()
        self._is_listening = False

    def stop(self) -> None:
        """Disconnect."""
        self._stopping.set()

    async def check(self) -> None:
        """Raises `Transient` while not listening."""
        if not self._is_listening:
            raise Transient("not listening to the database's notices", reason="database")

    async def run(self) -> None:
        """Listen until stopped; connects again for ever."""
        attempt = 0
        while not self._stopping.is_set():
            try:
                connection = await self._connect()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning("stream.database_away", error_class=type(error).__name__)
                await self._wait(_RECONNECT_SECONDS[min(attempt, len(_RECONNECT_SECONDS) - 1)])
                attempt += 1
                continue
            attempt = 0
            self._is_listening = True
            try:
                await self._until_lost(connection)
            finally:
                self._is_listening = False
                connection.terminate()

    async def _connect(self) -> asyncpg.Connection:
        settings = self._settings
        connection = await asyncpg.connect(
            host=settings.host,
            port=settings.port,
            user=settings.user,
            password=settings.password.get_secret_value(),
            database=settings.name,
            ssl=settings.ssl_context(),
            timeout=5,
            command_timeout=5,
        )
        await connection.add_listener(NOTIFY_CHANNEL, self._on_notice)
        return connection

    async def _until_lost(self, connection: asyncpg.Connection) -> None:
        lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        while not (lost.is_set() or self._stopping.is_set()):
            waiting = [asyncio.create_task(event.wait()) for event in (lost, self._stopping)]
            await asyncio.wait(waiting, timeout=_PING_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            if not (lost.is_set() or self._stopping.is_set()):
                try:
                    await connection.execute("select 1")
                except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    return

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._stopping.wait(), seconds)
        except TimeoutError:
            return

    def _on_notice(self, _connection: object, _pid: int, _channel: str, payload: str) -> None:
        try:
            notice = Notice.model_validate_json(payload)
        except ValidationError:
            log.warning("stream.notice_not_understood")
            return
        self._hub.publish(notice)
