"""Everything about autoqa that an operator can set."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.autoqa.policy import Policy
from shared.settings import ServiceSettings, read


class ModelSettings(BaseModel):
    """The message model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runtime: Literal["onnx", "torch"] = "onnx"
    """ONNX Runtime on the CPU, or torch on CPU or GPU."""
    folder: Path | None = None
    """Weights of your own; the shipped ones when absent."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where torch computes."""
    threads: int = Field(default=2, ge=1, le=64)
    """Cores that the model uses at most."""
    pass_tokens: int = Field(default=2048, ge=512)
    """Tokens given to the model at once: more is a little faster, and a fresh message waits longer."""
    max_queued_messages: int = Field(default=20_000, ge=100)
    """So many messages may wait for the model before `POST /v1/score` answers 503."""


class BatchSettings(BaseModel):
    """How much is taken from the topic at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_records: int = Field(default=100, ge=1, le=10_000)
    """Records in a batch."""
    wait_ms: int = Field(default=20, ge=1, le=5000)
    """A batch closes when nothing more arrived for this long."""
    messages_at_once: int = Field(default=2000, ge=1)
    """Messages held in memory at once, unless a single conversation has more."""
    messages_of_one: int = Field(default=1000, ge=10)
    """The newest messages of a conversation that are read."""
    replayed_at_once: int = Field(default=50, ge=1, le=1000)
    """Past conversations in one step of a replay: live ones come in between."""


class AutoqaSettings(ServiceSettings):
    """Read from the environment with the prefix `AUTOQA_`."""

    model_config = SettingsConfigDict(env_prefix="AUTOQA_")

    port: int = 8082
    """TCP port of the HTTP server."""
    model: ModelSettings = ModelSettings()
    """The message model."""
    batch: BatchSettings = BatchSettings()
    """Bounds of the consumer."""
    policy: Policy = Policy()
    """Thresholds of ratings and flags."""
    sweep_every: timedelta = timedelta(minutes=1)
    """How often conversations are looked for that time alone has changed."""
    max_body_bytes: int = Field(default=4 * 1024 * 1024, ge=1024)
    """Largest body of `POST /v1/score`; longer ones get 413."""


class ScoreSettings(BaseSettings):
    """The part of the settings that rating files needs: neither broker nor database."""

    model_config = SettingsConfigDict(
        frozen=True, env_prefix="AUTOQA_", env_nested_delimiter="__", extra="ignore"
    )

    model: ModelSettings = ModelSettings()
    """The message model."""
    policy: Policy = Policy()
    """Thresholds of ratings and flags."""


def load_score_settings(*, runtime: Literal["onnx", "torch"] | None) -> ScoreSettings:
    """Read the environment, `runtime` first. Raises `Stop` with one line that names what is wrong."""
    settings = read(ScoreSettings)
    if runtime is None:
        return settings
    return settings.model_copy(update={"model": settings.model.model_copy(update={"runtime": runtime})})
