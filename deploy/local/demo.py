"""The demo tenant: its API keys and webhook sources, and the file that lists them.

The keys and secrets exist in clear text only here, in `demo.env` with mode 600; the services keep hashes of
the keys.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from deploy.local.credentials import write_private
from deploy.local.errors import StackError
from deploy.local.service import run_module

TENANT: Final = "demo"
ROLES: Final = ("admin", "qa_lead", "viewer", "ingest")
VENDORS: Final = ("zendesk", "zammad", "chatwoot", "intercom", "freshdesk", "helpscout", "generic")
_PARALLEL: Final = 3


def seed(
    *, keys_with: tuple[str, Mapping[str, str]], sources_with: tuple[str, Mapping[str, str]]
) -> dict[str, str]:
    """Make the keys and sources through the services' command lines; the lines of `demo.env` about them.

    Both arguments are a module and its environment. Raises StackError when one refuses.
    """

    def key(role: str) -> dict[str, str]:
        module, environment = keys_with
        arguments = [module, "keys", "add", "--tenant", TENANT, "--role", role, "--name", f"demo-{role}"]
        printed = run_module(arguments, environment).split()
        if not printed:
            raise StackError(f"{module} keys add printed no key for {role}")
        return {f"API_KEY_{role.upper()}": printed[-1]}

    def source(vendor: str) -> dict[str, str]:
        module, environment = sources_with
        printed = run_module(
            [module, "sources", "add", "--tenant", TENANT, "--vendor", vendor], environment
        ).split()
        if len(printed) < 2:
            raise StackError(f"{module} sources add printed no id and secret for {vendor}")
        return {f"{vendor.upper()}_SOURCE_ID": printed[-2], f"{vendor.upper()}_SECRET": printed[-1]}

    jobs: list[tuple[Callable[[str], dict[str, str]], str]] = [
        *((key, role) for role in ROLES),
        *((source, vendor) for vendor in VENDORS),
    ]
    with ThreadPoolExecutor(_PARALLEL) as pool:
        made = list(pool.map(lambda job: job[0](job[1]), jobs))
    return {name: value for part in made for name, value in part.items()}


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
