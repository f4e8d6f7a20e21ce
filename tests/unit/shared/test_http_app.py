"""The frame of every service's HTTP side."""

from collections.abc import AsyncIterator

import httpx
import pytest

from shared.errors import Conflict, Forbidden, NotFound, Rejected, TooLarge, Transient, Unauthenticated
from shared.http.app import create_app

ERRORS = {
    "rejected": (Rejected("x"), 422),
    "unauthenticated": (Unauthenticated("x"), 401),
    "forbidden": (Forbidden("x"), 403),
    "too_large": (TooLarge("x"), 413),
    "not_found": (NotFound("x"), 404),
    "conflict": (Conflict("x"), 409),
    "unavailable": (Transient("x"), 503),
    "unexpected": (ZeroDivisionError("the customer's own words"), 500),
}


async def away() -> None:
    """A check that fails."""
    raise Transient("the broker does not answer")


async def fine() -> None:
    """A check that passes."""


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app with one route an error."""
    app = create_app(
        service="example",
        title="t",
        description="d",
        checks={"broker": away, "database": fine},
    )

    @app.get("/raise/{name}")
    async def fail(name: str) -> None:
        raise ERRORS[name][0]

    @app.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


@pytest.mark.parametrize("name", ERRORS)
async def test_every_error_is_a_problem(client: httpx.AsyncClient, name: str) -> None:
    """With a type that machines can tell apart."""
    response = await client.get(f"/raise/{name}")
    assert response.status_code == ERRORS[name][1]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["type"] == f"urn:pruefstein:{name}"
    assert "customer" not in response.text


async def test_unavailable_says_when_to_come_back(client: httpx.AsyncClient) -> None:
    """Helpdesks retry by Retry-After."""
    assert (await client.get("/raise/unavailable")).headers["retry-after"] == "2"


async def test_invalid_input_is_not_echoed(client: httpx.AsyncClient) -> None:
    """It may be personal."""
    response = await client.get("/number/petra.lange@example.com")
    assert response.status_code == 422
    assert "petra" not in response.text


async def test_unknown_routes_are_problems_too(client: httpx.AsyncClient) -> None:
    """Not Starlette's own shape."""
    response = await client.get("/nowhere")
    assert (response.status_code, response.json()["type"]) == (404, "urn:pruefstein:not_found")


async def test_readiness_names_what_is_away(client: httpx.AsyncClient) -> None:
    """Liveness stays green meanwhile: a restart would not help."""
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {"broker": "the broker does not answer", "database": "ready"}
    assert (await client.get("/healthz")).status_code == 200


async def test_every_scrape_asks_whether_the_service_is_ready(client: httpx.AsyncClient) -> None:
    """An alert can say which thing is away, though nobody calls /readyz."""
    text = (await client.get("/metrics")).text
    assert 'pruefstein_ready{check="broker"} 0.0' in text
    assert 'pruefstein_ready{check="database"} 1.0' in text


async def test_requests_are_counted_by_route_not_by_path(client: httpx.AsyncClient) -> None:
    """Paths carry ids, labels must not."""
    await client.get("/number/17")
    text = (await client.get("/metrics")).text
    assert 'route="/number/{number}",service="example",status="200"' in text
    assert "/number/17" not in text
