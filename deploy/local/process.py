"""Child processes: started with a log file, guarded against outliving us, stopped within a bound."""

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError
from deploy.local.guard import guard, started_at

LOG_LIMIT: Final = 16 * 1024 * 1024
"""Bytes after which a child's log is cut."""


class Child:
    """One running child in a session of its own, so that Ctrl-C reaches it only through us."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log_file: Path) -> None:
        """Wrap a process that `spawn` started."""
        self.name = name
        self.log_file = log_file
        self._process = process

    @property
    def pid(self) -> int:
        """Its number, also after it ended."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        code = self._process.poll()
        if code is not None:
            guard.forget(self.pid)
        return code

    def send(self, signum: signal.Signals) -> None:
        """Send a signal; nothing happens when it has ended."""
        self._process.send_signal(signum)

    def wait(self, timeout: float) -> bool:
        """Whether it ended within `timeout` seconds."""
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        guard.forget(self.pid)
        return True

    def stop(self, signum: signal.Signals = signal.SIGTERM, *, timeout: float) -> bool:
        """Ask it to end, and kill it after `timeout` seconds. Whether it ended by itself."""
        self.send(signum)
        if self.wait(timeout):
            return True
        self.kill()
        return False

    def kill(self) -> None:
        """End it at once, with all that it started."""
        if self.exit_code is None:
            with contextlib.suppress(ProcessLookupError):  # it may end in this very moment
                os.killpg(self.pid, signal.SIGKILL)
            self.wait(10)

    def last_line(self) -> str:
        """The last line of its log that says something, for the report of its death."""
        return last_line(self.log_file) or "it wrote nothing"


def spawn(
    name: str,
    command: Sequence[str | Path],
    *,
    log_file: Path,
    environment: Mapping[str, str],
    folder: Path,
    user: tuple[int, int] | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
) -> Child:
    """Start `command` with its output appended to `log_file`; `user` is the (uid, gid) it runs as.

    Raises StackError when the program cannot be started.
    """
    log_file.parent.mkdir(parents=True, exist_ok=True)
    try:
        guard.start()
    except OSError as error:
        raise StackError(f"{name} cannot be started: {error}") from error
    # Appending makes it safe to cut the file while the child writes.
    with log_file.open("ab") as log:
        try:
            process = subprocess.Popen(  # noqa: S603 - commands are put together by us
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,
                user=user[0] if user else None,
                group=user[1] if user else None,
                extra_groups=[] if user else None,
            )
        except OSError as error:
            raise StackError(f"{name} cannot be started: {error}") from error
    guard.watch(process.pid, stop_signal)
    return Child(name, process, log_file)


def run(
    command: Sequence[str | Path],
    *,
    environment: Mapping[str, str],
    folder: Path,
    user: tuple[int, int] | None = None,
    timeout: float = 60.0,
) -> subprocess.CompletedProcess[str]:
    """Run `command` to its end and return what it wrote; the exit code is the caller's to judge."""
    return subprocess.run(  # noqa: S603 - commands are put together by us
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=dict(environment),
        cwd=folder,
        check=False,
        timeout=timeout,
        user=user[0] if user else None,
        group=user[1] if user else None,
        extra_groups=[] if user else None,
    )


def last_line(log_file: Path) -> str:
    """The last line of a log that says something, at most 300 characters; empty when there is none."""
    try:
        with log_file.open("rb") as log:
            log.seek(max(0, log_file.stat().st_size - 65536))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return ""
    return next((_told(line)[:300] for line in reversed(lines) if _says_something(line)), "")


def _says_something(line: str) -> bool:
    # SQLAlchemy ends its errors with the statement and an address to read on.
    return bool(line.strip()) and not line.startswith(("(Background on", "[parameters: ", "[SQL: ", "FROM "))


def _told(line: str) -> str:
    """What a line of our services' JSON logs says; other lines as they are."""
    try:
        entry = json.loads(line)
    except ValueError:
        return line.strip()
    if not isinstance(entry, dict) or "event" not in entry:
        return line.strip()
    details = (str(entry.get(name) or "").strip() for name in ("error", "reason", "detail", "exception"))
    return ": ".join([str(entry["event"]), *(detail.splitlines()[-1] for detail in details if detail)])


def cut_log(log_file: Path, limit: int = LOG_LIMIT) -> None:
    """Keep a log bounded: past `limit` bytes its last part moves to `NAME.1` and the file starts again."""
    try:
        size = log_file.stat().st_size
        if size <= limit:
            return
        with log_file.open("r+b") as log:
            log.seek(size - limit // 4)
            log_file.with_name(f"{log_file.name}.1").write_bytes(log.read())
            log.truncate(0)
    except OSError:
        return  # a full disk must not stop the watch over the children


def wait_gone(pid: int, timeout: float) -> bool:
    """Whether a process that is not our child ended within `timeout` seconds."""
    start, deadline = started_at(pid), time.monotonic() + timeout
    while start is not None and started_at(pid) == start:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
