"""Settings are read from the environment, and refused where nobody would notice a typo."""

import pytest
from pydantic_settings import SettingsConfigDict

from shared.errors import Stop
from shared.settings import KafkaSettings, ServiceSettings


class Example(ServiceSettings):
    """A service's settings."""

    model_config = SettingsConfigDict(env_prefix="EXAMPLE_")
    port: int = 1


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What every service needs."""
    monkeypatch.setenv("EXAMPLE_DATABASE__USER", "someone")
    monkeypatch.setenv("EXAMPLE_DATABASE__PASSWORD", "s3cret")


def test_nested_settings_are_spelt_with_two_underscores(monkeypatch: pytest.MonkeyPatch) -> None:
    """As INGEST_KAFKA__BOOTSTRAP_SERVERS."""
    monkeypatch.setenv("EXAMPLE_KAFKA__BOOTSTRAP_SERVERS", "broker:9092")
    monkeypatch.setenv("EXAMPLE_DATABASE__PORT", "5433")
    settings = Example.load()
    assert settings.kafka.bootstrap_servers == "broker:9092"
    assert settings.database.port == 5433


def test_the_address_that_clients_use_may_stand_in_the_same_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever exported demo.env can still run the services' command lines."""
    monkeypatch.setenv("EXAMPLE_URL", "http://127.0.0.1:8081")
    assert Example.load().port == 1


@pytest.mark.parametrize("name", ["EXAMPLE_PROT", "EXAMPLE_KAFKA__BOOTSTRAP", "EXAMPLE_KAFKAS__X"])
def test_unknown_settings_are_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """A typo would otherwise fall back to a default in silence."""
    monkeypatch.setenv(name, "1")
    with pytest.raises(Stop, match=name):
        Example.load()


def test_a_wrong_value_is_named_but_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values may be secrets."""
    monkeypatch.setenv("EXAMPLE_DATABASE__PORT", "not-a-port")
    with pytest.raises(Stop, match="EXAMPLE_DATABASE__PORT") as raised:
        Example.load()
    assert "not-a-port" not in raised.value.detail


def test_passwords_do_not_show() -> None:
    """Neither in logs nor in tracebacks."""
    assert "s3cret" not in repr(Example.load())


@pytest.mark.parametrize(
    ("protocol", "has_tls"),
    [("PLAINTEXT", False), ("SASL_PLAINTEXT", False), ("SSL", True), ("SASL_SSL", True)],
)
def test_tls_follows_the_security_protocol(protocol: str, has_tls: bool) -> None:
    """SASL alone does not mean TLS."""
    settings = KafkaSettings.model_validate({"security_protocol": protocol})
    assert (settings.ssl_context() is not None) == has_tls
