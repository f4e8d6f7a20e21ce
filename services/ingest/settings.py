"""Everything about ingest that an operator can set."""

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from services.ingest.language import DEFAULT_LANGUAGES, LanguageDetector
from shared.settings import KafkaSettings, ServiceSettings, read

_MAX_BODY_BYTES: Final = 4 * 1024 * 1024
_IMPORT_STATE_DIR: Final = Path(".local/import")


class IngestSettings(ServiceSettings):
    """Read from the environment with the prefix `INGEST_`."""

    model_config = SettingsConfigDict(env_prefix="INGEST_")

    port: int = 8081
    """TCP port of the HTTP server."""
    max_body_bytes: int = Field(default=_MAX_BODY_BYTES, ge=1024)
    """Largest webhook or single event taken in; longer ones get 413."""
    max_batch_bytes: int = Field(default=16 * 1024 * 1024, ge=1024)
    """Largest body of `POST /v1/events`, which may hold many events."""
    acknowledge_seconds: float = Field(default=4.0, gt=0)
    """So long the broker may take to acknowledge before a sender gets 503; helpdesks give up after 5 s."""
    default_tenant: str | None = None
    """The tenant of records on `ticket-events` that name none; without it they become dead letters."""
    languages: Annotated[tuple[str, ...], NoDecode] = DEFAULT_LANGUAGES
    """Languages told apart in messages: two-letter codes, separated by commas."""
    republish_seconds: float = Field(default=60.0, gt=0)
    """How often conversations that nobody scored are looked for and published again."""
    import_state_dir: Path = _IMPORT_STATE_DIR
    """Where `import` keeps how far it came."""

    @field_validator("languages", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split(",")) if isinstance(value, str) else value

    @field_validator("languages")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        LanguageDetector(value)
        return value


class ImportSettings(BaseSettings):
    """The part of the settings that importing files needs: the broker, no database."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="INGEST_", env_nested_delimiter="__", extra="ignore"
    )

    kafka: KafkaSettings = KafkaSettings()
    """The broker."""
    max_body_bytes: int = Field(default=_MAX_BODY_BYTES, ge=1024)
    """Largest line taken in; longer ones are skipped."""
    import_state_dir: Path = _IMPORT_STATE_DIR
    """Where is kept how far an import came."""

    @classmethod
    def load(cls) -> "ImportSettings":
        """Read the environment. Raises `Stop` with one line that names what is wrong or unknown."""
        IngestSettings.refuse_unknown()
        return read(cls)
