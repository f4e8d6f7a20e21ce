"""The base of all settings: one frozen class per service, read from the environment, nowhere else.

A nested field is spelt with two underscores: `INGEST_KAFKA__BOOTSTRAP_SERVERS`.
"""

import os
import ssl
from pathlib import Path
from typing import Literal, Self, TypeVar

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import URL

from shared.errors import Stop

Settings = TypeVar("Settings", bound=BaseSettings)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KafkaSettings(_Part):
    """How to reach Apache Kafka."""

    bootstrap_servers: str = "127.0.0.1:19092"
    """Comma-separated host:port pairs."""
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    """How the connection is secured."""
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] = "PLAIN"
    """Used with the SASL protocols."""
    sasl_username: str | None = None
    """SASL user."""
    sasl_password: SecretStr | None = None
    """SASL password."""
    ssl_ca_file: Path | None = None
    """Certificate authority; the system's own when absent."""
    ssl_certificate_file: Path | None = None
    """Client certificate for mutual TLS."""
    ssl_key_file: Path | None = None
    """Key of the client certificate."""
    session_timeout_ms: int = 6000
    """After this long without a heartbeat a killed consumer's partitions move on."""
    max_message_bytes: int = 5 * 1024 * 1024
    """Largest record sent or fetched; the topics allow as much."""

    def ssl_context(self) -> ssl.SSLContext | None:
        """TLS as configured, None for plain connections."""
        if "SSL" not in self.security_protocol.split("_")[-1]:
            return None
        context = ssl.create_default_context(cafile=self.ssl_ca_file)
        if self.ssl_certificate_file is not None:
            context.load_cert_chain(self.ssl_certificate_file, self.ssl_key_file)
        return context


class DatabaseSettings(_Part):
    """How to reach PostgreSQL."""

    host: str = "127.0.0.1"
    """Host name or address."""
    port: int = 15432
    """TCP port."""
    name: str = "pruefstein"
    """Database."""
    user: str
    """The service's own role."""
    password: SecretStr
    """Its password."""
    pool_size: int = 8
    """Most connections a process holds."""
    tls: Literal["disable", "require", "verify-full"] = "disable"
    """`verify-full` checks the certificate and the host name."""
    tls_ca_file: Path | None = None
    """Certificate authority for `verify-full`; the system's own when absent."""

    def url(self) -> URL:
        """For SQLAlchemy's async engine."""
        return URL.create(
            "postgresql+asyncpg",
            username=self.user,
            password=self.password.get_secret_value(),
            host=self.host,
            port=self.port,
            database=self.name,
        )

    def ssl_context(self) -> ssl.SSLContext | bool:
        """What asyncpg takes as `ssl`; False for plain connections."""
        if self.tls == "disable":
            return False
        context = ssl.create_default_context(cafile=self.tls_ca_file)
        if self.tls == "require":
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context


class ServiceSettings(BaseSettings):
    """What every service has; subclasses set `env_prefix` and add their own fields."""

    model_config = SettingsConfigDict(frozen=True, env_nested_delimiter="__", extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int
    """TCP port of the HTTP server."""
    kafka: KafkaSettings = KafkaSettings()
    """The broker."""
    database: DatabaseSettings
    """The database."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """Least severe level that is logged."""

    @classmethod
    def load(cls) -> Self:
        """Read the environment. Raises `Stop` with one line that names what is wrong or unknown."""
        cls.refuse_unknown()
        return read(cls)

    @classmethod
    def refuse_unknown(cls) -> None:
        """Raises `Stop` where the environment has a variable of our prefix that is no setting."""
        prefix = _prefix(cls)
        # Clients keep a service's address in e.g. INGEST_URL, as demo.env does; it may stand beside.
        known = {f"{prefix}{name}".upper() for name in cls.model_fields} | {f"{prefix}URL"}
        unknown = sorted(
            name for name in os.environ if name.startswith(prefix) and name.split("__")[0] not in known
        )
        if unknown:
            raise Stop(f"unknown settings: {', '.join(unknown)}", reason="settings")


def read(settings: type[Settings]) -> Settings:
    """Settings from the environment. Raises `Stop` with one line that names what is wrong."""
    try:
        return settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"{_prefix(settings)}{'__'.join(str(part) for part in item['loc'])}".upper() + f": {item['msg']}"
            for item in error.errors(include_input=False, include_url=False)
        )
        raise Stop(f"settings: {wrong}", reason="settings") from None


def _prefix(settings: type[BaseSettings]) -> str:
    return str(settings.model_config.get("env_prefix", "")).upper()
