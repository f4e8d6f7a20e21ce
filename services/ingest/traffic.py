"""The door goes first: helpdesks wait a few seconds at most, what stands on the topic can wait longer."""

import asyncio
import time
from types import TracebackType
from typing import Final

CROWD: Final = 8
"""So many requests at once mean that they queue: one takes a few milliseconds."""
_SHARE: Final = 9
"""While there is a crowd, folding rests so many times as long as it worked..."""
_LONGEST_SECONDS: Final = 1.0
"""...but no longer than this, so that it always goes on."""
_CALM_SECONDS: Final = 0.1
"""Answers come in bursts, so a crowd is over when none was seen for so long."""


class Traffic:
    """Counts the requests at the door; `with traffic:` around each."""

    def __init__(self) -> None:
        """Nobody is there yet."""
        self._requests = 0
        self._crowd_seen = float("-inf")

    def __enter__(self) -> None:
        """One more."""
        self._requests += 1
        if self._requests >= CROWD:
            self._crowd_seen = time.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """One less."""
        self._requests -= 1

    async def give_way(self, worked_seconds: float) -> None:
        """Wait while there is a crowd; how long at most follows from how long was worked before."""
        until = time.monotonic() + min(_LONGEST_SECONDS, _SHARE * worked_seconds)
        # Calm is that nothing happens: no event could tell.
        while (rest := min(until, self._crowd_seen + _CALM_SECONDS) - time.monotonic()) > 0:  # noqa: ASYNC110
            await asyncio.sleep(rest)
