"""`python -m services.ingest import`: conversations from files to `ticket-events`.

    file -> chunk of lines -> events -> one send -> checkpoint

Interrupted, it goes on after the last acknowledged chunk; the same lines again change nothing anyway.
"""

import asyncio
import gzip
import hashlib
import sys
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, NoReturn

import orjson
from tqdm import tqdm

from services.ingest.import_record import event_of_line
from services.ingest.records import event_record
from services.ingest.settings import ImportSettings
from shared.broker.kafka import Producer
from shared.broker.record import Outgoing
from shared.contracts.envelope import TICKET_EVENT, Envelope
from shared.contracts.v1.ticket_event import ticket_event_json
from shared.errors import Rejected, Stop, TooLarge, Transient

CHUNK_LINES: Final = 200
CHUNK_BYTES: Final = 8 * 1024 * 1024
"""A chunk ends with the line that reaches either."""
_GZIP: Final = b"\x1f\x8b"


@dataclass(slots=True, kw_only=True)
class Progress:
    """How far a file was imported."""

    lines: int = 0
    imported: int = 0
    skipped: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chunk:
    """Lines that were read together: records to send, and complaints by line number."""

    lines: int
    records: list[Outgoing]
    complaints: list[tuple[int, str]]
    position: int


class Importer:
    """Imports files for one tenant."""

    def __init__(
        self, settings: ImportSettings, *, tenant_id: str, source: str, chunk_lines: int = CHUNK_LINES
    ) -> None:
        """`source` names where the conversations come from, beside their ids."""
        self._chunk_lines = chunk_lines
        self._max_bytes = settings.max_body_bytes
        self._state_dir = settings.import_state_dir
        self._tenant_id = tenant_id
        self._source = source
        self._producer = Producer(settings.kafka, client_id="ingest-import", timeout=30.0)

    async def run(self, files: list[Path]) -> int:
        """0 when every line was imported, 1 when some were skipped. Raises `Stop` when it cannot go on."""
        total = Progress()
        try:
            for file in files:
                done = await self._import(file)
                total.imported += done.imported
                total.skipped += done.skipped
        finally:
            await self._producer.close()
        sys.stdout.write(f"{total.imported} conversations imported, {total.skipped} lines skipped\n")
        return 1 if total.skipped else 0

    async def _import(self, file: Path) -> Progress:
        try:
            with file.open("rb") as raw, _bar(file) as bar:
                checkpoint = self._checkpoint(file)
                progress = _resumed(checkpoint)
                chunks = self._chunks(raw, progress.lines)
                while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
                    await self._send(chunk, file, progress)
                    progress.lines = chunk.lines
                    progress.imported += len(chunk.records)
                    progress.skipped += len(chunk.complaints)
                    _save(checkpoint, progress)
                    for line, reason in chunk.complaints:
                        tqdm.write(f"{file}:{line}: skipped: {reason}", file=sys.stderr)
                    bar.update(chunk.position - bar.n)
                checkpoint.unlink(missing_ok=True)
        except (EOFError, zlib.error, OSError) as error:
            reason = getattr(error, "strerror", None) or "the compressed data is broken"
            raise Stop(f"{file}: {reason}", reason="import") from error
        return progress

    async def _send(self, chunk: _Chunk, file: Path, progress: Progress) -> None:
        try:
            if chunk.records:
                await self._producer.send(chunk.records)
        except Transient as error:
            raise Stop(
                f"{file}: {error.detail}; {progress.lines} lines are done, the same command goes on there",
                reason="import",
            ) from error

    def _chunks(self, raw: IO[bytes], skip: int) -> Iterator[_Chunk]:
        compressed = raw.read(2) == _GZIP
        raw.seek(0)
        lines = _lines(gzip.GzipFile(fileobj=raw) if compressed else raw, self._max_bytes)
        records: list[Outgoing] = []
        complaints: list[tuple[int, str]] = []
        size = number = begun = 0
        for number, line in lines:
            if number <= skip:
                begun = number
                continue
            try:
                record = self._record(line)
            except Rejected as error:
                complaints.append((number, error.detail))
            else:
                records.append(record)
                size += len(line or b"")
            if number - begun >= self._chunk_lines or size >= CHUNK_BYTES:
                yield _Chunk(lines=number, records=records, complaints=complaints, position=raw.tell())
                records, complaints, size, begun = [], [], 0, number
        if number > begun:
            yield _Chunk(lines=number, records=records, complaints=complaints, position=raw.tell())

    def _record(self, line: bytes | None) -> Outgoing:
        if line is None:
            raise TooLarge(f"over {self._max_bytes} bytes")
        event = event_of_line(line, source=self._source)
        data = orjson.dumps(ticket_event_json(event))
        envelope = Envelope(
            id=f"import:{hashlib.sha256(data).hexdigest()}",
            source=f"/import/{self._source}",
            type=TICKET_EVENT,
            subject=event.conversation["id"],
            time=event.occurred_at,
            data=data,
        )
        return event_record(
            envelope,
            tenant_id=self._tenant_id,
            source=event.source,
            account_id=event.account_id,
            external_id=event.conversation["id"],
        )

    def _checkpoint(self, file: Path) -> Path:
        """Where progress is kept: another name for another tenant, source, or changed file."""
        stat = file.stat()
        parts = (str(file.resolve()), stat.st_size, stat.st_mtime_ns, self._tenant_id, self._source)
        name = hashlib.sha256(orjson.dumps(parts)).hexdigest()[:32]
        self._state_dir.mkdir(parents=True, exist_ok=True)
        return self._state_dir / f"{name}.json"


def _bar(file: Path) -> "tqdm[NoReturn]":
    """Counts the file's bytes, compressed ones where it is."""
    return tqdm(desc=file.name, total=file.stat().st_size, unit="B", unit_scale=True, file=sys.stderr)


def _lines(stream: IO[bytes] | gzip.GzipFile, limit: int) -> Iterator[tuple[int, bytes | None]]:
    """Lines with numbers from 1, without empty ones; None for a line over the limit."""
    number = 0
    while line := stream.readline(limit + 1):
        number += 1
        if len(line) > limit and not line.endswith(b"\n"):
            while (rest := stream.readline(limit)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        elif line.strip():
            yield number, line


def _resumed(checkpoint: Path) -> Progress:
    try:
        return Progress(**orjson.loads(checkpoint.read_bytes()))
    except (FileNotFoundError, orjson.JSONDecodeError, TypeError):
        return Progress()


def _save(checkpoint: Path, progress: Progress) -> None:
    fresh = checkpoint.with_suffix(".new")
    fresh.write_bytes(orjson.dumps(asdict(progress)))
    fresh.replace(checkpoint)
