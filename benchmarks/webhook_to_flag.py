"""Seconds from a signed webhook to the flag that anybody can see, at 5 conversations a second.

The whole embedded stack runs; each second five new conversations open with a message that carries a risk,
through the vendors' webhooks. A flag is visible when the stream announces it, which happens when the
transaction that the REST interface reads from is committed:
    python -m benchmarks.webhook_to_flag
"""

import asyncio
import json
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Final

import httpx

from benchmarks.stories import records
from deploy.local.feed.payloads import Story, render, signed, story_from_record
from deploy.local.stack import Stack

PER_SECOND: Final = 5
SECONDS: Final = 40
VENDORS: Final = ("zendesk", "zammad", "chatwoot", "intercom", "helpscout")
GOAL_P95: Final = 1.0
GOAL_P99: Final = 2.0


def flagged_openings(first_id: int) -> Iterator[Story]:
    """Stories whose first message was labelled with a flag by hand, cut to that message."""
    chance = random.Random(5)  # noqa: S311 (not a secret)
    pool = [r for r in records() if r["messages"][0].get("labels", {}).get("flags")]
    chance.shuffle(pool)
    for number in count():
        record = pool[number % len(pool)]
        opening = {**record, "messages": record["messages"][:1], "labels": {"resolved": "no"}}
        yield story_from_record(opening, story_id=first_id + number, ends_at=datetime.now(UTC), chance=chance)


async def listen(client: httpx.AsyncClient, env: dict[str, str], seen: dict[str, float]) -> None:
    """Note when each conversation's first flag is announced."""
    url = f"{env['METRICS_URL']}/v1/stream"
    headers = {"Authorization": f"Bearer {env['API_KEY_VIEWER']}"}
    async with client.stream("GET", url, headers=headers, timeout=None) as response:
        kind = ""
        async for line in response.aiter_lines():
            if line.startswith("event:"):
                kind = line.removeprefix("event:").strip()
            elif line.startswith("data:") and kind == "flag.raised":
                conversation = json.loads(line.removeprefix("data:"))["conversation_id"]
                seen.setdefault(conversation, time.perf_counter())


async def run(env: dict[str, str]) -> list[float]:
    """Send, listen, and give the latencies in seconds of all conversations that were flagged."""
    sent: dict[str, float] = {}
    seen: dict[str, float] = {}
    async with httpx.AsyncClient() as client:
        listener = asyncio.create_task(listen(client, env, seen))
        await asyncio.sleep(1)
        tasks = []
        stories = flagged_openings(900_000)
        start = time.perf_counter()
        for number in range(PER_SECOND * SECONDS):
            await asyncio.sleep(max(0.0, start + number / PER_SECOND - time.perf_counter()))
            tasks.append(
                asyncio.create_task(send(client, env, VENDORS[number % len(VENDORS)], next(stories), sent))
            )
        await asyncio.gather(*tasks)
        await asyncio.sleep(10)
        listener.cancel()
        external = await external_ids(client, env, list(seen))
    return [seen[one] - sent[external[one]] for one in seen if external.get(one) in sent]


async def send(
    client: httpx.AsyncClient, env: dict[str, str], vendor: str, story: Story, sent: dict[str, float]
) -> None:
    """All webhooks of one opening, in order."""
    prefix = vendor.upper()
    for webhook in render(vendor, story):
        headers = signed(vendor, webhook, secret=env[f"{prefix}_SECRET"], now=datetime.now(UTC))
        sent.setdefault(str(story.id), time.perf_counter())
        answer = await client.post(
            f"{env['INGEST_URL']}/v1/webhooks/{env[f'{prefix}_SOURCE_ID']}",
            content=webhook.body,
            headers=headers,
        )
        answer.raise_for_status()


async def external_ids(
    client: httpx.AsyncClient, env: dict[str, str], conversations: list[str]
) -> dict[str, str]:
    """The helpdesk's id of each conversation."""
    headers = {"Authorization": f"Bearer {env['API_KEY_VIEWER']}"}
    found = {}
    for one in conversations:
        answer = await client.get(f"{env['METRICS_URL']}/v1/conversations/{one}", headers=headers)
        found[one] = str(answer.json()["external_id"])
    return found


def main() -> int:
    """Print the percentiles; 1 where a goal is missed."""
    with (
        tempfile.TemporaryDirectory(prefix="pruefstein-bench-") as folder,
        Stack.on_free_ports(Path(folder)) as stack,
    ):
        latencies = sorted(asyncio.run(run(stack.env)))
    p50, p95, p99 = (latencies[min(len(latencies) - 1, int(q * len(latencies)))] for q in (0.5, 0.95, 0.99))
    print(f"{PER_SECOND * SECONDS} conversations at {PER_SECOND} a second, {len(latencies)} flagged")
    print(f"webhook to visible flag: p50 {p50:.3f} s, p95 {p95:.3f} s, p99 {p99:.3f} s")
    print(f"goals: p95 under {GOAL_P95} s, p99 under {GOAL_P99} s")
    return 0 if p95 < GOAL_P95 and p99 < GOAL_P99 else 1


if __name__ == "__main__":
    sys.exit(main())
