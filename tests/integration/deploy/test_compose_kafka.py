"""The broker that docker-compose.yml describes starts, and takes our topics on both of its addresses."""

import re
from pathlib import Path

import yaml

from deploy.local.jars import KAFKA_VERSION
from deploy.local.ports import free_ports
from deploy.topics import TopicSettings, create, wanted
from shared.contracts import topics
from tests.integration.deploy.broker import running

COMPOSE = Path(__file__).parents[3] / "docker-compose.yml"


def _properties(folder: Path, ports: dict[str, int]) -> dict[str, str]:
    """What the image makes of its environment, with ports and folder of this test."""
    environment = yaml.safe_load(COMPOSE.read_text())["services"]["kafka"]["environment"]
    properties = {
        name.removeprefix("KAFKA_").lower().replace("_", "."): re.sub(
            r":(\d+)\b",
            lambda port: f":{ports.get(port[1], port[1])}",
            str(value).replace("kafka:", "localhost:"),
        )
        for name, value in environment.items()
        if name != "KAFKA_HEAP_OPTS"
    }
    return properties | {"log.dirs": str(folder / "data")}


async def test_the_broker_of_compose_serves_containers_and_this_machine(kafka: str, tmp_path: Path) -> None:
    """Inside by its name, outside on 127.0.0.1; topics made twice are made once."""
    assert kafka, "the jars are here"
    ports = dict(zip(("9092", "9093", "19092"), free_ports(3), strict=True))
    with running(_properties(tmp_path, ports), tmp_path, port=ports["9092"]):
        inside = TopicSettings(bootstrap_servers=f"localhost:{ports['9092']}")
        outside = TopicSettings(bootstrap_servers=f"127.0.0.1:{ports['19092']}")
        created = await create(inside, wanted(inside))
        assert set(created) == {*topics.ALL, *map(topics.dead_letters, topics.ALL)}
        assert await create(outside, wanted(outside)) == []


def test_the_image_is_of_the_version_that_is_tested() -> None:
    """The embedded broker and that of compose are one."""
    image = yaml.safe_load(COMPOSE.read_text())["services"]["kafka"]["image"]
    assert image == f"apache/kafka:{KAFKA_VERSION}"
