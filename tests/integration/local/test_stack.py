"""The stack as a whole, with stubs for the services: start, watch, stop, start again.

A start takes seconds, so the tests share one stack, in the order in which they stand.
"""

import asyncio
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.local.__main__ import clean
from deploy.local.demo import ROLES, VENDORS
from deploy.local.errors import StackError
from deploy.local.ports import HOST
from deploy.local.process import Child
from deploy.local.service import child_environment
from deploy.local.settings import REPOSITORY
from deploy.local.stack import SERVICES, Stack
from deploy.local.supervise import supervise
from deploy.topics import TopicSettings, create, wanted
from shared.settings import KafkaSettings
from tests.stack import reachable_folder, run_elsewhere

STUB = "tests.integration.local.stub"
STUBS = dict.fromkeys(SERVICES, STUB)


@pytest.fixture(scope="module")
def home(kafka: str) -> Iterator[Path]:
    """A folder that the database's user can reach; `kafka` has seen to the jars."""
    del kafka
    with reachable_folder() as folder:
        yield folder / "home"


@pytest.fixture(scope="module")
def stack(home: Path) -> Iterator[Stack]:
    """A running stack on fresh data."""
    own = Stack.on_free_ports(home, modules=STUBS)
    with own:
        yield own


def until(condition: Callable[[], bool], timeout: float = 30.0) -> None:
    """Wait for something that another process does."""
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def is_up(child: Child | None) -> bool:
    """Whether a process runs."""
    return child is not None and child.exit_code is None


def test_the_first_start_writes_the_demo_tenants_keys(stack: Stack) -> None:
    """Addresses, keys and webhook secrets under their fixed names, for the owner's eyes only."""
    env = stack.env
    names = {"INGEST_URL", "AUTOQA_URL", "METRICS_URL", "KAFKA_BOOTSTRAP"}
    names |= {f"API_KEY_{role.upper()}" for role in ROLES}
    names |= {f"{vendor.upper()}_{part}" for vendor in VENDORS for part in ("SOURCE_ID", "SECRET")}
    assert env.keys() == names
    assert stack.env_file.stat().st_mode & 0o777 == 0o600
    assert (stack.settings.home / "secrets.json").stat().st_mode & 0o777 == 0o600
    assert all(service.is_ready() for service in stack.services.values())


def test_a_second_stack_in_the_same_folder_is_refused(stack: Stack) -> None:
    """One line that says so, and the first one goes on."""
    with pytest.raises(StackError, match="already runs"):
        Stack(settings=stack.settings, modules=STUBS).start()
    assert stack.services["ingest"].is_ready()


def test_what_dies_is_reported_and_started_again(stack: Stack) -> None:
    """A service, the broker and the database are brought back, each with one line that says why."""
    said: list[str] = []
    stop = threading.Event()
    watch = threading.Thread(target=supervise, args=(stack, stop, said.append))
    watch.start()
    try:
        stack.kill_service("ingest")
        until(lambda: any("ingest ended (signal 9): serving" in line for line in said))
        until(stack.services["ingest"].is_ready)
        stack.kafka.kill()
        until(lambda: any(line.startswith("Kafka ended (signal 9)") for line in said))
        stack.postgres.kill()
        until(lambda: any(line.startswith("PostgreSQL ended (signal 9)") for line in said))
        until(lambda: all(is_up(child) for child in (stack.kafka.child, stack.postgres.child)))
        settings = KafkaSettings(bootstrap_servers=stack.kafka.bootstrap)
        assert run_elsewhere(create(settings, wanted(TopicSettings()))) == []
    finally:
        stop.set()
        watch.join()


def test_a_killed_service_can_be_restarted(stack: Stack) -> None:
    """What end-to-end tests do to services."""
    stack.kill_service("autoqa")
    assert not stack.services["autoqa"].is_ready()
    stack.restart_service("autoqa")
    assert stack.services["autoqa"].is_ready()


def test_a_second_start_keeps_keys_and_follows_moved_ports(stack: Stack) -> None:
    """Keys stay as they are; addresses are those of this start; topics are there."""
    before = stack.env
    stack.stop()
    with Stack.on_free_ports(stack.settings.home, modules=STUBS) as second:
        assert second.env["INGEST_URL"] == second.services["ingest"].url != before["INGEST_URL"]
        kept = [name for name in before if name.endswith(("_SECRET", "_ID")) or name.startswith("API_")]
        assert {name: before[name] for name in kept} == {name: second.env[name] for name in kept}
        settings = KafkaSettings(bootstrap_servers=second.kafka.bootstrap)
        assert run_elsewhere(create(settings, wanted(TopicSettings()))) == []


def test_an_occupied_port_stops_before_anything_is_started(home: Path) -> None:
    """The line names the port and the setting; no process was started."""
    said: list[str] = []
    own = Stack.on_free_ports(home, modules=STUBS)
    own.say = said.append
    with socket.socket() as other:
        other.bind((HOST, own.settings.metrics_port))
        other.listen()
        with pytest.raises(StackError, match=f"port {own.settings.metrics_port} for metrics.*METRICS_PORT"):
            own.start()
    assert own.kafka.child is None
    assert own.postgres.child is None


def test_a_service_that_never_starts_is_one_line_and_everything_stops(home: Path) -> None:
    """Its name, its exit code and its last words; broker and database are stopped again."""
    own = Stack.on_free_ports(home, modules={**STUBS, "autoqa": "no.such.module"})
    with pytest.raises(StackError, match=r"autoqa ended while starting.*No module named"):
        own.start()
    for child in (own.kafka.child, own.postgres.child, own.services["ingest"].child):
        assert child is not None
        assert child.exit_code is not None


def test_lost_passwords_are_told(home: Path) -> None:
    """Without them the data cannot be reached, and nothing is overwritten."""
    secrets = home / "secrets.json"
    kept = secrets.read_text()
    secrets.unlink()
    try:
        with pytest.raises(StackError, match=r"secrets\.json is missing"):
            Stack.on_free_ports(home, modules=STUBS).start()
        assert not secrets.exists()
    finally:
        secrets.write_text(kept)


async def test_the_command_line_refuses_what_is_wrong(home: Path) -> None:
    """A wrong setting is one line, exit code 1."""
    environment = child_environment({"PRUEFSTEIN_HOME": str(home), "KAFKA_PORT": "many"})
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "deploy.local", "up"],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Prüfstein: setting KAFKA_PORT")
    assert len(done.stderr.splitlines()) == 1


def test_clean_removes_everything(home: Path) -> None:
    """Data, logs, secrets and keys are gone; doing it again is no error."""
    own = Stack.on_free_ports(home, modules=STUBS)
    assert own.postgres.has_data
    assert clean(own.settings) == 0
    assert not own.postgres.has_data
    assert os.listdir(home) == []  # noqa: PTH208 - an empty folder
    assert clean(own.settings) == 0
