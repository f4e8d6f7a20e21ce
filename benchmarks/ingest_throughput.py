"""Requests per second at ingest's door beside a bare FastAPI app that only produces the same body.

Both write to the same broker with acks=all, take turns in one run, and are driven by the same generator:
    python -m benchmarks.ingest_throughput
"""

import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Final

from aiokafka.admin import NewTopic

from benchmarks.load import Result, drive, request
from benchmarks.stories import stories
from deploy.local.feed.payloads import render, signed
from deploy.local.ports import free_ports
from deploy.local.stack import Stack
from deploy.topics import create
from shared.settings import KafkaSettings

ROUNDS: Final = 4
SECONDS: Final = 5.0
CONNECTIONS: Final = 16
CONVERSATIONS: Final = 64
GOAL: Final = 0.5
BARE_TOPIC: Final = "bare-events"
"""Of its own: what the peer writes is no ticket event."""


def requests(env: dict[str, str]) -> tuple[list[bytes], list[bytes]]:
    """Signed Zendesk deliveries of as many conversations: for ingest, and for the peer."""
    ours, theirs = [], []
    now = datetime.now(UTC)
    for story in islice(stories(700_000), CONVERSATIONS):
        webhook = render("zendesk", story)[0]
        headers = signed("zendesk", webhook, secret=env["ZENDESK_SECRET"], now=now)
        ours.append(request(f"/v1/webhooks/{env['ZENDESK_SOURCE_ID']}", webhook.body, headers))
        theirs.append(request(f"/{story.id}", webhook.body, {"Content-Type": "application/json"}))
    return ours, theirs


@contextmanager
def bare_app(bootstrap: str) -> Iterator[int]:
    """The peer as a process of its own; its port."""
    asyncio.run(create(KafkaSettings(bootstrap_servers=bootstrap), [NewTopic(BARE_TOPIC, 6, 1)]))
    (port,) = free_ports(1)
    env = {**os.environ, "BARE_KAFKA": bootstrap, "BARE_TOPIC": BARE_TOPIC, "BARE_PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.bare_producer"], env=env)
    try:
        time.sleep(3)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=10)


def main() -> int:
    """Print both rates and their ratio; 1 where the goal is missed."""
    with tempfile.TemporaryDirectory(prefix="pruefstein-bench-") as folder:
        stack = Stack.on_free_ports(Path(folder))
        stack.start()
        try:
            # Only the door is measured: nobody else takes cores meanwhile.
            stack.services["autoqa"].stop(timeout=5)
            stack.services["metrics"].stop(timeout=5)
            ours, theirs = [], []
            with bare_app(stack.env["KAFKA_BOOTSTRAP"]) as bare_port:
                ingest_port = stack.settings.ingest_port
                for number in range(ROUNDS + 1):
                    mine, other = requests(stack.env)
                    bare = measure(bare_port, other)
                    door = measure(ingest_port, mine)
                    if number:  # the first round warms up
                        ours.append(door)
                        theirs.append(bare)
                    time.sleep(2)
        finally:
            stack.stop()
    return report(ours, theirs)


def measure(port: int, prepared: list[bytes]) -> Result:
    """One turn."""
    return asyncio.run(drive(port, prepared, connections=CONNECTIONS, seconds=SECONDS))


def report(ours: list[Result], theirs: list[Result]) -> int:
    """Medians over the rounds."""
    for name, results in (("bare FastAPI + producer", theirs), ("ingest webhook", ours)):
        rate = statistics.median(result.per_second for result in results)
        p99 = statistics.median(result.percentile(0.99) for result in results)
        statuses = {status for result in results for status in result.statuses}
        print(f"{name:24s} {rate:8.0f} requests/s   p99 {1000 * p99:6.1f} ms   statuses {sorted(statuses)}")
    ratio = statistics.median(
        mine.per_second / other.per_second for mine, other in zip(ours, theirs, strict=True)
    )
    print(f"ratio ingest / bare: {ratio:.2f} (goal: at least {GOAL})")
    return 0 if ratio >= GOAL else 1


if __name__ == "__main__":
    sys.exit(main())
