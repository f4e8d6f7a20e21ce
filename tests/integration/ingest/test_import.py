"""`python -m services.ingest import`: files become conversations."""

import asyncio
import gzip
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.ingest.import_ import Importer
from services.ingest.settings import ImportSettings
from shared.contracts import topics
from shared.errors import Stop
from tests.integration.ingest.bench import Bench, read_all


def a_record(number: int, **facts: Any) -> dict[str, Any]:
    """One line, labels included."""
    record: dict[str, Any] = {
        "id": f"c{number:04}",
        "language": "de",
        "channel": "chat",
        "industry": "telecom",
        "messages": [
            {
                "id": "m1",
                "role": "customer",
                "at": "2026-03-02T09:14:00+01:00",
                "text": "Mein Anschluss ist seit gestern gestört.",
                "labels": {"sentiment": "neutral"},
            },
            {"id": "m2", "role": "agent", "at": "2026-03-02T09:20:00+01:00", "text": "Guten Tag, ich prüfe."},
        ],
        "labels": {"resolved": "yes"},
    }
    return record | facts


def written(path: Path, *lines: object) -> Path:
    """A file of JSON Lines; bytes stand as they are."""
    content = [line if isinstance(line, bytes) else orjson.dumps(line) for line in lines]
    path.write_bytes(b"\n".join(content) + b"\n")
    return path


def importer(bench: Bench, tmp_path: Path, *, chunk_lines: int = 200, **settings: Any) -> Importer:
    """For the bench's tenant."""
    facts = bench.settings.model_dump() | {"import_state_dir": tmp_path / "state"} | settings
    return Importer(
        ImportSettings.model_validate(facts),
        tenant_id=bench.tenant,
        source="archive",
        chunk_lines=chunk_lines,
    )


async def test_a_file_becomes_finished_conversations(bench: Bench, tmp_path: Path) -> None:
    """Solved with their last message, plain or gzip; a second import changes nothing."""
    plain = written(tmp_path / "a.jsonl", *(a_record(number) for number in range(3)))
    packed = tmp_path / "b.jsonl.gz"
    packed.write_bytes(gzip.compress(orjson.dumps(a_record(3)) + b"\n\n"))
    assert await importer(bench, tmp_path).run([plain, packed]) == 0
    assert await importer(bench, tmp_path).run([plain, packed]) == 0
    await bench.consume()
    rows = await bench.conversations()
    assert [row["external_id"] for row in rows] == ["c0000", "c0001", "c0002", "c0003"]
    for row in rows:
        assert (row["source"], row["status"], row["channel"]) == ("archive", "solved", "chat")
        assert row["solved_at"] == datetime(2026, 3, 2, 8, 20, tzinfo=UTC)
        assert row["opened_at"] == datetime(2026, 3, 2, 8, 14, tzinfo=UTC)
        assert (row["version"], row["message_count"]) == (1, 2)


async def test_bad_lines_are_named_by_number_and_skipped(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code tells; the words of the line are not repeated."""
    twice = a_record(1)["messages"][:1] * 2
    file = written(
        tmp_path / "a.jsonl",
        a_record(0),
        b'{"id": "Geheimwort"',
        a_record(1, messages=[]),
        b"",
        a_record(1, messages=twice),
        a_record(1, messages=[{"id": "m1", "role": "Geheimwort", "at": "gestern", "text": 5}]),
        b"x" * 5000,
        a_record(2),
    )
    assert await importer(bench, tmp_path, max_body_bytes=4096).run([file]) == 1
    told = capsys.readouterr()
    assert "2 conversations imported, 5 lines skipped" in told.out
    for number in (2, 3, 5, 6, 7):
        assert f"a.jsonl:{number}: skipped: " in told.err
    assert "Geheimwort" not in told.err
    await bench.consume()
    assert [row["external_id"] for row in await bench.conversations()] == ["c0000", "c0002"]


async def test_an_interrupted_import_goes_on_where_it_stopped(
    bench: Bench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the broker has acknowledged is not sent again; the count is that of the whole file."""
    count, state = 1000, tmp_path / "state"
    file = tmp_path / "a.jsonl.gz"
    file.write_bytes(gzip.compress(b"\n".join(orjson.dumps(a_record(number)) for number in range(count))))
    running = asyncio.create_task(importer(bench, tmp_path, chunk_lines=10).run([file]))

    async def has_checkpoint() -> bool:
        return any(path.suffix == ".json" for path in state.glob("*"))

    await bench.until(has_checkpoint)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    [checkpoint] = state.glob("*.json")
    done = orjson.loads(checkpoint.read_bytes())
    assert 0 < done["lines"] == done["imported"] < count
    assert await importer(bench, tmp_path).run([file]) == 0
    assert f"{count} conversations imported, 0 lines skipped" in capsys.readouterr().out
    assert list(state.iterdir()) == []
    records = [
        record
        for record in await read_all(bench.kafka, topics.TICKET_EVENTS)
        if dict(record.headers).get("ce_tenantid") == bench.tenant.encode()
    ]
    # The chunk at hand may have been acknowledged and not yet noted.
    assert count <= len(records) <= count + 10
    assert len({record.key for record in records}) == count


@pytest.mark.parametrize("content", [None, gzip.compress(b'{"id": "x"}\n' * 1000)[:-9]])
async def test_what_cannot_be_read_is_one_line(bench: Bench, tmp_path: Path, content: bytes | None) -> None:
    """A missing file and a cut-off archive."""
    file = tmp_path / "a.jsonl.gz"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(Stop, match=r"a\.jsonl\.gz: "):
        await importer(bench, tmp_path).run([file])


async def test_without_the_broker_it_says_how_far_it_came(bench: Bench, tmp_path: Path) -> None:
    """The same command goes on there."""
    file = written(tmp_path / "a.jsonl", a_record(0))
    away = importer(bench, tmp_path, kafka={"bootstrap_servers": "127.0.0.1:1"})
    with pytest.raises(Stop, match="0 lines are done"):
        await away.run([file])
