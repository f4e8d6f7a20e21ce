"""The jars of Apache Kafka: downloaded by jgo, each checked against the SHA-256 in `kafka.lock`.

A distribution named by KAFKA_HOME takes their place where the machine has no way out.
`python -m deploy.local.jars` resolves the newest set of the coordinates below and writes the lock anew.
"""

import hashlib
import shutil
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError

KAFKA_VERSION: Final = "4.3.1"
_COORDINATES: Final = "+".join(
    (
        f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}",
        # Named, because the bill of materials of log4j would pull in an older one.
        f"org.apache.kafka:kafka-clients:{KAFKA_VERSION}",
        "org.apache.logging.log4j:log4j-core:2.25.4",
        "org.apache.logging.log4j:log4j-slf4j-impl:2.25.4",
    )
)
_LOCK: Final = Path(__file__).with_name("kafka.lock")
_PARALLEL: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Jar:
    """One locked jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Unique among the jars, as the artifacts are."""
        return f"{self.artifact}-{self.version}.jar"


def locked() -> list[Jar]:
    """What the broker runs on."""
    lines = [line.split() for line in _LOCK.read_text().splitlines() if line and not line.startswith("#")]
    return [
        Jar(group=group, artifact=artifact, version=version, sha256=sha256)
        for coordinate, sha256 in lines
        for group, artifact, version in [coordinate.split(":")]
    ]


def class_path(
    *, cache: Path, kafka_home: Path | None, repository: str, say: Callable[[str], None]
) -> list[Path]:
    """The jars to run the broker with, downloaded into `cache` where they are missing.

    Raises StackError when KAFKA_HOME holds none, when they cannot be had, or when one is not what was locked.
    """
    if kafka_home is not None:
        jars = sorted((kafka_home / "libs").glob("*.jar"))
        if not jars:
            raise StackError(
                f"KAFKA_HOME={kafka_home} holds no libs/*.jar: name an unpacked Kafka distribution"
            )
        return jars
    folder = cache / "kafka" / KAFKA_VERSION
    missing = [jar for jar in locked() if not _is_intact(folder / jar.file_name, jar.sha256)]
    if missing:
        say(f"Downloading Apache Kafka {KAFKA_VERSION}: {len(missing)} of {len(locked())} jars, 44 MB in all")
        _download(missing, folder, repository)
    return [folder / jar.file_name for jar in locked()]


def _is_intact(path: Path, sha256: str) -> bool:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == sha256
    except OSError:
        return False


def _download(jars: list[Jar], folder: Path, repository: str) -> None:
    # Imported here: it takes a third of a second, and only the first start needs it.
    from jgo.maven import MavenContext

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="download-") as fresh:
            context = MavenContext(repo_cache=Path(fresh), remote_repos={"central": repository}, timeout=30)

            def fetch(jar: Jar) -> None:
                project = context.project(jar.group, jar.artifact)
                path = project.at_version(jar.version).artifact().resolve()
                if not _is_intact(path, jar.sha256):
                    raise StackError(f"{jar.file_name} from {repository} is not the one in {_LOCK.name}")
                # A rename inside one file system: another start never sees half a jar.
                path.replace(folder / jar.file_name)

            with ThreadPoolExecutor(_PARALLEL) as pool:
                list(pool.map(fetch, jars))
    except StackError:
        raise
    except Exception as error:  # the resolver raises what its HTTP library raises
        raise StackError(
            f"the jars of Apache Kafka cannot be downloaded from {repository} ({type(error).__name__}): "
            "set MAVEN_REPOSITORY to a mirror, or KAFKA_HOME to an unpacked Kafka distribution"
        ) from error


def lock() -> None:
    """Resolve the coordinates from scratch and write `kafka.lock`."""
    import jgo

    with tempfile.TemporaryDirectory() as fresh:
        environment = jgo.build(_COORDINATES, update=True, cache_dir=Path(fresh))
        rows = sorted(
            f"{item.groupId}:{item.artifactId}:{item.version} {item.sha256}"
            for item in (environment.lockfile.dependencies if environment.lockfile else ())
        )
        shutil.rmtree(fresh, ignore_errors=True)
    head = "# The jars of the embedded broker and their SHA-256. Written by: python -m deploy.local.jars"
    _LOCK.write_text("\n".join([head, *rows, ""]))


if __name__ == "__main__":
    lock()
    sys.stdout.write(f"{_LOCK}: {len(locked())} jars\n")
