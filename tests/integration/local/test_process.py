"""Children end with their parent, logs stay bounded, restarts are counted."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.errors import StackError
from deploy.local.guard import started_at
from deploy.local.process import cut_log, last_line, spawn, wait_gone
from deploy.local.restarts import LIMIT, WINDOW, Restarts
from deploy.local.settings import REPOSITORY

PARENT = """
import json, os, sys, threading
from pathlib import Path
from deploy.local.process import spawn
children = []
def start():
    for _ in range(2):
        child = spawn("child", ["sleep", "600"], log_file=Path(sys.argv[1]), environment=os.environ,
                      folder=Path("/"))
        children.append(child.pid)
thread = threading.Thread(target=start)  # the thread that started them ends: they must go on
thread.start()
thread.join()
print(json.dumps(children), flush=True)
sys.stdin.read()
"""


def test_children_do_not_outlive_a_killed_parent(tmp_path: Path) -> None:
    """SIGKILL to the parent ends all that it started, also what a finished thread started."""
    parent = subprocess.Popen(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", PARENT, str(tmp_path / "log")],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    children: list[int] = json.loads(parent.stdout.readline())
    assert all(started_at(pid) for pid in children)
    parent.kill()
    parent.communicate()
    assert all(wait_gone(pid, 15) for pid in children)


def test_a_child_that_ignores_the_signal_is_killed(tmp_path: Path) -> None:
    """Stopping is bounded."""
    command = ["/bin/sh", "-c", "trap '' TERM; echo deaf; sleep 600 & wait; sleep 600"]
    child = spawn("deaf", command, log_file=tmp_path / "log", environment=os.environ, folder=tmp_path)
    while child.exit_code is None and last_line(child.log_file) != "deaf":
        pass
    assert not child.stop(timeout=0.2)
    assert child.exit_code == -signal.SIGKILL


def test_a_program_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    """The name of what cannot be started is in the message."""
    with pytest.raises(StackError, match="ghost cannot be started"):
        spawn("ghost", ["/no/such/program"], log_file=tmp_path / "log", environment={}, folder=tmp_path)


def test_a_log_is_cut_while_its_writer_goes_on(tmp_path: Path) -> None:
    """The last part is kept aside, and what is appended afterwards stands at the beginning."""
    log = tmp_path / "log"
    with log.open("ab", buffering=0) as writer:
        writer.write(b"old line\n" * 1000)
        cut_log(log, limit=1000)
        writer.write(b"new line\n")
    assert log.read_bytes() == b"new line\n"
    assert (tmp_path / "log.1").stat().st_size <= 1000
    assert last_line(tmp_path / "log.1") == "old line"


def test_restarts_are_bounded() -> None:
    """The first is at once, the next ones wait longer, and after the limit there is none."""
    restarts = Restarts()
    delays = [restarts.delay(float(second)) for second in range(LIMIT + 1)]
    assert delays[0] == 0.0
    assert delays[-1] is None
    waits = [delay for delay in delays if delay is not None]
    assert waits == sorted(waits)
    assert restarts.delay(WINDOW * 3) == 0.0
