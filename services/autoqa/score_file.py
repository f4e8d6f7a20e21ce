"""`score`: rates the conversations of a file, line by line, in order and in bounded memory.

lines | records | batches | rate | answers
  └── wrong ones: told by number, passed over
"""

import gzip
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, Final

import orjson
from tqdm import tqdm

from services.autoqa.rate import Rater
from services.autoqa.scoring import LanguageOf, Sent, answer, sent_conversation
from shared.clock import Clock
from shared.contracts.plain_json import decode_json
from shared.errors import PruefsteinError, Rejected, Stop

__all__ = ["score_file"]

_BATCH_MESSAGES: Final = 512
_MAX_LINE: Final = 64 * 1024 * 1024


async def score_file(
    source: Path, target: Path, *, rater: Rater, language_of: LanguageOf, clock: Clock
) -> int:
    """Write one answer a conversation; how many lines were wrong.

    Names that end in `.gz` are gzip. Raises `Stop` where a file cannot be read or written.
    """
    wrong = 0
    batch: list[Sent] = []
    size = 0
    try:
        with _open(source, "rb") as lines, _open(target, "wb") as answers:
            for number, line in _numbered(lines, source):
                try:
                    sent = _sent(line, number, language_of, clock)
                except PruefsteinError as error:
                    wrong += 1
                    tqdm.write(f"line {number}: {error.detail}", file=sys.stderr)
                    continue
                batch.append(sent)
                size += len(sent.conversation.messages)
                if size >= _BATCH_MESSAGES:
                    await _write(batch, answers, rater, clock)
                    batch, size = [], 0
            await _write(batch, answers, rater, clock)
    except (OSError, EOFError, gzip.BadGzipFile) as error:
        raise Stop(f"cannot read {source} or write {target}: {error}", reason="file") from error
    return wrong


def _sent(line: bytes, number: int, language_of: LanguageOf, clock: Clock) -> Sent:
    if len(line) > _MAX_LINE:
        raise Rejected("the line is too long")
    sent = sent_conversation(decode_json(line), place=number, language_of=language_of, now=clock.now())
    return sent if sent.given_id is not None else replace(sent, given_id=str(number))


async def _write(batch: Sequence[Sent], answers: IO[bytes], rater: Rater, clock: Clock) -> None:
    rated = await rater.rate(
        [sent.conversation for sent in batch],
        known={},
        now=clock.now(),
        untimed=frozenset(sent.conversation.id for sent in batch if not sent.is_timed),
    )
    for sent, found in zip(batch, rated, strict=True):
        answers.write(orjson.dumps(answer(sent, found), option=orjson.OPT_APPEND_NEWLINE))


def _numbered(lines: IO[bytes], source: Path) -> Iterator[tuple[int, bytes]]:
    """Lines that hold anything, counted from 1, with a bar that knows how much is left."""
    plain = not source.name.endswith(".gz")
    total = source.stat().st_size if plain and source.is_file() else None
    with tqdm(total=total, unit="B", unit_scale=True, desc="score", disable=None) as bar:
        number = 0
        while line := lines.readline(_MAX_LINE + 1):
            number += 1
            bar.update(len(line))
            while len(line) > _MAX_LINE and not line.endswith(b"\n"):
                # Only its beginning is kept, and that is refused.
                rest = lines.readline(_MAX_LINE)
                bar.update(len(rest))
                if not rest or rest.endswith(b"\n"):
                    break
            if line.strip():
                yield number, line


def _open(path: Path, mode: str) -> IO[bytes]:
    return gzip.open(path, mode) if path.name.endswith(".gz") else path.open(mode)  # type: ignore[return-value]
