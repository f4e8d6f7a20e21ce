"""The folder of one stack: one process at a time, and room on its disk."""

import fcntl
import os
import shutil
from pathlib import Path
from typing import IO, Final

from deploy.local.errors import StackError

_LEAST_FREE: Final = 256 * 1024 * 1024
"""Bytes of disk without which a start is refused: better now than half way."""


def claim(home: Path) -> IO[str]:
    """Make the folder and lock it; closing what is returned gives it back.

    Raises StackError when it cannot be used or another process has it.
    """
    try:
        (home / "logs").mkdir(parents=True, exist_ok=True)
        lock = (home / "lock").open("a+")
    except OSError as error:
        raise StackError(f"{home} cannot be used: {error.strerror}; set PRUEFSTEIN_HOME") from error
    try:
        # The kernel drops it with the process, so a crash leaves no lock behind.
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.seek(0)
        owner = lock.read().strip() or "unknown"
        lock.close()
        raise StackError(
            f"a stack already runs in {home} (process {owner}): stop it first, or set PRUEFSTEIN_HOME "
            "and the ports for a second one"
        ) from None
    lock.truncate(0)
    lock.write(f"{os.getpid()}\n")
    lock.flush()
    return lock


def check_room(home: Path) -> None:
    """Raises StackError when the disk is as good as full."""
    free = shutil.disk_usage(home).free
    if free < _LEAST_FREE:
        raise StackError(
            f"only {free // 1024**2} MB are free on the disk of {home}: "
            f"{_LEAST_FREE // 1024**2} MB are needed to start"
        )
