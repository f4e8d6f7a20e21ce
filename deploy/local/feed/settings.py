"""The settings of the demo feed."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from deploy.local.settings import REPOSITORY


class FeedSettings(BaseSettings):
    """Read from the environment with the prefix `FEED_`."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="FEED_")

    env_file: Path = REPOSITORY / ".local" / "demo.env"
    """Where the address of ingest and the sources' ids and secrets are."""
    conversations: Path = REPOSITORY / "data" / "conversations"
    """Folder of JSON Lines files with the records to replay."""
    fast_seconds: float = 60.0
    """So long the feed runs fast, so that a newcomer sees something."""
    fast_per_second: float = 1.5
    """Conversations a second at first."""
    slow_per_second: float = 0.2
    """Conversations a second afterwards."""
    spread_seconds: float = 20.0
    """When slow, the webhooks of one conversation come over so long a time."""
    seed: int = 0
    """Of what is left to chance; 0 draws one."""
    total: int = 0
    """Stop after so many conversations; 0 goes on for ever."""
