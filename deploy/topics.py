"""Creates the topics and their dead letters: `python -m deploy.topics`. Safe to repeat.

Reads TOPICS_BOOTSTRAP_SERVERS and the other fields of the Kafka settings with the prefix TOPICS_, and
TOPICS_REPLICATION_FACTOR and TOPICS_PARTITIONS.
"""

import asyncio
import sys
from collections.abc import Sequence
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code
from pydantic import ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.broker.kafka import connection_options
from shared.contracts import topics
from shared.settings import KafkaSettings

_TIMEOUT: Final = 30.0
"""Seconds the broker has to answer."""


class TopicSettings(KafkaSettings, BaseSettings):
    """The broker, and how the topics are spread over it."""

    model_config = SettingsConfigDict(frozen=True, env_prefix="TOPICS_", extra="forbid")

    partitions: int = 6
    """Of each topic; more consumers than this stay idle."""
    replication_factor: int = 1
    """Copies of each partition; 3 in production."""
    dead_letter_retention_ms: int = 30 * 24 * 3600 * 1000
    """How long a dead letter can be replayed."""


def wanted(settings: TopicSettings) -> list[NewTopic]:
    """All topics with their dead letters."""
    limit = {"max.message.bytes": str(settings.max_message_bytes)}
    kept = {**limit, "retention.ms": str(settings.dead_letter_retention_ms)}
    return [
        topic
        for name in topics.ALL
        for topic in (
            NewTopic(name, settings.partitions, settings.replication_factor, topic_configs=limit),
            NewTopic(topics.dead_letters(name), 1, settings.replication_factor, topic_configs=kept),
        )
    ]


async def create(settings: KafkaSettings, new: Sequence[NewTopic]) -> list[str]:
    """Create what is missing and return those names; existing topics stay as they are.

    Raises KafkaError when the broker refuses one, TimeoutError when it does not answer.
    """
    async with asyncio.timeout(_TIMEOUT):
        admin = AIOKafkaAdminClient(**connection_options(settings))
        await admin.start()
        try:
            answer = await admin.create_topics(list(new))
        finally:
            await admin.close()
    created = []
    for name, code, *detail in answer.topic_errors:
        if code == 0:
            created.append(name)
        elif code != TopicAlreadyExistsError.errno:
            raise for_code(code)(f"{name}: {detail[0] if detail else ''}")
    return created


def main() -> int:
    """Create the topics of the environment's broker; 1 with one line on standard error when it cannot."""
    try:
        settings = TopicSettings()
        created = asyncio.run(create(settings, wanted(settings)))
    except (KafkaError, OSError, TimeoutError, ValidationError) as error:
        sys.stderr.write(f"topics cannot be created: {str(error) or type(error).__name__}\n")
        return 1
    sys.stdout.write(f"topics created: {', '.join(created) or 'none, all were there'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
