"""Makes and revokes API keys."""

import secrets

from services.metrics.keys.store import ApiKey, KeyStore
from shared.clock import Clock
from shared.errors import NotFound
from shared.http.auth import KeyRole, new_token, token_hash


async def add_key(
    store: KeyStore, *, tenant_id: str, role: KeyRole, name: str | None, clock: Clock
) -> tuple[ApiKey, str]:
    """A new key and its secret, which is not kept and cannot be shown again."""
    token = new_token()
    key = ApiKey(id=f"key_{secrets.token_hex(6)}", role=role, name=name, created_at=clock.now())
    await store.add(tenant_id, key, token_hash=token_hash(token))
    return key, token


async def revoke_key(store: KeyStore, *, tenant_id: str, key_id: str, clock: Clock) -> None:
    """Services notice within 15 s. Raises `NotFound`."""
    if not await store.revoke(tenant_id, key_id, at=clock.now()):
        raise NotFound("the tenant has no such key, or it is revoked already")
