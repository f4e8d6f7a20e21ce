"""One PostgreSQL server on 127.0.0.1, as a child process, with passwords and without a socket file.

Blocking: call it from a thread where an event loop runs.
"""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.local import leftovers
from deploy.local.errors import StackError
from deploy.local.ports import HOST, require_free
from deploy.local.postgres_binaries import Programs, programs, reachable_data_dir
from deploy.local.process import Child, last_line, run, spawn

SUPERUSER: Final = "postgres"
_ENVIRONMENT: Final = {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC"}
_SETTINGS: Final = {
    "listen_addresses": HOST,
    # No socket file: its path would have to be short, and everybody on the machine could knock.
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "96MB",
    "max_wal_size": "256MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    "log_min_messages": "warning",
    # What clients do wrong comes back to them; only the server's own trouble goes to its log.
    "log_min_error_statement": "panic",
}
_THROWAWAY: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


def _quiet(_: str) -> None:
    """Say nothing."""


@dataclass(slots=True, kw_only=True)
class Postgres:
    """A server on 127.0.0.1; `with Postgres(...) as postgres` starts and stops it."""

    data_dir: Path
    """Where it keeps its data; moved elsewhere only if root runs it below a closed folder."""
    port: int
    """TCP port."""
    password: str
    """The superuser's; taken over at the first start and needed ever after."""
    log_file: Path
    """What the server says."""
    durable: bool = True
    """False for tests: data need not survive a crash of the machine."""
    start_timeout: float = 60.0
    """Seconds it may take to accept connections, recovery after a crash included."""
    say: Callable[[str], None] = _quiet
    """Told what takes long and what was found left over."""
    _child: Child | None = field(default=None, init=False)

    @property
    def child(self) -> Child | None:
        """The running process, None before the first start."""
        return self._child

    @property
    def place(self) -> Path:
        """Where the data really lie."""
        return reachable_data_dir(self.data_dir)

    @property
    def has_data(self) -> bool:
        """Whether it has been started before."""
        return (self.place / "PG_VERSION").exists()

    def start(self) -> None:
        """Return once it accepts connections. Raises StackError with one line on what is in the way."""
        binaries = programs()
        place = self.place
        place.parent.mkdir(parents=True, exist_ok=True)
        self.clear_leftovers()
        require_free(self.port, owner="PostgreSQL", setting="POSTGRES_PORT")
        if not self.has_data:
            self._initialise(binaries, place)
        settings = {**_SETTINGS, "port": str(self.port), **({} if self.durable else _THROWAWAY)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        started = self.log_file.stat().st_size if self.log_file.exists() else 0
        self._child = spawn(
            "PostgreSQL",
            [binaries.folder / "postgres", "-D", place, *options],
            log_file=self.log_file,
            environment=_ENVIRONMENT,
            folder=Path("/"),
            user=binaries.user,
            stop_signal=signal.SIGINT,
        )
        try:
            self._await_ready(self._child, place, started)
        except BaseException:
            self._child.kill()
            raise

    def stop(self, *, timeout: float = 6.0) -> None:
        """Fast shutdown: sessions are ended, data are written; killed after `timeout` seconds."""
        if self._child is not None and self._child.exit_code is None:
            self._child.stop(signal.SIGINT, timeout=timeout)

    def kill(self) -> None:
        """SIGKILL to the server and its sessions, as a crash would."""
        if self._child is not None:
            self._child.kill()
            # Sessions are process groups of their own and would need a moment to notice.
            for pid in _processes_in(self.place):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def why(self) -> str:
        """One line on why it ended, from its log."""
        if "No space left on device" in _from(self.log_file, -8192):
            return f"no space left on the disk of {self.place}"
        return last_line(self.log_file) or "it wrote nothing"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _initialise(self, binaries: Programs, place: Path) -> None:
        """Make the data directory beside its place, then move it there: there is never half a one."""
        self.say("Preparing the database's files")
        fresh = place.with_name(f"{place.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        password_file = place.with_name(f"{place.name}.password")
        try:
            fresh.mkdir(mode=0o700)
            password_file.touch(mode=0o600)
            password_file.write_text(self.password)
            if binaries.user is not None:
                os.chown(fresh, *binaries.user)
                os.chown(password_file, *binaries.user)
            done = run(
                [
                    *(binaries.folder / "initdb", "-D", fresh, f"--username={SUPERUSER}"),
                    *("--auth=scram-sha-256", f"--pwfile={password_file}"),
                    *("--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"),
                    *(() if self.durable else ("--no-sync",)),
                ],
                environment=_ENVIRONMENT,
                folder=Path("/"),
                user=binaries.user,
                timeout=self.start_timeout,
            )
        except OSError as error:
            raise StackError(f"PostgreSQL cannot prepare {place}: {error}") from error
        finally:
            password_file.unlink(missing_ok=True)
        if done.returncode != 0:
            said = [line for line in done.stderr.splitlines() if "error" in line] or done.stderr.splitlines()
            raise StackError(f"PostgreSQL cannot prepare {place}: {(said or ['no reason given'])[0][:300]}")
        fresh.replace(place)

    def clear_leftovers(self) -> None:
        """Stop a server that still holds the data; drop the note of one that is gone.

        The server itself would refuse to start when the old process number belongs to a stranger by now.
        """
        place = self.place
        note = place / "postmaster.pid"
        noted = _noted_pid(note)
        holders = list(_processes_in(place))
        if not holders:
            if note.exists():
                self.say("PostgreSQL was not stopped cleanly the last time: it recovers its data first")
                note.unlink(missing_ok=True)
            return
        self.say(f"PostgreSQL of an earlier run still runs (process {noted or holders[0]}): stopping it")
        if noted in holders:
            leftovers.end(noted, signal.SIGINT)
        for pid in _processes_in(place):
            leftovers.end(pid, signal.SIGQUIT)
        note.unlink(missing_ok=True)

    def _await_ready(self, child: Child, place: Path, log_from: int) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not _says_ready(place / "postmaster.pid", child.pid):
            if child.exit_code is not None:
                text = _from(self.log_file, log_from)
                if "could not bind" in text:
                    raise StackError(
                        f"port {self.port} for PostgreSQL is in use: set POSTGRES_PORT to a free port"
                    )
                raise StackError(f"PostgreSQL ended while starting ({child.exit_code}): {self.why()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"PostgreSQL accepts no connections after {self.start_timeout:.0f} s; see {self.log_file}"
                )
            time.sleep(0.02)


def _says_ready(note: Path, pid: int) -> bool:
    """The server writes its number into the first line of its note, and its state into the eighth."""
    try:
        lines = note.read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[0].strip() == str(pid) and lines[7].strip() == "ready"


def _noted_pid(note: Path) -> int | None:
    try:
        return int(note.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return None


def _processes_in(place: Path) -> Iterator[int]:
    """Every process whose working folder is the data directory: the server and its sessions."""
    wanted = str(place.resolve())
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # gone, or somebody else's
            if str((entry / "cwd").readlink()) == wanted:
                yield int(entry.name)


def _from(path: Path, offset: int) -> str:
    """The text of a log from `offset` bytes on; a negative one counts from its end."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size + offset) if offset < 0 else offset)
            return file.read(1 << 20).decode(errors="replace")
    except OSError:
        return ""
