"""Migrations and topics at the start. What ran before is skipped, as to ask for it would take seconds."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.service import child_environment, run_module
from deploy.local.settings import REPOSITORY

_MIGRATIONS: Final = ("deploy/migrate.py", "shared/db/migrate.py", "services/*/migrations/**/*.py")
_TOPICS: Final = ("deploy/topics.py", "shared/contracts/topics.py", "shared/settings.py")


def migrate(environment: Mapping[str, str], *, note: Path, fresh: bool) -> None:
    """Bring the database up to date, unless `note` says that these migrations ran and it is not `fresh`.

    Raises StackError with what the migrations said last.
    """
    state = _digest(*_MIGRATIONS)
    if fresh or _read(note) != state:
        run_module(["deploy.migrate"], child_environment(environment))
        note.write_text(state)


def create_topics(bootstrap: str, *, note: Path) -> None:
    """Create the topics, unless `note` says that it was done.

    The note lies with the broker's data and is lost with them. Raises StackError when the broker refuses.
    """
    state = _digest(*_TOPICS)
    if _read(note) != state:
        run_module(["deploy.topics"], child_environment({"TOPICS_BOOTSTRAP_SERVERS": bootstrap}))
        note.write_text(state)


def _digest(*patterns: str) -> str:
    """Of all files of the repository that match."""
    files = sorted(path for pattern in patterns for path in REPOSITORY.glob(pattern))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
