"""The command line and the shipped weights, as a process of its own."""

import asyncio
import contextlib
import gzip
import os
import signal
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from deploy.local.ports import free_ports
from services.autoqa.model.files import WEIGHTS_FOLDER
from services.autoqa.schemas import ScoreOut
from tests.integration.autoqa.bench import Bench, until

pytestmark = pytest.mark.skipif(
    not (WEIGHTS_FOLDER / "model.onnx").exists(), reason="the weights are not in this checkout"
)

ROOT = Path(__file__).parents[3]
ANGRY: dict[str, Any] = {
    "id": "de-1",
    "language": "de",
    "channel": "chat",
    "messages": [
        {
            "id": "m1",
            "role": "customer",
            "at": "2026-03-02T09:14:00+01:00",
            "text": "Wenn das nicht morgen läuft, kündige ich.",
        },
        {
            "id": "m2",
            "role": "agent",
            "at": "2026-03-02T09:16:00+01:00",
            "text": "Guten Tag Frau Weber, es tut mir sehr leid, dass Sie seit einer Woche warten. "
            "Der Techniker kommt morgen um 8 Uhr zu Ihnen. Kann ich sonst noch etwas für Sie tun? "
            "Viele Grüße, Anna",
        },
    ],
}


async def score(source: Path, target: Path, *options: str) -> tuple[int, str]:
    """Run the command; exit code and standard error."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AUTOQA_")}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "services.autoqa", "score", "--input", str(source), "--output", str(target), *options),
        cwd=ROOT,
        env=environment,
        stderr=asyncio.subprocess.PIPE,
    )
    _, told = await process.communicate()
    return process.returncode or 0, told.decode()


async def test_a_file_is_rated_in_order_without_broker_and_database(tmp_path: Path) -> None:
    """Bad lines are told by number and passed over; the rest is answered, gzip or not."""
    lines = [orjson.dumps({**ANGRY, "id": f"c{number}"}) for number in range(3)]
    source, target = tmp_path / "in.jsonl.gz", tmp_path / "out.jsonl.gz"
    secret = b'{"messages": "my secret words"}'
    source.write_bytes(gzip.compress(b"\n".join([lines[0], b"{", b"", lines[1], secret, lines[2]])))
    code, told = await score(source, target)
    assert code == 1
    assert "line 2: " in told
    assert "line 5: messages: " in told
    assert "2 lines were wrong" in told
    assert "secret" not in told
    assert "Traceback" not in told
    answers = [orjson.loads(line) for line in gzip.decompress(target.read_bytes()).splitlines()]
    assert [answer["conversation_id"] for answer in answers] == ["c0", "c1", "c2"]
    for answer in answers:
        ScoreOut.model_validate(answer)


async def test_the_shipped_model_sees_what_a_person_sees(tmp_path: Path) -> None:
    """An angry customer on the way out, and an agent who does well."""
    source, target = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_bytes(orjson.dumps(ANGRY))
    assert (await score(source, target))[0] == 0
    (answer,) = [orjson.loads(line) for line in target.read_bytes().splitlines()]
    assert "churn" in {flag["kind"] for flag in answer["flags"]}
    assert answer["messages"][0]["sentiment"]["label"] == "negative"
    outcomes = {rating["category"]: rating["outcome"] for rating in answer["ratings"]}
    assert [outcomes[name] for name in ("greeting", "closing", "empathy", "tone", "solution")] == [
        "passed"
    ] * 5
    assert answer["score"] > 80


async def test_the_service_starts_answers_and_stops(bench: Bench) -> None:
    """As a process: ready, a conversation scored over HTTP, another from the topic, gone on SIGTERM."""
    (port,) = free_ports(1)
    await bench.produce(await bench.put("customer: I will cancel my contract!", "agent: Hello Tom, done."))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTOQA_")},
        **bench.database.environment("autoqa"),
        "AUTOQA_PORT": str(port),
        "AUTOQA_KAFKA__BOOTSTRAP_SERVERS": bench.kafka.bootstrap_servers,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.autoqa", "serve", cwd=ROOT, env=environment
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:

            async def is_ready() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return (await client.get("/readyz")).status_code == 200
                return False

            await until(is_ready)
            answer = await client.post("/v1/score", json=ANGRY, headers=await bench.key())
            assert answer.status_code == 200

            async def is_scored() -> bool:
                told = "select from autoqa.scored where published and tenant_id = $1"
                return bool(await bench.rows(told, bench.tenant))

            await until(is_scored)
            assert "pruefstein_event_to_score_seconds_count 1.0" in (await client.get("/metrics")).text
    finally:
        process.send_signal(signal.SIGTERM)
    assert await process.wait() == 0


@pytest.mark.parametrize("wrong", ["missing.jsonl", "."])
async def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, wrong: str) -> None:
    """And exit code 1."""
    code, told = await score(tmp_path / wrong, tmp_path / "out.jsonl")
    assert code == 1
    assert len(told.strip().splitlines()) == 1
    assert "cannot read" in told
