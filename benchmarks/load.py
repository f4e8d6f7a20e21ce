"""A small closed-loop HTTP load generator: fixed requests over kept-alive connections.

Client libraries cost more per request than the servers measured here, so requests are prepared bytes and
answers are read no further than their length.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Result:
    """What came back in `seconds`; latencies in seconds."""

    seconds: float
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Requests answered per second."""
        return sum(self.statuses.values()) / self.seconds

    def percentile(self, share: float) -> float:
        """Latency in seconds that `share` of the requests (0..1) stayed under."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def request(path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One POST as bytes."""
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def drive(port: int, requests: Sequence[bytes], *, connections: int, seconds: float) -> Result:
    """Send `requests` in turn over `connections` for `seconds`, each connection one at a time."""
    result = Result(seconds=seconds)
    end = time.perf_counter() + seconds
    await asyncio.gather(
        *(_connection(port, requests[i::connections], end, result) for i in range(connections))
    )
    return result


async def _connection(port: int, requests: Sequence[bytes], end: float, result: Result) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    position = 0
    while (started := time.perf_counter()) < end:
        writer.write(requests[position % len(requests)])
        position += 1
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n", 1)[0])
        await reader.readexactly(length)
        result.statuses[int(head[9:12])] += 1
        result.latencies.append(time.perf_counter() - started)
    writer.close()
    await writer.wait_closed()
