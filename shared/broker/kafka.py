"""Apache Kafka through aiokafka; nothing outside this package imports the client."""

import asyncio
from collections.abc import Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from shared.broker.record import Outgoing
from shared.errors import TooLarge, Transient
from shared.settings import KafkaSettings


def connection_options(settings: KafkaSettings) -> dict[str, Any]:
    """What producer, consumer and admin client share."""
    password = settings.sasl_password
    return {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
        "ssl_context": settings.ssl_context(),
        "sasl_mechanism": settings.sasl_mechanism,
        "sasl_plain_username": settings.sasl_username,
        "sasl_plain_password": password.get_secret_value() if password else None,
    }


class Producer:
    """Idempotent, acknowledged by all in-sync replicas."""

    def __init__(self, settings: KafkaSettings, *, client_id: str, timeout: float = 10.0) -> None:
        """`timeout` in seconds bounds one send, retries included."""
        self._settings = settings
        self._client_id = client_id
        self._timeout = timeout
        self._client: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()

    async def send(self, records: Sequence[Outgoing]) -> None:
        """Return once the broker acknowledged every record.

        Raises `TooLarge` for a record over the limit, `Transient` when the broker does not acknowledge in
        time; then some may have arrived, so consumers must be idempotent.
        """
        try:
            async with asyncio.timeout(self._timeout):
                client = await self._started()
                sent = [
                    await client.send(
                        record.topic, value=record.value, key=record.key, headers=list(record.headers)
                    )
                    for record in records
                ]
                # A webhook sends one record, and gathering it costs as much as sending it.
                await (sent[0] if len(sent) == 1 else asyncio.gather(*sent))
        except MessageSizeTooLargeError as error:
            raise TooLarge("the record is over the broker's limit") from error
        except (KafkaError, OSError, TimeoutError) as error:
            raise Transient("the broker does not acknowledge", reason="broker") from error

    async def ping(self) -> None:
        """Raises `Transient` when the broker does not answer."""
        try:
            async with asyncio.timeout(3):
                client = await self._started()
                await client.client.fetch_all_metadata()
        except (KafkaError, OSError, TimeoutError) as error:
            raise Transient("the broker does not answer", reason="broker") from error

    async def close(self) -> None:
        """Flush and disconnect."""
        if self._client is not None:
            await self._client.stop()
            self._client = None

    async def _started(self) -> AIOKafkaProducer:
        """Connect at first use: a service starts, and answers 503, while the broker is away."""
        if self._client is not None:
            return self._client
        async with self._starting:
            if self._client is None:
                client = AIOKafkaProducer(
                    **connection_options(self._settings),
                    client_id=self._client_id,
                    acks="all",
                    enable_idempotence=True,
                    linger_ms=0,
                    max_request_size=self._settings.max_message_bytes,
                    request_timeout_ms=int(self._timeout * 1000),
                    compression_type="lz4",
                )
                try:
                    await client.start()
                except BaseException:
                    await client.stop()
                    raise
                self._client = client
        return self._client


def consumer(settings: KafkaSettings, *, group: str, client_id: str) -> AIOKafkaConsumer:
    """A consumer that commits only what it is told to, from the earliest record on."""
    return AIOKafkaConsumer(
        **connection_options(settings),
        group_id=group,
        client_id=client_id,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        session_timeout_ms=settings.session_timeout_ms,
        heartbeat_interval_ms=settings.session_timeout_ms // 5,
        # While the database is away nothing is polled; the heartbeat alone says that we live.
        max_poll_interval_ms=86_400_000,
        rebalance_timeout_ms=60_000,
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=settings.max_message_bytes,
        isolation_level="read_committed",
    )
