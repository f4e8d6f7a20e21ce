"""The settings of the embedded stack, read from the environment: ports, and where things are kept."""

from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.errors import StackError
from deploy.local.kafka import MAVEN_CENTRAL

REPOSITORY: Final = Path(__file__).resolve().parents[2]


class LocalSettings(BaseSettings):
    """Each field is a variable of the same name in capitals."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    ingest_port: int = Field(8081, ge=1, le=65535)
    """HTTP of ingest."""
    autoqa_port: int = Field(8082, ge=1, le=65535)
    """HTTP of autoqa."""
    metrics_port: int = Field(8083, ge=1, le=65535)
    """HTTP of metrics."""
    kafka_port: int = Field(19092, ge=1, le=65535)
    """The broker's clients."""
    postgres_port: int = Field(15432, ge=1, le=65535)
    """The database."""
    home: Path = Field(REPOSITORY / ".local", validation_alias="PRUEFSTEIN_HOME")
    """Data, logs and secrets of one stack."""
    cache: Path = Field(REPOSITORY / ".cache", validation_alias="PRUEFSTEIN_CACHE")
    """Downloads, shared by all stacks."""
    kafka_home: Path | None = None
    """An unpacked Kafka distribution instead of downloaded jars."""
    maven_repository: str = MAVEN_CENTRAL
    """Where the jars come from."""

    @classmethod
    def load(cls) -> "LocalSettings":
        """Read the environment. Raises StackError naming the variable that is wrong."""
        try:
            return cls()
        except ValidationError as error:
            item = error.errors()[0]
            raise StackError(f"setting {str(item['loc'][0]).upper()}: {item['msg']}") from None

    def ports(self) -> dict[str, int]:
        """By the name of the setting, in the order in which they are needed."""
        return {
            "KAFKA_PORT": self.kafka_port,
            "POSTGRES_PORT": self.postgres_port,
            "INGEST_PORT": self.ingest_port,
            "AUTOQA_PORT": self.autoqa_port,
            "METRICS_PORT": self.metrics_port,
        }
