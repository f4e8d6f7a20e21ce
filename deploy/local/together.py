"""Blocking jobs side by side."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

_AFTER_FAILURE: Final = 3.0
"""Seconds that the other jobs get to come to an end."""


def together(jobs: Sequence[Callable[[], object]]) -> None:
    """Run blocking jobs at the same time and wait for all; raises what the first failed one raised.

    After a failure the others get a moment to come to an end. The threads do not hold up the end of the
    process: a signal must not wait for a download.
    """
    failures: list[BaseException] = []

    def attempt(job: Callable[[], object]) -> None:
        try:
            job()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=(job,), daemon=True) for job in jobs]
    for thread in threads:
        thread.start()
    give_up_at = float("inf")
    while any(thread.is_alive() for thread in threads) and time.monotonic() < give_up_at:
        if failures and give_up_at == float("inf"):
            give_up_at = time.monotonic() + _AFTER_FAILURE
        time.sleep(0.02)
    if failures:
        raise failures[0]
