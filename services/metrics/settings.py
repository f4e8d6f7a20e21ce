"""Everything about metrics that an operator can set."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.domain.kpi import FcrDefinition
from shared.settings import ServiceSettings


class MetricsSettings(ServiceSettings):
    """Read from the environment with the prefix `METRICS_`."""

    model_config = SettingsConfigDict(env_prefix="METRICS_")

    port: int = 8083
    """TCP port of the HTTP server."""
    fcr: FcrDefinition = FcrDefinition.NO_REOPEN
    """What the KPI `fcr` means; a change needs no recount."""
    gauge_teams: int = Field(default=20, ge=1, le=200)
    """So many teams of a tenant, the busiest, get Prometheus series of their own; the rest is `other`."""
    gauge_days: int = Field(default=30, ge=1, le=366)
    """The Prometheus gauges tell of conversations opened in the last so many days."""
    gauge_seconds: float = Field(default=30.0, ge=1)
    """How often the gauges are computed."""
    heartbeat_seconds: int = Field(default=15, ge=1)
    """How often a quiet event stream sends a comment, so that proxies keep it open."""
    stream_queue: int = Field(default=256, ge=1)
    """A listener that is so many events behind is disconnected."""
    stream_clients: int = Field(default=500, ge=1)
    """Event streams open at a time."""
    training_wait_seconds: float = Field(default=20.0, ge=0, le=60)
    """So long `POST /v1/categories` waits for the training before it answers 202."""
