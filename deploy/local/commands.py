"""Runs several commands of one program in one process: `python -m deploy.local.commands MODULE [[...], ...]`.

To start Python with a service's libraries takes longer than the command itself. Prints a JSON list with what
each command wrote to its standard output; ends with the first command's exit code that is not 0.
"""

import contextlib
import importlib
import io
import json
import sys
from collections.abc import Mapping, Sequence

from deploy.local.service import run_module


def run_commands(module: str, commands: Sequence[Sequence[str]], environment: Mapping[str, str]) -> list[str]:
    """What each command of `python -m MODULE` printed. Raises StackError with one line when one fails."""
    listed = json.dumps([list(command) for command in commands])
    printed: list[str] = json.loads(run_module(["deploy.local.commands", module, listed], environment))
    return printed


def main() -> int:
    """Run them in order."""
    module, listed = sys.argv[1:3]
    run = importlib.import_module(f"{module}.__main__").main
    printed = []
    for arguments in json.loads(listed):
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            code = run(arguments)
        if code:
            return int(code)
        printed.append(said.getvalue())
    sys.stdout.write(json.dumps(printed))
    return 0


if __name__ == "__main__":
    sys.exit(main())
