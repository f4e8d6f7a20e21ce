"""`python -m deploy.local.feed`: replays the corpus through the signed webhooks of all helpdesks, for ever.

records -> story (present times, new ids) -> webhooks of one helpdesk -> POST, in order
"""

import asyncio
import json
import random
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.demo import read_env
from deploy.local.errors import StackError
from deploy.local.feed.payloads import VENDORS, render, story_from_record, vendors_for
from deploy.local.feed.send import Sender, Source
from deploy.local.feed.settings import FeedSettings
from shared.clock import Clock, SystemClock

_REPORT_EVERY = 10.0
_MOST_AT_ONCE = 32


def load_records(folder: Path, chance: random.Random) -> list[dict[str, Any]]:
    """All records in random order. Raises StackError when there are none."""
    files = sorted(folder.glob("*.jsonl"))
    records = [json.loads(line) for file in files for line in file.read_text().splitlines() if line.strip()]
    if not records:
        raise StackError(f"no conversations in {folder}")
    chance.shuffle(records)
    return records


def sources_of(env: Mapping[str, str]) -> dict[str, Source]:
    """The webhook sources in `demo.env`, by vendor. Raises StackError when one is missing."""
    try:
        return {
            vendor: Source(
                vendor=vendor, id=env[f"{vendor.upper()}_SOURCE_ID"], secret=env[f"{vendor.upper()}_SECRET"]
            )
            for vendor in VENDORS
        }
    except KeyError as error:
        raise StackError(f"demo.env has no {error.args[0]}") from None


def pauses(settings: FeedSettings) -> Iterator[tuple[float, float]]:
    """Seconds until the next conversation, and seconds over which its webhooks are spread; fast at first."""
    spent = 0.0
    while spent < settings.fast_seconds:
        spent += 1 / settings.fast_per_second
        yield 1 / settings.fast_per_second, 0.0
    while True:
        yield 1 / settings.slow_per_second, settings.spread_seconds


async def feed(settings: FeedSettings, clock: Clock) -> None:
    """Send conversations until cancelled, or `settings.total` of them."""
    chance = random.Random(settings.seed or None)  # noqa: S311 - no secret hangs on it
    env = read_env(settings.env_file)
    sources = sources_of(env)
    records = load_records(settings.conversations, chance)
    # Ids rise from start to start, so no conversation of an earlier run is met again.
    first_id = int(clock.now().timestamp() * 10)
    limits = httpx.Limits(max_connections=_MOST_AT_ONCE)
    running: set[asyncio.Task[bool]] = set()
    reported = time.monotonic()
    async with httpx.AsyncClient(base_url=env["INGEST_URL"], timeout=15, limits=limits) as client:
        sender = Sender(client, clock)
        for number, (pause, spread) in enumerate(pauses(settings)):
            if settings.total and number >= settings.total:
                break
            story = story_from_record(
                records[number % len(records)],
                story_id=first_id + number,
                ends_at=clock.now() + timedelta(seconds=spread),
                chance=chance,
            )
            vendor = chance.choice(vendors_for(story))
            webhooks = render(vendor, story)
            telling = sender.tell(sources[vendor], webhooks, pause=spread / len(webhooks))
            task = asyncio.create_task(telling, name=f"{vendor}:{story.record_id}")
            running.add(task)
            task.add_done_callback(running.discard)
            if len(running) >= _MOST_AT_ONCE:
                await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            if time.monotonic() - reported >= _REPORT_EVERY:
                reported = time.monotonic()
                _report(number + 1, sender)
            await asyncio.sleep(pause)
        await asyncio.gather(*running)
        _report(settings.total, sender)


def _report(conversations: int, sender: Sender) -> None:
    told = ", ".join(f"{status}: {count}" for status, count in sorted(sender.answers.items()))
    sys.stdout.write(f"{conversations} conversations; answers {told}\n")
    sys.stdout.flush()


async def run() -> None:
    """Feed until SIGTERM or SIGINT."""
    task = asyncio.create_task(feed(FeedSettings(), SystemClock()))
    for signum in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signum, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        return


def main() -> int:
    """1 with one line on standard error when there is nothing to send or nowhere to send it."""
    try:
        asyncio.run(run())
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
