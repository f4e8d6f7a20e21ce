"""The demo tenant: its API keys and webhook sources, and the file that lists them.

The keys and secrets exist in clear text only here, in `demo.env` with mode 600; the services keep hashes of
the keys.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from deploy.local.commands import run_commands
from deploy.local.credentials import write_private
from deploy.local.errors import StackError

TENANT: Final = "demo"
ROLES: Final = ("admin", "qa_lead", "viewer", "ingest")
VENDORS: Final = ("zendesk", "zammad", "chatwoot", "intercom", "freshdesk", "helpscout", "generic")


def make_keys(module: str, environment: Mapping[str, str]) -> dict[str, str]:
    """An API key for every role, through the command line of metrics. Raises StackError when it refuses."""
    commands = [
        ["keys", "add", "--tenant", TENANT, "--role", role, "--name", f"demo-{role}"] for role in ROLES
    ]
    made = {}
    for role, printed in zip(ROLES, run_commands(module, commands, environment), strict=True):
        if not printed.strip():
            raise StackError(f"{module} keys add printed no key for {role}")
        made[f"API_KEY_{role.upper()}"] = printed.split()[-1]
    return made


def make_sources(module: str, environment: Mapping[str, str]) -> dict[str, str]:
    """A webhook source for every vendor, through the command line of ingest. Raises StackError likewise."""
    commands = [["sources", "add", "--tenant", TENANT, "--vendor", vendor] for vendor in VENDORS]
    made = {}
    for vendor, printed in zip(VENDORS, run_commands(module, commands, environment), strict=True):
        words = printed.split()
        if len(words) < 2:
            raise StackError(f"{module} sources add printed no id and secret for {vendor}")
        made[f"{vendor.upper()}_SOURCE_ID"], made[f"{vendor.upper()}_SECRET"] = words[-2:]
    return made


def read_env(path: Path) -> dict[str, str]:
    """The `NAME=value` lines of a file; empty when there is none."""
    try:
        lines = path.read_text().splitlines()
    except FileNotFoundError:
        return {}
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def write_env(path: Path, values: Mapping[str, str]) -> None:
    """Write `NAME=value` lines, readable by their owner only."""
    write_private(path, "".join(f"{name}={value}\n" for name, value in values.items()))
