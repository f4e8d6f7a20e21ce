"""Nobody sees or touches another tenant's rows; every route asks for a key and a role."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import text

from services.metrics.bootstrap import build
from services.metrics.settings import MetricsSettings
from services.metrics.tables import (
    API_KEY,
    CATEGORY,
    CATEGORY_EXAMPLE,
    CATEGORY_OUTBOX,
    CATEGORY_REPLAY,
    FACT,
    FLAG,
    MARK,
    ROLLUPS,
    SCORECARD,
)
from shared.clock import SystemClock
from shared.http.auth import KeyRole
from tests.integration.metrics.conftest import Metrics
from tests.integration.metrics.world import World, a_flag
from tests.stack import TestDatabase

SECRET = "Geheimnis"
CATEGORIES = (CATEGORY, CATEGORY_EXAMPLE, CATEGORY_REPLAY, CATEGORY_OUTBOX, SCORECARD)
EXAMPLES = [{"text": f"{SECRET} {n}", "positive": n < 4} for n in range(8)]
VOUCHER = {"name": "Voucher", "role": "agent", "examples": EXAMPLES}
BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("patch", "/v1/flags/{flag_id}"): {"state": "dismissed"},
    ("post", "/v1/categories"): {
        "name": "Other",
        "role": "agent",
        "examples": [{"text": f"other {n}", "positive": n < 4} for n in range(8)],
    },
    ("patch", "/v1/categories/{category_id}"): {"name": "Taken", "in_scorecard": True},
    ("post", "/v1/categories/{category_id}/replay"): {"from": "2026-01-01", "to": "2026-03-31"},
}


def all_routes() -> list[tuple[str, str]]:
    """Method and path of every documented route, none left out."""
    settings = MetricsSettings.model_validate({"database": {"user": "u", "password": "p"}})
    app = build(settings, clock=SystemClock()).app
    return [(method, path) for path, methods in app.openapi()["paths"].items() for method in methods]


ROUTES = all_routes()
ROUTE = pytest.mark.parametrize(("method", "path"), ROUTES, ids=[f"{m} {p}" for m, p in ROUTES])


def request(method: str, path: str, ids: dict[str, str]) -> dict[str, Any]:
    """A well-formed request to the route."""
    body = BODIES.get((method, path))
    return {"method": method.upper(), "url": path.format(**ids), **({"json": body} if body else {})}


@pytest.fixture
async def ids(metrics: Metrics, world: World) -> dict[str, str]:
    """Ids of tenant b's things, that carry SECRET wherever text can be."""
    await world.conversation(
        "secret", tenant_id="b", team=SECRET, agent=SECRET, tags=[SECRET], external_id=SECRET
    )
    await world.message(
        "secret", "m1", tenant_id="b", role="customer", after=timedelta(0), text=f"{SECRET} und mehr"
    )
    await world.survey("secret", "csat", 1, tenant_id="b", comment=SECRET)
    await world.review("secret", tenant_id="b", flags=[a_flag("churn")])
    await metrics.news("secret", tenant_id="b")
    flag_id = await world.connection.fetchval("select id from metrics.flag where tenant_id = 'b'")
    headers = await metrics.key(KeyRole.QA_LEAD, tenant_id="b")
    made = await metrics.client.post("/v1/categories", json=VOUCHER, headers=headers)
    category_id = made.json()["id"]
    await world.connection.execute("update metrics.category set active_version = 1")
    answer = await metrics.client.post(
        f"/v1/categories/{category_id}/replay",
        json={"from": "2026-01-01", "to": "2026-03-31"},
        headers=headers,
    )
    assert (made.status_code, answer.status_code) == (202, 202)
    return {"conversation_id": "secret", "flag_id": flag_id, "category_id": category_id}


def test_the_app_has_the_routes_that_this_file_walks_over() -> None:
    """A walk over nothing would prove nothing."""
    assert len(ROUTES) >= 13
    settings = MetricsSettings.model_validate({"database": {"user": "u", "password": "p"}})
    app = build(settings, clock=SystemClock()).app
    hidden = {r.path for r in app.routes if isinstance(r, APIRoute) and not r.include_in_schema}
    assert hidden == {"/healthz", "/readyz", "/metrics"}


@ROUTE
async def test_without_a_key_nothing_is_answered(
    metrics: Metrics, ids: dict[str, str], method: str, path: str
) -> None:
    """Nor with one that nobody made."""
    for headers in ({}, {"Authorization": "Bearer pst_nobody"}, {"Authorization": "Basic abc"}):
        response = await metrics.client.request(**request(method, path, ids), headers=headers)
        assert response.status_code == 401, headers
        assert response.headers["content-type"] == "application/problem+json"
        assert SECRET not in response.text


@ROUTE
async def test_a_key_of_the_wrong_role_is_refused(
    metrics: Metrics, ids: dict[str, str], method: str, path: str
) -> None:
    """Even of the right tenant: ingest keys read nothing, viewers change nothing."""
    headers = await metrics.key(KeyRole.INGEST if method == "get" else KeyRole.VIEWER, tenant_id="b")
    response = await metrics.client.request(**request(method, path, ids), headers=headers)
    assert response.status_code == 403
    assert SECRET not in response.text


@ROUTE
async def test_a_key_of_another_tenant_sees_and_touches_nothing(
    metrics: Metrics, world: World, ids: dict[str, str], method: str, path: str
) -> None:
    """Not even that the thing exists."""
    before = await everything_of_b(world)
    headers = await metrics.key(KeyRole.ADMIN, tenant_id="a")
    if path == "/v1/stream":
        assert await heard_by_a(metrics) == []
        return
    response = await metrics.client.request(**request(method, path, ids), headers=headers)
    assert response.status_code == (404 if "{" in path else 202 if method == "post" else 200)
    assert SECRET not in response.text
    assert not any(ids[name] in response.text for name in ("flag_id", "category_id"))
    if "{" not in path and "items" in response.text:
        assert response.json()["items"] == []
    assert await everything_of_b(world) == before


async def everything_of_b(world: World) -> list[Any]:
    """All rows of tenant b in all tables of metrics."""
    return [
        [tuple(row) for row in await world.connection.fetch(f"select * from {t} where tenant_id = 'b'")]
        for t in (table.fullname for table in (API_KEY, FACT, FLAG, MARK, *CATEGORIES, *ROLLUPS))
    ]


async def heard_by_a(metrics: Metrics) -> list[Any]:
    """What a listener of tenant a hears of tenant b's next event, up to its own."""
    listener = asyncio.create_task(metrics.service.listener.run())
    heard = []
    async with asyncio.timeout(20):
        while True:
            try:
                await metrics.service.listener.check()
                break
            except Exception:
                await asyncio.sleep(0.01)
        with metrics.service.hub.subscribe("a") as subscription:
            for tenant in ("b", "a"):
                notice = (
                    f'{{"tenant_id":"{tenant}","event":{{"event":"review.scored","id":"{tenant}",'
                    '"conversation_id":"c","version":1,"state":"final","score":null}}'
                )
                async with metrics.database.transaction(tenant) as connection:
                    await connection.execute(
                        text("select pg_notify('metrics_stream', :notice)"), {"notice": notice}
                    )
            async for event in subscription:
                if event.id == "a":
                    break
                heard.append(event)
    metrics.service.listener.stop()
    await listener
    return heard


async def test_every_unique_key_leads_with_the_tenant(database: TestDatabase, world: World) -> None:
    """Uniqueness is checked across tenants, whatever row-level security says."""
    rows = await world.connection.fetch("""
        select n.nspname || '.' || c.relname as table_name, i.indexrelid::regclass::text as index_name,
               i.indisunique, a.attname as first_column
        from pg_index i
        join pg_class c on c.oid = i.indrelid
        join pg_namespace n on n.oid = c.relnamespace
        left join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
        where n.nspname in ('ingest', 'autoqa', 'metrics') and c.relname <> 'alembic_version'
    """)
    assert len(rows) > 15
    wrong = {row["index_name"] for row in rows if row["first_column"] != "tenant_id"}
    # The ways from a key and from a webhook's address to the tenant.
    assert wrong == {"metrics.api_key_hash", "ingest.source_id"}
    assert not any(row["indisunique"] for row in rows if row["index_name"] in wrong)


async def test_every_table_has_forced_row_level_security(world: World) -> None:
    """In all three schemas."""
    rows = await world.connection.fetch("""
        select n.nspname || '.' || c.relname as name, c.relrowsecurity and c.relforcerowsecurity as forced
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('ingest', 'autoqa', 'metrics') and c.relkind in ('r', 'p')
          and c.relname <> 'alembic_version'
    """)
    assert len(rows) > 12
    assert [row["name"] for row in rows if not row["forced"]] == []


async def test_every_view_runs_with_its_reader_s_rights(world: World) -> None:
    """A view with its owner's rights would show all tenants."""
    rows = await world.connection.fetch("""
        select n.nspname || '.' || c.relname as name, c.relkind, c.reloptions
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname in ('ingest', 'autoqa', 'metrics') and c.relkind in ('v', 'm')
    """)
    assert len(rows) >= 6
    wrong = [r["name"] for r in rows if "security_invoker=true" not in (r["reloptions"] or [])]
    assert wrong == []


async def test_the_services_roles_cannot_pass_by(world: World) -> None:
    """Neither superusers nor exempt, and not the owner."""
    rows = await world.connection.fetch(
        "select rolname, rolsuper or rolbypassrls as passes,"
        " pg_has_role(rolname, 'pruefstein_owner', 'member') as owns from pg_roles"
        " where rolname in ('ingest', 'autoqa', 'metrics')"
    )
    assert {row["rolname"]: (row["passes"], row["owns"]) for row in rows} == {
        "ingest": (False, False),
        "autoqa": (False, False),
        "metrics": (False, False),
    }


async def test_a_pooled_connection_forgets_its_tenant(metrics: Metrics, ids: dict[str, str]) -> None:
    """The next transaction without a tenant sees nothing, whoever had the connection before."""

    async def seen(tenant_id: str) -> int:
        async with metrics.database.transaction(tenant_id) as connection:
            return int((await connection.execute(text("select count(*) from metrics.fact"))).scalar_one())

    async def seen_by_nobody() -> int:
        async with metrics.database.tenantless() as connection:
            return int((await connection.execute(text("select count(*) from metrics.fact"))).scalar_one())

    answers = await asyncio.gather(
        *(work for _ in range(50) for work in (seen("b"), seen_by_nobody(), seen("a")))
    )
    assert answers == [1, 0, 0] * 50


@pytest.fixture
async def other_role(database: TestDatabase) -> AsyncIterator[Any]:
    """A connection of the role autoqa."""
    connection = await database.connect("autoqa")
    yield connection
    await connection.close()


async def test_keys_are_looked_up_by_function_only(metrics: Metrics, world: World, other_role: Any) -> None:
    """Other services learn of a key they hold, and never read the table."""
    headers = await metrics.key(KeyRole.VIEWER, tenant_id="b")
    token = headers["Authorization"].split()[1]
    found = await other_role.fetch(
        "select tenant_id, role from metrics.authenticate(sha256($1::bytea))", token.encode()
    )
    assert [tuple(row) for row in found] == [("b", "viewer")]
    with pytest.raises(Exception, match="permission denied"):
        await other_role.fetch("select * from metrics.api_key")
    stored = await world.connection.fetch("select * from metrics.api_key")
    assert token not in str(stored)


async def test_the_openapi_document_describes_every_field(metrics: Metrics) -> None:
    """Every parameter and every field of our own says what it means."""
    response: httpx.Response = await metrics.client.get("/openapi.json")
    document = response.json()
    mute = [
        f"{name}.{field}"
        for name, schema in document["components"]["schemas"].items()
        if name not in ("HTTPValidationError", "ValidationError")
        for field, about in schema.get("properties", {}).items()
        if "description" not in about
    ]
    mute += [
        f"{method} {path} {parameter['name']}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for parameter in operation.get("parameters", [])
        if "description" not in parameter
    ]
    assert mute == []
    for methods in document["paths"].values():
        for operation in methods.values():
            assert {"401", "403", "422", "503"} <= set(operation["responses"])
    assert "sum(score) / scored" in document["paths"]["/v1/kpis"]["get"]["description"]
