"""Processes that an earlier run left behind, told apart from strangers by number and start time."""

import contextlib
import os
import signal
from collections.abc import Callable
from pathlib import Path

from deploy.local.guard import started_at
from deploy.local.process import wait_gone


def remember(pid_file: Path, pid: int) -> None:
    """Note a child that this run started."""
    with contextlib.suppress(OSError):  # a full disk is told by what really needs the space
        pid_file.write_text(f"{pid} {started_at(pid)}\n")


def stop(name: str, pid_file: Path, *, say: Callable[[str], None]) -> None:
    """End the process noted in `pid_file` if it still runs, and forget it; silent when there is none."""
    try:
        number, start = pid_file.read_text().split()
        pid = int(number)
    except (OSError, ValueError):
        return
    if start != "None" and started_at(pid) == start:
        say(f"{name} of an earlier run still runs (process {pid}): stopping it")
        end(pid, signal.SIGTERM)
    pid_file.unlink(missing_ok=True)


def end(pid: int, signum: signal.Signals) -> None:
    """Ask a process that is not our child to end; kill it after 5 seconds."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signum)
        if not wait_gone(pid, 5):
            os.kill(pid, signal.SIGKILL)
            wait_gone(pid, 5)
