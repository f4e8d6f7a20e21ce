"""`POST /v1/score` with the stub model."""

import asyncio
from typing import Any

import pytest

from services.autoqa.schemas import ScoreOut
from tests.integration.autoqa.bench import Bench

CONVERSATION = {
    "id": "4711",
    "language": "en",
    "channel": "chat",
    "labels": {"resolved": "yes"},
    "messages": [
        {
            "id": "m1",
            "role": "customer",
            "at": "2026-03-02T09:14:00+01:00",
            "text": "why? [negative] [churn]",
        },
        {"id": "m2", "role": "note", "at": "2026-03-02T09:14:30+01:00", "text": "angry", "labels": {}},
        {"id": "m3", "role": "agent", "at": "2026-03-02T09:15:00+01:00", "text": "[greeting] so [solution]"},
        {"id": "m4", "role": "customer", "at": "2026-03-02T09:16:00+01:00", "text": "and when? [neutral]"},
    ],
}


async def test_the_answer_has_the_shape_that_clients_rely_on(bench: Bench) -> None:
    """Every field by name; unanswered among the flags."""
    answer = await bench.client.post("/v1/score", json=CONVERSATION, headers=await bench.key())
    assert answer.status_code == 200
    body: dict[str, Any] = answer.json()
    ScoreOut.model_validate(body)
    assert (body["conversation_id"], body["language"], body["model_revision"]) == ("4711", "en", "stub-1")
    assert body["scorecard"] == {"id": "default", "version": 1}
    customer, note, agent, _ = body["messages"]
    assert set(customer) == {"message_id", "role", "sentiment", "flags"}
    assert set(customer["sentiment"]) == {"label", "score", "probabilities"}
    assert set(note) == {"message_id", "role"}
    assert set(agent) == {"message_id", "role", "signals", "tone"}
    assert set(agent["tone"]) == {"label", "probabilities"}
    greeting = body["ratings"][0]
    assert greeting == {
        "category": "greeting",
        "outcome": "passed",
        "score": 1.0,
        "confidence": 1.0,
        "evidence": [{"message_id": "m3", "start": 0, "end": 10}],
        "reason": None,
    }
    assert [(flag["kind"], flag["severity"]) for flag in body["flags"]] == [
        ("churn", "high"),
        ("unanswered", "high"),
    ]
    assert body["sentiment"] == {"start": -1.0, "end": 0.0, "lowest": -1.0, "trend": 1.0}
    assert body["resolved"] == {"label": "yes", "probability": 1.0}
    assert body["predicted_csat"] == 5.0
    assert 0 <= body["score"] <= 100


async def test_nothing_is_stored(bench: Bench) -> None:
    """The conversation leaves no trace."""
    await bench.client.post("/v1/score", json=CONVERSATION, headers=await bench.key())
    for table in ("review", "prediction", "scored"):
        assert await bench.rows(f"select from autoqa.{table}") == []


async def test_ids_times_and_language_may_be_left_out(bench: Bench) -> None:
    """Ids are counted, the language is found out, times are not judged."""
    messages = [
        {"role": "customer", "text": "Wo bleibt denn meine Bestellung von letzter Woche?"},
        {"role": "agent", "text": "Guten Tag, die Bestellung kommt morgen bei Ihnen an."},
    ]
    answer = await bench.client.post("/v1/score", json={"messages": messages}, headers=await bench.key())
    body = answer.json()
    assert (body["conversation_id"], body["language"]) == (None, "de")
    assert [message["message_id"] for message in body["messages"]] == ["m1", "m2"]
    reasons = {rating["category"]: rating["reason"] for rating in body["ratings"]}
    assert reasons["timeliness"] == "times_unknown"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 422),
        (b"[]", 422),
        (b'{"messages": []}', 422),
        (b'{"messages": [{"role": "customer"}]}', 422),
        (b'{"messages": [{"role": "king", "text": "secret words"}]}', 422),
        (
            b'{"messages": [{"id": "a", "role": "bot", "text": ""}, {"id": "a", "role": "bot", "text": ""}]}',
            422,
        ),
        (b'{"messages": [' + b",".join([b'{"role": "bot", "text": ""}'] * 501) + b"]}", 422),
        (b" " * 100_001, 413),
        (b'{"messages": [{"role": "customer", "text": "lone \\ud83d half"}]}', 200),
        (b'{"messages": [{"role": "customer", "text": "", "at": "0001-01-01T00:00:00+14:00"}]}', 422),
    ],
)
async def test_what_cannot_be_read_is_refused(bench: Bench, body: bytes, status: int) -> None:
    """As a problem that names the place and never the words."""
    answer = await bench.client.post("/v1/score", content=body, headers=await bench.key())
    assert answer.status_code == status
    if status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        assert "secret words" not in answer.text


async def test_a_key_of_a_reader_is_needed(bench: Bench) -> None:
    """Without one 401, with one that may only deliver 403."""
    assert (await bench.client.post("/v1/score", json=CONVERSATION)).status_code == 401
    headers = await bench.key("ingest")
    assert (await bench.client.post("/v1/score", json=CONVERSATION, headers=headers)).status_code == 403


async def test_equal_requests_get_equal_answers_at_the_same_time(bench: Bench) -> None:
    """However they share the model's passes."""
    headers = await bench.key()
    answers = await asyncio.gather(
        *(bench.client.post("/v1/score", json=CONVERSATION, headers=headers) for _ in range(20))
    )
    assert len({answer.content for answer in answers}) == 1


async def test_the_description_names_every_field(bench: Bench) -> None:
    """OpenAPI has the request with an example and the answer with descriptions."""
    described = (await bench.client.get("/openapi.json")).json()
    post = described["paths"]["/v1/score"]["post"]
    assert post["requestBody"]["content"]["application/json"]["schema"]["examples"]
    fields = described["components"]["schemas"]["ScoreOut"]["properties"]
    assert all("description" in field for field in fields.values())


async def test_readiness_names_every_part(bench: Bench) -> None:
    """The consumer does not run here, the rest is ready."""
    answer = await bench.client.get("/readyz")
    assert answer.status_code == 503
    parts = answer.json()
    assert [name for name, said in parts.items() if said == "ready"] == ["broker", "database", "model"]
    assert "consumer" in parts
