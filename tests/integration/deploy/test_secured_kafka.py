"""Kafka behind TLS and passwords, as the settings promise."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local.ports import free_ports
from deploy.topics import TopicSettings, create, wanted
from shared.broker.kafka import Producer, consumer
from shared.broker.record import Outgoing
from shared.contracts import topics
from shared.errors import Transient
from shared.settings import KafkaSettings
from tests.integration.deploy.broker import running

_CA = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=test authority"]
_SIGN = ["x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
_KEY = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"]


def _certificates(folder: Path) -> Path:
    """An authority, and a key store of the broker's signed by it. The authority's certificate."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is missing, so no certificates can be made")

    def call(*arguments: str) -> None:
        subprocess.run([openssl, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603

    call(*_CA, "-keyout", "ca.key", "-out", "ca.pem")
    call(*_KEY, "-keyout", "key.pem", "-out", "request.pem")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    call(*_SIGN, "-extfile", "names", "-out", "certificate.pem")
    parts = ("key.pem", "certificate.pem", "ca.pem")
    (folder / "keystore.pem").write_text("".join((folder / part).read_text() for part in parts))
    return folder / "ca.pem"


@pytest.fixture(scope="module")
def secured(kafka: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    """How to reach a broker that lets in user `ours` over TLS only, with SCRAM."""
    assert kafka, "the jars are here"
    folder = tmp_path_factory.mktemp("secured")
    authority = _certificates(folder)
    port, controller = free_ports(2)
    login = "org.apache.kafka.common.security"
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@127.0.0.1:{controller}",
        "listeners": f"CLIENT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}",
        "advertised.listeners": f"CLIENT://localhost:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENT:SASL_SSL,CONTROLLER:PLAINTEXT",
        "inter.broker.listener.name": "CLIENT",
        "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
        "sasl.mechanism.inter.broker.protocol": "PLAIN",
        "listener.name.client.plain.sasl.jaas.config": f"{login}.plain.PlainLoginModule required "
        'username="broker" password="inner" user_broker="inner";',
        "listener.name.client.scram-sha-512.sasl.jaas.config": f"{login}.scram.ScramLoginModule required;",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(folder / "keystore.pem"),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(authority),
        "log.dirs": str(folder / "data"),
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "1",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "group.initial.rebalance.delay.ms": "0",
    }
    with running(properties, folder, port=port, scram_user="ours:right"):
        yield KafkaSettings.model_validate(
            {
                "bootstrap_servers": f"localhost:{port}",
                "security_protocol": "SASL_SSL",
                "sasl_mechanism": "SCRAM-SHA-512",
                "sasl_username": "ours",
                "sasl_password": "right",
                "ssl_ca_file": authority,
            }
        )


async def test_topics_records_and_consumers_pass_tls_and_scram(secured: KafkaSettings) -> None:
    """With the same settings for each."""
    made = TopicSettings.model_validate(secured.model_dump())
    await create(made, wanted(made))
    producer = Producer(secured, client_id="test")
    await producer.send([Outgoing(topic=topics.TICKET_EVENTS, key=b"k", value=b"told in confidence")])
    await producer.close()
    client = consumer(secured, group="test", client_id="test")
    client.subscribe([topics.TICKET_EVENTS])
    await client.start()
    try:
        async with asyncio.timeout(30):
            assert (await client.getone()).value == b"told in confidence"
    finally:
        await client.stop()


@pytest.mark.parametrize("wrong", [{"sasl_password": "wrong"}, {"ssl_ca_file": None}])
async def test_a_wrong_password_or_an_unknown_authority_gets_nowhere(
    secured: KafkaSettings, wrong: dict[str, str | None]
) -> None:
    """The sender is told to try later, and nothing is sent in clear."""
    settings = KafkaSettings.model_validate(secured.model_dump() | wrong)
    producer = Producer(settings, client_id="test", timeout=3.0)
    with pytest.raises(Transient):
        await producer.ping()
    await producer.close()
