"""The command line as a process of its own."""

import asyncio
import sys
from pathlib import Path

import orjson
import pytest

from tests.integration.ingest.bench import Bench
from tests.stack import child_environment

ROOT = Path(__file__).parents[3]


async def start(bench: Bench | None, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
    """The command with the bench's database and broker, where there is one; `environment` overrides."""
    reached = (
        {
            **bench.database.environment("ingest"),
            "INGEST_KAFKA__BOOTSTRAP_SERVERS": bench.kafka.bootstrap_servers,
        }
        if bench is not None
        else {}
    )
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.ingest",
        *arguments,
        cwd=ROOT,
        env=child_environment(reached | environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def run(bench: Bench | None, *arguments: str, **environment: str) -> tuple[int | None, str, str]:
    """Exit code and what was printed."""
    process = await start(bench, *arguments, **environment)
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_a_source_is_added_and_listed(bench: Bench) -> None:
    """Id and secret are printed once; the list shows no secret."""
    code, out, _ = await run(bench, "sources", "add", "--tenant", bench.tenant, "--vendor", "zendesk")
    assert code == 0
    source_id, secret = out.split()
    assert len(secret) >= 20
    found = await bench.ingest.store.webhook_source(source_id)
    assert found is not None
    assert (found.tenant_id, found.vendor, found.secret) == (bench.tenant, "zendesk", secret)
    options = ("--vendor", "chatwoot", "--account", "7", "--secret", "chosen")
    code, out, _ = await run(bench, "sources", "add", "--tenant", bench.tenant, *options)
    assert out.split()[1] == "chosen"
    code, out, _ = await run(bench, "sources", "list")
    assert code == 0
    assert f"{bench.tenant} {source_id} zendesk -\n" in out
    assert " chatwoot 7\n" in out
    assert secret not in out


@pytest.mark.parametrize(
    ("arguments", "environment", "told"),
    [
        (("sources", "list"), {"INGEST_DATABASE__PORT": "1"}, "the database does not answer"),
        (("sources", "list"), {"INGEST_POTR": "1"}, "unknown settings: INGEST_POTR"),
        (("serve",), {"INGEST_LANGUAGES": "de,tlh"}, "INGEST_LANGUAGES"),
        (("sources", "add", "--tenant", "t", "--vendor", "zendesk", "--secret", ""), {}, "secret"),
    ],
)
async def test_what_is_wrong_is_one_line(
    bench: Bench, arguments: tuple[str, ...], environment: dict[str, str], told: str
) -> None:
    """No trace of the call stack."""
    code, out, err = await run(bench, *arguments, **environment)
    assert (code, out) == (1, "")
    assert told in err
    assert len(err.splitlines()) == 1


async def test_importing_needs_no_database(bench: Bench, tmp_path: Path) -> None:
    """The broker is enough; a setting that does not exist is still refused."""
    file = tmp_path / "conversations.jsonl"
    message = {"id": "m1", "role": "customer", "at": "2026-03-02T09:14:00Z", "text": "Guten Tag"}
    file.write_bytes(orjson.dumps({"id": "c1", "channel": "chat", "messages": [message]}))
    command = ("import", "--tenant", bench.tenant, str(file))
    environment = {
        "INGEST_KAFKA__BOOTSTRAP_SERVERS": bench.kafka.bootstrap_servers,
        "INGEST_IMPORT_STATE_DIR": str(tmp_path),
    }
    code, out, _ = await run(None, *command, **environment)
    assert (code, out) == (0, "1 conversations imported, 0 lines skipped\n")
    code, _, err = await run(None, *command, **environment, INGEST_IMPORT_STATE_DRI="x")
    assert (code, err) == (1, "unknown settings: INGEST_IMPORT_STATE_DRI\n")


async def test_serving_ends_by_a_signal(bench: Bench) -> None:
    """The service starts without its broker and stops within moments."""
    away = {"INGEST_PORT": "0", "INGEST_KAFKA__BOOTSTRAP_SERVERS": "127.0.0.1:1"}
    process = await start(bench, "serve", **away)
    assert process.stdout is not None
    async with asyncio.timeout(30):
        while b"consumer.broker_away" not in await process.stdout.readline():
            pass
    process.terminate()
    await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
