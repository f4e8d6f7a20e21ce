"""API keys: who asks, for which tenant, in which role. Keys are stored as SHA-256 of a random token."""

import asyncio
import hashlib
import secrets
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Final

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy import text

from shared.db.database import Database
from shared.errors import Forbidden, Unauthenticated

_CACHE_SECONDS: Final = 15.0
_CACHE_SIZE: Final = 10_000


class KeyRole(StrEnum):
    """What a key may do; see `_ALLOWS`."""

    INGEST = "ingest"
    VIEWER = "viewer"
    QA_LEAD = "qa_lead"
    ADMIN = "admin"


_ALLOWS: Final = {
    KeyRole.INGEST: {KeyRole.INGEST},
    KeyRole.VIEWER: {KeyRole.VIEWER},
    KeyRole.QA_LEAD: {KeyRole.VIEWER, KeyRole.QA_LEAD},
    KeyRole.ADMIN: set(KeyRole),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """Who asks."""

    key_id: str
    tenant_id: str
    role: KeyRole


def new_token() -> str:
    """A key's secret, 256 random bits; shown once."""
    return f"pst_{secrets.token_urlsafe(32)}"


def token_hash(token: str) -> bytes:
    """What is stored of a key. The token is random, so no salt and no slow hash are needed."""
    return hashlib.sha256(token.encode()).digest()


class Authenticator:
    """Looks keys up through the function that metrics publishes, with a short memory."""

    def __init__(self, database: Database, *, remember_seconds: float = _CACHE_SECONDS) -> None:
        """The database's role must be allowed to call `metrics.authenticate`.

        A revoked key is refused after `remember_seconds` at the latest.
        """
        self._database = database
        self._remember_seconds = remember_seconds
        self._known: dict[bytes, tuple[float, Principal]] = {}
        self._lock = asyncio.Lock()

    async def principal(self, token: str) -> Principal:
        """Raises `Unauthenticated` for a key that is unknown or revoked, `Transient` without a database."""
        hashed = token_hash(token)
        found = self._known.get(hashed)
        if found is not None and found[0] > time.monotonic():
            return found[1]
        async with self._lock, self._database.tenantless() as connection:
            rows = await connection.execute(
                text("select key_id, tenant_id, role from metrics.authenticate(:hash)"), {"hash": hashed}
            )
            row = rows.one_or_none()
        if row is None:
            raise Unauthenticated("the API key is unknown or revoked")
        principal = Principal(key_id=str(row.key_id), tenant_id=row.tenant_id, role=KeyRole(row.role))
        if len(self._known) >= _CACHE_SIZE:
            self._known.clear()
        self._known[hashed] = (time.monotonic() + self._remember_seconds, principal)
        return principal


_bearer = HTTPBearer(
    auto_error=False, description="An API key, made with `python -m services.metrics keys add`."
)


def require(role: KeyRole) -> Callable[..., Coroutine[Any, Any, Principal]]:
    """A dependency that lets in whoever may do what `role` may do. `app.state.authenticator` decides."""

    async def principal(
        request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)]
    ) -> Principal:
        if credentials is None:
            raise Unauthenticated("send an API key as `Authorization: Bearer`")
        authenticator: Authenticator = request.app.state.authenticator
        found = await authenticator.principal(credentials.credentials)
        if role not in _ALLOWS[found.role]:
            raise Forbidden(f"this needs the role {role}")
        return found

    return principal
