"""Ends the stack's processes when the process that started them is gone, however it went.

The parent holds the other end of this process's standard input and writes a line for each child:
`+PID SIGNAL` once it has started, `-PID` once it has ended. The end of the input means that the parent is
gone: each child still listed gets its signal, youngest first, and SIGKILL after a grace time. A death signal
of the kernel would not do: it follows the thread that forked, and is lost when a child changes its user.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

GRACE: Final = 5.0
"""Seconds between a child's own signal and SIGKILL."""

_HAS_PROC: Final = Path("/proc/self/stat").exists()
"""False on macOS, where a number alone must do."""


class Guard:
    """The parent's side; the process behind it starts with the first child."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Have the guard run before there is anything to watch. Raises OSError when it cannot be started."""
        self._tell("")

    def watch(self, pid: int, stop_signal: signal.Signals) -> None:
        """From now on `pid` does not outlive this process."""
        self._tell(f"+{pid} {int(stop_signal)}\n")

    def forget(self, pid: int) -> None:
        """`pid` has ended; its number may be another process's soon."""
        self._tell(f"-{pid}\n")

    def _tell(self, line: str) -> None:
        with self._lock:
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(  # noqa: S603 - our own file, our own interpreter
                    [sys.executable, "-S", "-E", __file__],
                    stdin=subprocess.PIPE,
                    start_new_session=True,
                    cwd="/",
                )
            pipe = self._process.stdin
            if pipe is not None:
                pipe.write(line.encode())
                pipe.flush()


guard: Final = Guard()
"""One for the whole process; the pipe's end in this process is what counts."""


def started_at(pid: int) -> str | None:
    """The kernel's start time of a running process, which tells it from a later one with the same number.

    None when there is no such process, or one that has ended and whose parent has not yet noticed.
    """
    if not _HAS_PROC:
        try:
            os.kill(pid, 0)
        except OSError:
            return None
        return "unknown"
    try:
        # The name of the program, in brackets, may hold anything; the fields after it are numbered from 3.
        words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return None if words[0] == "Z" else words[19]
    except (OSError, IndexError):
        return None


def _is_same(pid: int, start: str | None) -> bool:
    return start is not None and started_at(pid) == start


def _send(pid: int, signum: int) -> None:
    try:
        os.kill(pid, signum)
    except OSError:
        return


def run() -> None:
    """Read lines to the end of the input, then end what is left."""
    children: dict[int, tuple[int, str | None]] = {}
    for line in sys.stdin:
        words = line[1:].split()
        if line.startswith("+"):
            children[int(words[0])] = (int(words[1]), started_at(int(words[0])))
        else:
            children.pop(int(words[0]), None)
    left = {pid: start for pid, (_, start) in reversed(children.items())}
    for pid, start in left.items():
        if _is_same(pid, start):
            _send(pid, children[pid][0])
    deadline = time.monotonic() + GRACE
    while time.monotonic() < deadline and any(_is_same(pid, start) for pid, start in left.items()):
        time.sleep(0.05)
    for pid, start in left.items():
        if _is_same(pid, start):
            _send(pid, signal.SIGKILL)


if __name__ == "__main__":
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    run()
