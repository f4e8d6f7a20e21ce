"""The service's command line: `python -m services.metrics serve | keys add|list|revoke | recount`."""

import argparse
import sys
from collections.abc import Awaitable, Callable

from services.metrics.bootstrap import serve
from services.metrics.keys.handlers import add_key, revoke_key
from services.metrics.keys.store import KeyStore
from services.metrics.kpis.recount import recount
from services.metrics.settings import MetricsSettings
from shared.clock import SystemClock
from shared.db.database import Database
from shared.errors import PruefsteinError, Stop
from shared.http.auth import KeyRole
from shared.process import main as run
from shared.telemetry import logging


def main(arguments: list[str] | None = None) -> int:
    """0, or 1 with one line on standard error."""
    parsed = _parser().parse_args(arguments)
    return run(lambda: parsed.command(parsed))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m services.metrics",
        description="Scores, flags and KPIs over HTTP, and the API keys of all services.",
    )
    commands = parser.add_subparsers(required=True)
    commands.add_parser("serve", help="run the service").set_defaults(command=_serve)
    keys = commands.add_parser("keys", help="make, list and revoke API keys").add_subparsers(required=True)
    add = keys.add_parser("add", help="make a key and print it; it is shown only once")
    add.add_argument("--tenant", required=True, type=_tenant, help="whose data the key opens")
    add.add_argument("--role", required=True, choices=[role.value for role in KeyRole])
    add.add_argument("--name", help="what it is for")
    add.set_defaults(command=_add)
    shown = keys.add_parser("list", help="list a tenant's keys")
    shown.add_argument("--tenant", required=True, type=_tenant)
    shown.set_defaults(command=_list)
    revoke = keys.add_parser("revoke", help="make a key useless, within 15 s")
    revoke.add_argument("--tenant", required=True, type=_tenant)
    revoke.add_argument("id", help="as `keys list` shows it")
    revoke.set_defaults(command=_revoke)
    again = commands.add_parser("recount", help="build a tenant's KPI rollups anew from its conversations")
    again.add_argument("--tenant", required=True, type=_tenant)
    again.set_defaults(command=_recount)
    return parser


def _tenant(text: str) -> str:
    # Keys of records are `tenant:source:account:conversation`.
    if not text or ":" in text or not text.isprintable():
        raise argparse.ArgumentTypeError("a tenant's id is not empty and has no colon")
    return text


async def _serve(_: argparse.Namespace) -> None:
    settings = MetricsSettings.load()
    logging.configure(service="metrics", level=settings.log_level)
    await serve(settings)


async def _add(parsed: argparse.Namespace) -> None:
    async def work(store: KeyStore) -> None:
        key, token = await add_key(
            store,
            tenant_id=parsed.tenant,
            role=KeyRole(parsed.role),
            name=parsed.name,
            clock=SystemClock(),
        )
        sys.stdout.write(f"{token}\n")
        sys.stderr.write(f"{key.id} for {parsed.tenant}, role {key.role}; the key is not shown again\n")

    await _with_keys(work)


async def _list(parsed: argparse.Namespace) -> None:
    async def work(store: KeyStore) -> None:
        for key in await store.all(parsed.tenant):
            state = f"revoked {key.revoked_at:%Y-%m-%d %H:%M}" if key.revoked_at else "valid"
            sys.stdout.write(
                f"{key.id}\t{key.role}\t{key.created_at:%Y-%m-%d %H:%M}\t{state}\t{key.name or ''}\n"
            )

    await _with_keys(work)


async def _revoke(parsed: argparse.Namespace) -> None:
    async def work(store: KeyStore) -> None:
        await revoke_key(store, tenant_id=parsed.tenant, key_id=parsed.id, clock=SystemClock())
        sys.stdout.write(f"{parsed.id} is revoked\n")

    await _with_keys(work)


async def _recount(parsed: argparse.Namespace) -> None:
    async def work(database: Database) -> None:
        async with database.transaction(parsed.tenant) as connection:
            await recount(connection, parsed.tenant)
        sys.stdout.write(f"the rollups of {parsed.tenant} are counted anew\n")

    await _with_database(work)


async def _with_keys(work: Callable[[KeyStore], Awaitable[None]]) -> None:
    await _with_database(lambda database: work(KeyStore(database)))


async def _with_database(work: Callable[[Database], Awaitable[None]]) -> None:
    """Raises `Stop` with one line for whatever goes wrong."""
    logging.configure(service="metrics", level="error")
    database = Database(MetricsSettings.load().database)
    try:
        await work(database)
    except PruefsteinError as error:
        raise Stop(error.detail, reason=error.reason) from error
    finally:
        await database.close()


if __name__ == "__main__":
    sys.exit(main())
