"""`python -m services.ingest sources`: which helpdesks may send webhooks."""

import secrets
import sys
from collections.abc import Awaitable, Callable

from services.ingest.directory import WebhookSource
from services.ingest.settings import IngestSettings
from services.ingest.store import Store
from shared.db.database import Database
from shared.errors import Stop, Transient


async def add(
    settings: IngestSettings, *, tenant_id: str, vendor: str, account_id: str | None, secret: str | None
) -> None:
    """Let a helpdesk in; prints the source's id and its secret, a random one where none is given.

    An empty secret would let everybody sign. Raises `Stop` for one.
    """
    if secret is not None and not secret.strip():
        raise Stop("the secret must not be empty", reason="secret")
    source = WebhookSource(
        id=f"src_{secrets.token_urlsafe(16)}",
        tenant_id=tenant_id,
        vendor=vendor,
        account_id=account_id,
        # Help Scout takes at most 40 characters.
        secret=secret or secrets.token_urlsafe(24),
    )
    await _with_store(settings, lambda store: store.add_source(source))
    sys.stdout.write(f"{source.id} {source.secret}\n")


async def list_all(settings: IngestSettings) -> None:
    """Print every tenant's sources, one a line, without secrets."""

    async def write(store: Store) -> None:
        for tenant_id in await store.tenants():
            for source in await store.sources(tenant_id):
                sys.stdout.write(f"{tenant_id} {source.id} {source.vendor} {source.account_id or '-'}\n")

    await _with_store(settings, write)


async def _with_store(settings: IngestSettings, work: Callable[[Store], Awaitable[None]]) -> None:
    database = Database(settings.database)
    try:
        await work(Store(database))
    except Transient as error:
        raise Stop(error.detail, reason=error.reason) from error
    finally:
        await database.close()
