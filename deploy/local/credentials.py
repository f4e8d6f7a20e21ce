"""Passwords of one embedded stack: random at the first start, kept in a file that only its owner reads."""

import json
import os
import secrets
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError

_ROLES: Final = ("postgres", "ingest", "autoqa", "metrics")


def load_or_create(path: Path, *, data_exist: bool) -> dict[str, str]:
    """The passwords by role.

    `data_exist` says that a database with passwords is there already; then they cannot be made anew.
    Raises StackError when they are lost or unreadable.
    """
    try:
        kept = json.loads(path.read_text())
        return {role: str(kept[role]) for role in _ROLES}
    except FileNotFoundError:
        if data_exist:
            raise StackError(
                f"{path} is missing but the database has its passwords: put it back, or start afresh with "
                "'make clean-data'"
            ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StackError(f"{path} cannot be read ({error}): put it back, or 'make clean-data'") from error
    fresh = {role: secrets.token_urlsafe(24) for role in _ROLES}
    write_private(path, json.dumps(fresh, indent=1) + "\n")
    return fresh


def write_private(path: Path, text: str) -> None:
    """Write a file with mode 600 in one step: there is never half of it, and nobody else ever reads it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.unlink(missing_ok=True)
    with open(fresh, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
