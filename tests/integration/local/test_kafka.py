"""The embedded broker: it starts, keeps its data, survives a crash, and says what is in its way."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.errors import StackError
from deploy.local.jars import class_path, locked
from deploy.local.kafka import Kafka
from deploy.local.ports import HOST, free_ports
from deploy.local.settings import LocalSettings
from tests.stack import CACHE, child_environment, new_topic, run_elsewhere


@pytest.fixture
def broker(kafka: str, tmp_path: Path) -> Iterator[Kafka]:
    """A broker of this test's own, not started yet; `kafka` has seen to the jars."""
    del kafka
    (port,) = free_ports(1)
    own = Kafka(data_dir=tmp_path / "kafka", port=port, log_file=tmp_path / "kafka.log", cache=CACHE)
    yield own
    own.stop()


async def send(bootstrap: str, topic: str, *values: bytes) -> None:
    """Send and wait for the acknowledgement."""
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            await producer.send_and_wait(topic, value)
    finally:
        await producer.stop()


async def read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    """The first values of a topic with one partition."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [(await consumer.getone()).value for _ in range(count)]
    finally:
        await consumer.stop()


def test_records_survive_a_stop_and_a_kill(broker: Kafka) -> None:
    """What was acknowledged is there after a clean restart, and after SIGKILL."""
    broker.start()
    topic = run_elsewhere(new_topic(broker.bootstrap))
    run_elsewhere(send(broker.bootstrap, topic, b"one"))
    broker.stop()
    broker.start()
    run_elsewhere(send(broker.bootstrap, topic, b"two"))
    broker.kill()
    broker.start()
    assert run_elsewhere(read(broker.bootstrap, topic, 2)) == [b"one", b"two"]


async def test_a_large_record_fits(kafka: str) -> None:
    """Topics take records of more than 4 MiB, as long mails need."""
    topic = await new_topic(kafka)
    producer = AIOKafkaProducer(bootstrap_servers=kafka, max_request_size=5 * 1024 * 1024)
    await producer.start()
    try:
        await producer.send_and_wait(topic, b"x" * (4 * 1024 * 1024 + 1024))
    finally:
        await producer.stop()


def test_an_occupied_port_is_named(broker: Kafka) -> None:
    """Another server on the port gives one line with the port and the setting."""
    with socket.socket() as other:
        other.bind((HOST, broker.port))
        other.listen()
        with pytest.raises(StackError, match=f"port {broker.port} for Kafka is in use.*KAFKA_PORT"):
            broker.start()


def test_a_broker_left_behind_is_stopped_first(broker: Kafka) -> None:
    """A second start on the same data ends the first one and goes on."""
    said: list[str] = []
    broker.start()
    second = Kafka(
        data_dir=broker.data_dir, port=broker.port, log_file=broker.log_file, cache=CACHE, say=said.append
    )
    try:
        second.start()
        first = broker.child
        assert first is not None
        assert first.wait(5)
        assert any("still runs" in line for line in said)
    finally:
        second.stop()


def test_an_empty_kafka_home_is_refused(tmp_path: Path) -> None:
    """KAFKA_HOME must hold a distribution."""
    with pytest.raises(StackError, match="KAFKA_HOME"):
        class_path(cache=tmp_path, kafka_home=tmp_path, repository="unused", say=lambda _: None)


def test_a_distribution_serves_in_place_of_the_jars(tmp_path: Path) -> None:
    """The jars of KAFKA_HOME are taken as they are."""
    (tmp_path / "libs").mkdir()
    jar = tmp_path / "libs" / "kafka_2.13-4.3.1.jar"
    jar.touch()
    found = class_path(cache=tmp_path, kafka_home=tmp_path, repository="unused", say=lambda _: None)
    assert found == [jar]


def test_a_mirror_without_the_jars_is_named(tmp_path: Path) -> None:
    """One line says what cannot be had, and what to set."""
    (port,) = free_ports(1)
    mirror = f"http://{HOST}:{port}"
    with pytest.raises(StackError, match=f"cannot be downloaded from {mirror}.*MAVEN_REPOSITORY"):
        class_path(cache=tmp_path, kafka_home=None, repository=mirror, say=lambda _: None)


def test_a_damaged_jar_is_not_used(kafka: str, tmp_path: Path) -> None:
    """A jar that is not what was locked counts as missing."""
    del kafka
    repository = LocalSettings().maven_repository
    jars = class_path(cache=CACHE, kafka_home=None, repository=repository, say=lambda _: None)
    assert len(jars) == len(locked())
    folder = tmp_path / "kafka" / jars[0].parent.name
    folder.mkdir(parents=True)
    for jar in jars:
        (folder / jar.name).symlink_to(jar)
    (folder / jars[0].name).unlink()
    (folder / jars[0].name).write_bytes(b"something else")
    with pytest.raises(StackError, match="cannot be downloaded"):
        class_path(cache=tmp_path, kafka_home=None, repository=f"http://{HOST}:9", say=lambda _: None)


def test_a_childs_environment_has_no_settings_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Services refuse what they do not know, and PG variables would lead elsewhere."""
    monkeypatch.setenv("INGEST_PORT", "1")
    monkeypatch.setenv("PGHOST", "elsewhere")
    assert child_environment({"METRICS_PORT": "2"}).keys() & {"INGEST_PORT", "PGHOST"} == set()
