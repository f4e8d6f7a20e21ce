"""The way to Postgres: an engine, and transactions that see one tenant.

Row-level security reads `app.tenant_id`, which is set for one transaction only; a session without it sees
nothing. Driver errors that may pass are turned into `Transient`.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from shared.errors import Transient
from shared.settings import DatabaseSettings

_TRANSIENT_STATES = ("08", "28", "40", "53", "57", "58")
"""SQLSTATE classes: connection, login, serialisation and deadlock, resources, intervention, system."""


class Database:
    """Opened with the process, closed with it."""

    def __init__(self, settings: DatabaseSettings) -> None:
        """Prepare the pool; nothing connects yet."""
        self._engine: AsyncEngine = create_async_engine(
            settings.url(),
            pool_size=settings.pool_size,
            max_overflow=0,
            pool_timeout=10,
            pool_pre_ping=True,
            connect_args={"ssl": settings.ssl_context(), "timeout": 5, "command_timeout": 60},
        )

    @asynccontextmanager
    async def transaction(self, tenant_id: str) -> AsyncIterator[AsyncConnection]:
        """One transaction that sees `tenant_id`'s rows; commits at the end, rolls back on an error."""
        async with self._begin() as connection:
            await connection.execute(
                text("select set_config('app.tenant_id', :tenant_id, true)"), {"tenant_id": tenant_id}
            )
            yield connection

    @asynccontextmanager
    async def tenantless(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that sees no tenant's rows, for the functions that find out whose turn it is."""
        async with self._begin() as connection:
            yield connection

    async def ping(self) -> None:
        """Raises `Transient` when the database does not answer."""
        async with self.tenantless() as connection:
            await connection.execute(text("select 1"))

    async def close(self) -> None:
        """Give all connections back."""
        await self._engine.dispose()

    @asynccontextmanager
    async def _begin(self) -> AsyncIterator[AsyncConnection]:
        try:
            async with self._engine.begin() as connection:
                yield connection
        except (OSError, PoolTimeout, TimeoutError) as error:
            raise Transient("the database does not answer", reason="database") from error
        except DBAPIError as error:
            if _may_pass(error):
                raise Transient("the database does not answer", reason="database") from error
            raise


def _may_pass(error: DBAPIError) -> bool:
    state = getattr(error.orig, "sqlstate", None) or ""
    return (
        error.connection_invalidated
        or isinstance(error, OperationalError)
        or state[:2] in _TRANSIENT_STATES
        or type(error.orig).__name__ == "InterfaceError"
    )
