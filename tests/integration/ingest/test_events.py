"""`POST /v1/events`: canonical events in every form of CloudEvents."""

from typing import Any

import httpx
import orjson
import pytest

from shared.settings import KafkaSettings
from tests.integration.ingest.bench import Bench, a_message, an_event
from tests.integration.ingest.conftest import NewBench

BATCH = "application/cloudevents-batch+json"
STRUCTURED = "application/cloudevents+json"


def cloud_event(event: dict[str, Any], **attributes: str) -> dict[str, Any]:
    """In the JSON format."""
    return {"specversion": "1.0", "id": "1", "source": "/shop", "type": "t", "data": event} | attributes


async def post(bench: Bench, body: object, media: str, **headers: str) -> httpx.Response:
    """With a key that may send events."""
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    named = {"content-type": media} | await bench.key() | headers
    return await bench.client.post("/v1/events", content=content, headers=named)


async def stored_ids(bench: Bench) -> list[str]:
    """External ids of what was folded."""
    await bench.consume()
    return [row["external_id"] for row in await bench.conversations()]


async def test_an_event_is_taken_in_whatever_its_form(bench: Bench) -> None:
    """Structured, binary, and plain."""
    answers = [
        await post(bench, cloud_event(an_event(conversation={"id": "structured"})), STRUCTURED),
        await post(
            bench,
            an_event(conversation={"id": "binary"}),
            "application/json",
            **{"ce-specversion": "1.0", "ce-id": "2", "ce-source": "/shop", "ce-type": "t"},
        ),
        await post(bench, an_event(conversation={"id": "plain"}), "application/json"),
    ]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(202, {"accepted": 1})] * 3
    assert await stored_ids(bench) == ["binary", "plain", "structured"]


async def test_a_batch_is_taken_in_as_a_whole(bench: Bench) -> None:
    """Fifty conversations by one request."""
    batch = [cloud_event(an_event(conversation={"id": f"{place:02}"})) for place in range(50)]
    answer = await post(bench, batch, BATCH)
    assert (answer.status_code, answer.json()) == (202, {"accepted": 50})
    assert len(await stored_ids(bench)) == 50


async def test_one_wrong_event_refuses_its_batch_and_is_named(bench: Bench) -> None:
    """Nothing of the batch is stored; the answer quotes no text."""
    wrong = an_event(messages=[a_message(at="Geheimwort")])
    answer = await post(bench, [cloud_event(an_event()), cloud_event(wrong)], BATCH)
    assert answer.status_code == 422
    assert "event 1" in answer.json()["detail"]
    assert "at" in answer.json()["detail"]
    assert "Geheimwort" not in answer.text
    assert await stored_ids(bench) == []


@pytest.mark.parametrize(
    ("body", "media"),
    [
        (b"{not json", STRUCTURED),
        (b"", "application/json"),
        (b"[]", STRUCTURED),
        (b"{}", BATCH),
        (b'"words"', "application/json"),
        (b'{"specversion": "2.0"}', STRUCTURED),
        (b'{"event": "message.added"}', "application/json"),
    ],
)
async def test_what_is_no_event_is_refused(bench: Bench, body: bytes, media: str) -> None:
    """422 as problem+json."""
    answer = await post(bench, body, media)
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"


async def test_the_tenant_is_the_keys_whatever_the_event_says(bench: Bench) -> None:
    """Nobody writes into another tenant's conversations."""
    answer = await post(bench, cloud_event(an_event(), tenantid="somebody-else"), STRUCTURED)
    assert answer.status_code == 202
    assert await stored_ids(bench) == ["1"]


async def test_a_key_of_the_right_role_is_needed(bench: Bench) -> None:
    """Without one 401; reading keys must not write."""
    body = orjson.dumps(an_event())
    assert (await bench.client.post("/v1/events", content=body)).status_code == 401
    unknown = {"Authorization": "Bearer pst_unknown"}
    assert (await bench.client.post("/v1/events", content=body, headers=unknown)).status_code == 401
    for role, status in (("viewer", 403), ("qa_lead", 403), ("ingest", 202), ("admin", 202)):
        answer = await bench.client.post("/v1/events", content=body, headers=await bench.key(role))
        assert answer.status_code == status, role


async def test_limits_hold_for_the_request_and_for_each_event(new_bench: NewBench) -> None:
    """413 either way."""
    bench = new_bench(max_body_bytes=2048, max_batch_bytes=4096)
    long = an_event(messages=[a_message(text="x" * 2048)])
    assert (await post(bench, [cloud_event(long)], BATCH)).status_code == 413
    assert (await post(bench, [cloud_event(an_event())] * 50, BATCH)).status_code == 413
    assert (await post(bench, [cloud_event(an_event())] * 5, BATCH)).status_code == 202


async def test_without_the_broker_nothing_is_accepted(new_bench: NewBench) -> None:
    """503 with Retry-After."""
    bench = new_bench(kafka=KafkaSettings(bootstrap_servers="127.0.0.1:1"), acknowledge_seconds=1.0)
    answer = await post(bench, an_event(), "application/json")
    assert answer.status_code == 503
    assert "retry-after" in answer.headers


async def test_the_interface_describes_itself(bench: Bench) -> None:
    """OpenAPI with an example of each form."""
    paths = (await bench.client.get("/openapi.json")).json()["paths"]
    assert set(paths) == {"/v1/events", "/v1/webhooks/{source_id}"}
    assert BATCH in paths["/v1/events"]["post"]["requestBody"]["content"]
