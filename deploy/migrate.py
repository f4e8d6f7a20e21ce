"""Brings the database up to date: `python -m deploy.migrate`. Safe to repeat.

database -> roles -> migrations of ingest, autoqa, metrics, each in one transaction

Connects as a user who may create databases and roles (MIGRATE_DATABASE__HOST, __PORT, __NAME, __USER,
__PASSWORD and the other fields of the database settings) and gives the services' roles their passwords
(MIGRATE_INGEST_PASSWORD, MIGRATE_AUTOQA_PASSWORD, MIGRATE_METRICS_PASSWORD).
"""

import asyncio
import sys
from pathlib import Path
from typing import Final

import asyncpg
from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine

from shared.db import migrate
from shared.settings import DatabaseSettings

SERVICES: Final = ("ingest", "autoqa", "metrics")
"""In the order of their migrations: each may read the views of those before it."""
_SERVICES_FOLDER: Final = Path(__file__).parents[1] / "services"
_LOCK: Final = 7_311_204_471
"""Advisory lock, so that two runs at the same time follow each other."""
_PATCHED: Final = {16: 16, 17: 12, 18: 7}
"""First minor release of each major one in which ON CONFLICT respects row-level security."""


class MigrateSettings(BaseSettings):
    """The owner's way in, and the passwords that the services will use."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="MIGRATE_", env_nested_delimiter="__", extra="forbid"
    )

    database: DatabaseSettings
    """A user who may create databases and roles."""
    ingest_password: SecretStr
    """Of the role `ingest`."""
    autoqa_password: SecretStr
    """Of the role `autoqa`."""
    metrics_password: SecretStr
    """Of the role `metrics`."""

    def passwords(self) -> dict[str, str]:
        """By role."""
        return {
            "ingest": self.ingest_password.get_secret_value(),
            "autoqa": self.autoqa_password.get_secret_value(),
            "metrics": self.metrics_password.get_secret_value(),
        }


async def create_roles(connection: asyncpg.Connection, passwords: dict[str, str]) -> None:
    """Create the owner and the services' roles where missing, and set the passwords."""
    await _create_role(connection, migrate.OWNER, "nologin")
    for role, password in passwords.items():
        # Utility statements take no bind parameters; the server quotes the literal.
        literal = await connection.fetchval("select quote_literal($1::text)", password)
        await _create_role(connection, role, f"login password {literal}")
    await connection.execute(f"grant {migrate.OWNER} to current_user")


async def create_database(connection: asyncpg.Connection, name: str) -> bool:
    """Create database `name` where missing. Whether it was."""
    if await connection.fetchval("select true from pg_database where datname = $1", name):
        return False
    quoted = await connection.fetchval("select quote_ident($1::text)", name)
    await connection.execute(f"create database {quoted} encoding 'UTF8' template template0")
    return True


async def run_migrations(settings: DatabaseSettings) -> list[str]:
    """Bring every service's schema to its newest revision; the schemas that have migrations."""
    engine = create_async_engine(settings.url(), connect_args={"ssl": settings.ssl_context(), "timeout": 10})
    done = []
    try:
        for schema in SERVICES:
            folder = _SERVICES_FOLDER / schema / "migrations"
            if not (folder / "versions").is_dir():
                continue
            async with engine.begin() as connection:
                await connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
                name = (await connection.exec_driver_sql("select current_database()")).scalar_one()
                await connection.exec_driver_sql(f'grant create on database "{name}" to {migrate.OWNER}')
                await migrate.upgrade(connection, schema=schema, folder=folder)
            done.append(schema)
    finally:
        await engine.dispose()
    return done


async def connect(settings: DatabaseSettings, *, database: str) -> asyncpg.Connection:
    """A connection of the owner's, to any database of the server."""
    return await asyncpg.connect(
        host=settings.host,
        port=settings.port,
        user=settings.user,
        password=settings.password.get_secret_value(),
        database=database,
        ssl=settings.ssl_context(),
        timeout=10,
    )


async def upgrade_all(settings: MigrateSettings) -> str:
    """Database, roles, migrations; a line that says what was done and what to watch."""
    connection = await connect(settings.database, database="postgres")
    try:
        created = await create_database(connection, settings.database.name)
        await create_roles(connection, settings.passwords())
        warning = _warning(connection.get_server_version())
    finally:
        await connection.close()
    schemas = await run_migrations(settings.database)
    state = "created" if created else "was there"
    return (
        f"database {settings.database.name} {state}; up to date: {', '.join(schemas) or 'nothing'}{warning}"
    )


async def _create_role(connection: asyncpg.Connection, role: str, options: str) -> None:
    try:
        await connection.execute(f"create role {role} nosuperuser nobypassrls {options}")
    except (asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError):
        await connection.execute(f"alter role {role} nosuperuser nobypassrls {options}")


def _warning(server: "asyncpg.types.ServerVersion") -> str:
    first = _PATCHED.get(server.major)
    if first is None or server.minor >= first:
        return ""
    return (
        f"; PostgreSQL {server.major}.{server.minor} has CVE-2026-120154, fixed in {server.major}.{first}: "
        "our keys all lead with the tenant and are not open to it, but upgrade"
    )


def main() -> int:
    """Run with the environment's settings; 1 with one line on standard error when it cannot."""
    try:
        line = asyncio.run(upgrade_all(MigrateSettings()))
    except ValidationError as error:
        names = ("MIGRATE_" + "__".join(str(part) for part in item["loc"]).upper() for item in error.errors())
        sys.stderr.write(f"settings are missing or wrong: {', '.join(names)}\n")
        return 1
    except (asyncpg.PostgresError, SQLAlchemyError, OSError, TimeoutError) as error:
        sys.stderr.write(f"the database cannot be brought up to date: {str(error) or type(error).__name__}\n")
        return 1
    sys.stdout.write(f"{line}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
