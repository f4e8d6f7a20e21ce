"""Transactions that see one tenant, against the real Postgres."""

import pytest

from shared.db.database import Database
from shared.errors import Transient
from shared.settings import DatabaseSettings


async def test_a_database_that_is_away_is_transient() -> None:
    """Callers answer 503 or back off."""
    database = Database(DatabaseSettings.model_validate({"user": "u", "password": "p", "port": 1}))
    with pytest.raises(Transient):
        await database.ping()
    await database.close()
