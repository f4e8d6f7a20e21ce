"""What `docker compose up` would start; no engine is needed to see that it is well-formed and safe."""

import importlib
import os
import re
from typing import Any

import pytest
import yaml

from tests.unit.deploy.tools import ROOT, assert_accepts

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("ingest", "autoqa", "metrics")
SETUP = ("migrate", "topics")
SETTINGS = {
    "ingest": ("services.ingest.settings", "IngestSettings"),
    "autoqa": ("services.autoqa.settings", "AutoqaSettings"),
    "metrics": ("services.metrics.settings", "MetricsSettings"),
    "migrate": ("deploy.migrate", "MigrateSettings"),
    "topics": ("deploy.topics", "TopicSettings"),
}


def test_the_file_follows_the_compose_specification() -> None:
    """Typos in keys are refused."""
    assert_accepts("check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml")


def test_yaml_is_tidy() -> None:
    """Of compose, Prometheus and Grafana."""
    assert_accepts(
        "yamllint", "--strict", "--config-file", "deploy/yamllint.yml", "docker-compose.yml", "deploy"
    )


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned(name: str) -> None:
    """To a release, never to `latest` or a major version alone."""
    tag = SERVICES[name]["image"].partition(":")[2]
    assert re.match(r"v?\d+\.\d+(\.\d+)?|\$\{PRUEFSTEIN_VERSION:-\d+\.\d+\.\d+\}", tag)


@pytest.mark.parametrize("name", SETTINGS)
def test_every_variable_is_a_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The containers would end at once over a name they do not know."""
    for variable in os.environ:
        if variable.startswith(f"{name.upper()}_"):
            monkeypatch.delenv(variable)
    for variable, value in SERVICES[name]["environment"].items():
        monkeypatch.setenv(variable, re.sub(r"\$\{\w+:-(.*?)\}|\$\{.*?\}", r"\1", value) or "secret")
    module, settings = SETTINGS[name]
    kind = getattr(importlib.import_module(module), settings)
    loaded = kind.load() if hasattr(kind, "load") else kind()
    if hasattr(loaded, "database"):
        assert (loaded.database.host, loaded.database.port) == ("postgres", 5432)


def test_migrations_give_the_passwords_that_the_services_use() -> None:
    """From the same variables of .env."""
    migrate = SERVICES["migrate"]["environment"]
    for name in OURS:
        prefix = name.upper()
        assert (
            migrate[f"MIGRATE_{prefix}_PASSWORD"]
            == SERVICES[name]["environment"][f"{prefix}_DATABASE__PASSWORD"]
        )


def test_env_example_names_every_variable_that_must_be_set_and_holds_no_secret() -> None:
    """So that a forgotten one is refused by compose, not defaulted."""
    example = dict(
        line.split("=", 1)
        for line in (ROOT / ".env.example").read_text().splitlines()
        if line and not line.startswith("#")
    )
    required = set(re.findall(r"\$\{(\w+):\?", (ROOT / "docker-compose.yml").read_text()))
    assert required == {name for name, value in example.items() if not value}


@pytest.mark.parametrize("name", OURS + SETUP)
def test_our_containers_can_change_nothing_but_tmp(name: str) -> None:
    """Read-only root, no capabilities, no new privileges."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "privileged" not in service


@pytest.mark.parametrize("name", OURS)
def test_services_wait_for_migrations_and_topics(name: str) -> None:
    """Which must have succeeded."""
    waits = {other: how["condition"] for other, how in SERVICES[name]["depends_on"].items()}
    assert waits == dict.fromkeys(SETUP, "service_completed_successfully")


@pytest.mark.parametrize("name", [name for name in SERVICES if name not in OURS + SETUP])
def test_what_is_not_ours_has_a_health_check(name: str) -> None:
    """Ours have theirs in the image."""
    assert SERVICES[name]["healthcheck"]["test"]


def test_nothing_listens_beyond_this_machine_unless_told() -> None:
    """No port is published on all addresses by default."""
    for name, service in SERVICES.items():
        for port in service.get("ports", []):
            assert port.startswith(("127.0.0.1:", "${BIND_ADDRESS:-127.0.0.1}:")), name


def test_prometheus_scrapes_the_ports_of_the_services() -> None:
    """By the names that compose gives them."""
    config = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    for job in config["scrape_configs"]:
        [target] = job["dns_sd_configs"]
        assert target["names"] == [job["job_name"]]
        [published] = SERVICES[job["job_name"]]["ports"]
        assert published.endswith(f":{target['port']}")
