"""Watches over a running stack: a child that dies is reported and started again, not for ever."""

import time
from collections.abc import Callable
from threading import Event
from typing import Final

from deploy.local.errors import StackError
from deploy.local.process import Child
from deploy.local.restarts import LIMIT, WINDOW, Restarts
from deploy.local.stack import Stack

_LOOK_EVERY: Final = 0.25
_CUT_LOGS_EVERY: Final = 10.0


def supervise(stack: Stack, stop: Event, say: Callable[[str], None]) -> None:
    """Return when `stop` is set. Raises StackError when a child dies again and again."""
    watched = {"Kafka", "PostgreSQL", *stack.services} | ({"feed"} if stack.feed else set())
    restarts = {name: Restarts() for name in watched}
    last_cut = time.monotonic()
    while not stop.wait(_LOOK_EVERY):
        for name, child in _children(stack).items():
            if name in watched and child is not None and child.exit_code is not None:
                _revive(stack, name, child, restarts[name], stop, say)
        if time.monotonic() - last_cut > _CUT_LOGS_EVERY:
            last_cut = time.monotonic()
            stack.cut_logs()


def _children(stack: Stack) -> dict[str, Child | None]:
    return {
        "Kafka": stack.kafka.child,
        "PostgreSQL": stack.postgres.child,
        **{name: service.child for name, service in stack.services.items()},
        "feed": stack.feeder.child,
    }


def _revive(
    stack: Stack, name: str, child: Child, restarts: Restarts, stop: Event, say: Callable[[str], None]
) -> None:
    why = {"Kafka": stack.kafka.why, "PostgreSQL": stack.postgres.why}.get(name, child.last_line)()
    ended = f"{name} ended ({_code(child.exit_code)}): {why}"
    delay = restarts.delay(time.monotonic())
    if delay is None:
        raise StackError(f"{ended}; given up after {LIMIT} starts in {WINDOW:.0f} s, see {child.log_file}")
    say(f"{ended}; starting it again" + (f" in {delay:.0f} s" if delay >= 1 else ""))
    if stop.wait(delay):
        return
    starts: dict[str, Callable[[], None]] = {
        "Kafka": stack.kafka.start,
        "PostgreSQL": stack.postgres.start,
        "feed": stack.feeder.start,
    }
    for service_name, service in stack.services.items():
        starts[service_name] = service.start
    try:
        starts[name]()
    except StackError as error:
        # The next round finds it dead and counts this failure as well.
        say(str(error))


def _code(exit_code: int | None) -> str:
    if exit_code is not None and exit_code < 0:
        return f"signal {-exit_code}"
    return f"exit code {exit_code}"
