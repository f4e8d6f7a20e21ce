"""The repository's files, and the programs that judge them."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[3]


def run(program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `program` of this environment or of the machine; skip the test where it is missing."""
    beside = Path(sys.executable).parent / program
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is missing; `make setup-test` says how to get it")
    return subprocess.run(  # noqa: S603 (our own arguments)
        [found, *map(str, arguments)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def assert_accepts(program: str, *arguments: str | Path) -> None:
    """Fail with what `program` said unless it exits with 0."""
    done = run(program, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
