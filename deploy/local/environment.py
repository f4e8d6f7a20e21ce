"""The settings of the services and of the migrations, as variables."""

from collections.abc import Mapping
from typing import Final

from deploy.local.ports import HOST
from deploy.local.postgres import SUPERUSER
from deploy.local.service import child_environment

DATABASE: Final = "pruefstein"


def service_environment(
    name: str,
    *,
    port: int,
    bootstrap: str,
    postgres_port: int,
    password: str,
    extra: Mapping[str, str],
) -> dict[str, str]:
    """What a service's process gets; of `extra` it gets what has its own prefix."""
    prefix = f"{name.upper()}_"
    own = {
        f"{prefix}HOST": HOST,
        f"{prefix}PORT": str(port),
        f"{prefix}KAFKA__BOOTSTRAP_SERVERS": bootstrap,
        **_database(f"{prefix}DATABASE__", postgres_port, name, password),
        **{key: value for key, value in extra.items() if key.startswith(prefix)},
    }
    return child_environment(own, prefix=prefix)


def migration_settings(postgres_port: int, passwords: Mapping[str, str]) -> dict[str, str]:
    """The superuser's way in, and the passwords that the services' roles get."""
    roles = {
        f"MIGRATE_{role.upper()}_PASSWORD": password
        for role, password in passwords.items()
        if role != SUPERUSER
    }
    return {**_database("MIGRATE_DATABASE__", postgres_port, SUPERUSER, passwords[SUPERUSER]), **roles}


def _database(prefix: str, port: int, user: str, password: str) -> dict[str, str]:
    values = {"HOST": HOST, "PORT": str(port), "NAME": DATABASE, "USER": user, "PASSWORD": password}
    return {f"{prefix}{name}": value for name, value in values.items()}
