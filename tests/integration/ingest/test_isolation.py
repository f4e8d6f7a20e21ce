"""Tenant A cannot see or touch what is tenant B's."""

import asyncpg
import pytest

from tests.integration.ingest.bench import Bench, a_message, an_event

TABLES = ("source", "conversation", "message", "survey")
VIEWS = ("conversation_v1", "message_v1", "survey_v1")


@pytest.fixture
async def two(bench: Bench) -> Bench:
    """The bench's tenant and tenant `b` with the same conversation."""
    event = an_event(conversation={"id": "1", "csat": {"score": 5}}, messages=[a_message()])
    await bench.source("generic", "s3cret")
    await bench.produce(event, tenant="b")
    await bench.fold(event)
    return bench


async def as_tenant(connection: asyncpg.Connection, tenant: str) -> None:
    """For the transaction at hand."""
    await connection.execute("select set_config('app.tenant_id', $1, true)", tenant)


@pytest.mark.parametrize("role", ["ingest", "autoqa", "metrics"])
async def test_a_session_sees_its_tenant_only(two: Bench, role: str) -> None:
    """Tables and views, of the service and of its readers."""
    connection = await two.database.connect(role)  # type: ignore[arg-type]  # the parameters are the roles
    try:
        for name in (*VIEWS, *(TABLES if role == "ingest" else ())):
            query = f"select tenant_id from ingest.{name}"
            assert await connection.fetch(query) == [], f"{name} without a tenant"
            for tenant in (two.tenant, "b"):
                async with connection.transaction():
                    await as_tenant(connection, tenant)
                    seen = {row["tenant_id"] for row in await connection.fetch(query)}
                if name == "source":
                    assert seen <= {tenant}
                else:
                    assert seen == {tenant}, name
    finally:
        await connection.close()


@pytest.mark.parametrize("table", TABLES)
async def test_a_row_of_another_tenant_cannot_be_written(two: Bench, table: str) -> None:
    """Neither given away nor taken over."""
    connection = await two.database.connect("ingest")
    try:
        transaction = connection.transaction()
        await transaction.start()
        await as_tenant(connection, two.tenant)
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await connection.execute(f"update ingest.{table} set tenant_id = 'b'")
        await transaction.rollback()
        async with connection.transaction():
            await as_tenant(connection, "nobody")
            assert await connection.execute(f"delete from ingest.{table}") == "DELETE 0"
    finally:
        await connection.close()


@pytest.mark.parametrize("role", ["autoqa", "metrics"])
async def test_readers_see_neither_secrets_nor_folded_state(two: Bench, role: str) -> None:
    """Only what the views show."""
    connection = await two.database.connect(role)  # type: ignore[arg-type]
    try:
        for query in (
            "select secret from ingest.source",
            "select state from ingest.conversation",
            "select quoted_text from ingest.message",
            "select * from ingest.webhook_source('x')",
            "delete from ingest.message",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.fetch(query)
        assert {row[0] for row in await connection.fetch("select ingest.tenants()")} == {two.tenant, "b"}
    finally:
        await connection.close()


async def test_every_key_leads_with_the_tenant(two: Bench) -> None:
    """Unique checks ignore row-level security; a key without the tenant would tell of others' rows."""
    rows = await two.fetch(
        """select i.indexrelid::regclass::text as name, a.attname::text as first
           from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = i.indkey[0]
           where i.indisunique and i.indrelid::regclass::text like 'ingest.%'
             and i.indrelid <> 'ingest.alembic_version'::regclass"""
    )
    assert len(rows) == len(TABLES)
    assert {row["first"] for row in rows} == {"tenant_id"}


async def test_row_level_security_is_forced_everywhere(two: Bench) -> None:
    """The owner is bound as well; views run with their reader's rights."""
    rows = await two.fetch(
        """select relname::text as name, relkind::text as kind, relforcerowsecurity as forced,
                  coalesce(reloptions @> '{security_invoker=true}', false) as invoker
           from pg_class where relnamespace = 'ingest'::regnamespace and relkind in ('r', 'v')
             and relname <> 'alembic_version'"""
    )
    assert {row["name"] for row in rows} == {*TABLES, *VIEWS}
    assert all(row["forced"] if row["kind"] == "r" else row["invoker"] for row in rows)
