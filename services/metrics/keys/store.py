"""API keys in Postgres: the hash alone, never the key."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update

from services.metrics.tables import API_KEY
from shared.db.database import Database
from shared.http.auth import KeyRole


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key without its secret."""

    id: str
    role: KeyRole
    name: str | None
    created_at: datetime
    revoked_at: datetime | None = None


class KeyStore:
    """Of one database."""

    def __init__(self, database: Database) -> None:
        """Of the role `metrics`."""
        self._database = database

    async def add(self, tenant_id: str, key: ApiKey, *, token_hash: bytes) -> None:
        """Keep a new key."""
        async with self._database.transaction(tenant_id) as connection:
            await connection.execute(
                insert(API_KEY).values(
                    tenant_id=tenant_id,
                    id=key.id,
                    hash=token_hash,
                    role=key.role.value,
                    name=key.name,
                    created_at=key.created_at,
                )
            )

    async def all(self, tenant_id: str) -> Sequence[ApiKey]:
        """The tenant's keys, oldest first, revoked ones too."""
        query = (
            select(API_KEY)
            .where(API_KEY.c.tenant_id == tenant_id)
            .order_by(API_KEY.c.created_at, API_KEY.c.id)
        )
        async with self._database.transaction(tenant_id) as connection:
            rows = (await connection.execute(query)).all()
        return [
            ApiKey(
                id=row.id,
                role=KeyRole(row.role),
                name=row.name,
                created_at=row.created_at,
                revoked_at=row.revoked_at,
            )
            for row in rows
        ]

    async def revoke(self, tenant_id: str, key_id: str, *, at: datetime) -> bool:
        """False where the tenant has no such key that is still valid."""
        async with self._database.transaction(tenant_id) as connection:
            changed = await connection.execute(
                update(API_KEY)
                .where(
                    API_KEY.c.tenant_id == tenant_id, API_KEY.c.id == key_id, API_KEY.c.revoked_at.is_(None)
                )
                .values(revoked_at=at)
            )
        return changed.rowcount > 0
