"""One of our own programs as a child process that tells over HTTP when it is ready."""

import http.client
import os
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from deploy.local import leftovers
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.process import Child, run, spawn
from deploy.local.settings import REPOSITORY

_FOREIGN: Final = ("INGEST_", "AUTOQA_", "METRICS_", "MIGRATE_", "TOPICS_", "FEED_", "PG")
"""Prefixes of variables that a child gets only if they are its own."""


def child_environment(own: Mapping[str, str], *, prefix: str = "") -> dict[str, str]:
    """Our environment, without the settings of other programs, plus `own`.

    What the user set with the child's own `prefix` stays, so that `AUTOQA_LOG_LEVEL=debug make run` works.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_FOREIGN) or (prefix and name.startswith(prefix))
    }
    return {**kept, "PYTHONUNBUFFERED": "1", **own}


def run_module(arguments: list[str], environment: Mapping[str, str], *, timeout: float = 120.0) -> str:
    """Run `python -m ...` to its end and return its standard output.

    Raises StackError with the last line of its standard error when its exit code is not 0.
    """
    done = run(
        [sys.executable, "-m", *arguments], environment=environment, folder=REPOSITORY, timeout=timeout
    )
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit code {done.returncode}"]
        raise StackError(f"python -m {' '.join(arguments[:3])}: {said[-1][:300]}")
    return done.stdout


@dataclass(slots=True, kw_only=True)
class Service:
    """A program of ours; `port` is None for one without an HTTP server."""

    name: str
    arguments: list[str]
    environment: Mapping[str, str]
    port: int | None
    log_file: Path
    pid_file: Path
    start_timeout: float = 90.0
    """Seconds until it must be ready; autoqa loads its model first."""
    _child: Child | None = field(default=None, init=False)

    @property
    def child(self) -> Child | None:
        """The running process, None before the first start."""
        return self._child

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{HOST}:{self.port}"

    def start(self) -> None:
        """Start the process; `wait_ready` tells when it works."""
        self._child = spawn(
            self.name,
            [sys.executable, "-m", *self.arguments],
            log_file=self.log_file,
            environment=self.environment,
            folder=REPOSITORY,
        )
        self.pid_file.parent.mkdir(parents=True, exist_ok=True)
        leftovers.remember(self.pid_file, self._child.pid)

    def wait_ready(self) -> None:
        """Return once `/readyz` answers 200. Raises StackError when it ends or stays silent."""
        deadline = time.monotonic() + self.start_timeout
        while not self.is_ready():
            if self._child is None or self._child.exit_code is not None:
                code, line = (None, "never started") if self._child is None else self._last_words(self._child)
                raise StackError(f"{self.name} ended while starting ({code}): {line}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"{self.name} is not ready after {self.start_timeout:.0f} s; see {self.log_file}"
                )
            time.sleep(0.1)

    def is_ready(self) -> bool:
        """Whether it says so right now."""
        if self.port is None:
            return True
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self, *, timeout: float) -> bool:
        """SIGTERM, then SIGKILL after `timeout` seconds. Whether it ended by itself."""
        ended = self._child is None or self._child.stop(signal.SIGTERM, timeout=timeout)
        self.pid_file.unlink(missing_ok=True)
        return ended

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._child is not None:
            self._child.kill()

    @staticmethod
    def _last_words(child: Child) -> tuple[int | None, str]:
        return child.exit_code, child.last_line()
