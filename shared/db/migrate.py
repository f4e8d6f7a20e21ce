"""Runs a service's migrations with Alembic, each service's in its own schema, as the owner of the tables."""

from pathlib import Path
from typing import Final

from alembic import op
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection

OWNER: Final = "pruefstein_owner"
"""Owns all schemas; cannot log in, is no superuser, so forced row-level security binds it as well."""


async def upgrade(connection: AsyncConnection, *, schema: str, folder: Path) -> None:
    """Bring `schema` to the newest revision in `folder/versions`, inside the connection's transaction.

    The connection's user must be allowed to become OWNER. Safe to repeat.
    """
    await connection.execute(text(f'create schema if not exists "{schema}" authorization {OWNER}'))
    await connection.execute(text(f"set local role {OWNER}"))
    await connection.run_sync(_upgrade, schema=schema, folder=folder)
    await connection.execute(text("reset role"))


def execute_script(sql: str) -> None:
    """For migrations: run several statements at once, in the migration's transaction."""
    connection = op.get_bind()
    # The driver's prepared statements take one statement only; its simple protocol takes them all.
    connection.connection.dbapi_connection.run_async(lambda driver: driver.execute(sql))  # type: ignore[union-attr]


def tenant_table(table: str) -> str:
    """SQL that lets nobody, the owner included, see or write another tenant's rows of `table`."""
    return f"""
        alter table {table} enable row level security;
        alter table {table} force row level security;
        create policy tenant on {table}
            using (tenant_id = nullif(current_setting('app.tenant_id', true), ''))
            with check (tenant_id = nullif(current_setting('app.tenant_id', true), ''));
    """


def _upgrade(connection: Connection, *, schema: str, folder: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    script = ScriptDirectory.from_config(config)

    def to_head(revision: str | tuple[str, ...], _: MigrationContext) -> list[RevisionStep]:
        return script._upgrade_revs("head", revision)  # type: ignore[arg-type]

    with EnvironmentContext(config, script, fn=to_head, destination_rev="head") as environment:
        environment.configure(connection=connection, version_table_schema=schema)
        environment.run_migrations()
