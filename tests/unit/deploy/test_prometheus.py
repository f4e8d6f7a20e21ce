"""Prometheus reads our configuration, and the alerts fire when they should."""

from typing import Any

import pytest
import yaml

from tests.unit.deploy.promql import unknown
from tests.unit.deploy.tools import ROOT, assert_accepts

FOLDER = ROOT / "deploy/prometheus"


def _rules() -> list[dict[str, Any]]:
    files = [yaml.safe_load(path.read_text()) for path in sorted((FOLDER / "rules").glob("*.yml"))]
    return [rule for file in files for group in file["groups"] for rule in group["rules"]]


RULES = _rules()


def test_prometheus_accepts_its_configuration() -> None:
    """With the rules it names."""
    assert_accepts("promtool", "check", "config", FOLDER / "prometheus.yml")


def test_alerts_fire_and_stay_silent_as_their_tests_say() -> None:
    """Each with its labels and words."""
    assert_accepts("promtool", "test", "rules", *sorted((FOLDER / "tests").glob("*.yml")))


def test_every_alert_has_a_test() -> None:
    """Of its firing."""
    tested = {
        case["alertname"]
        for path in (FOLDER / "tests").glob("*.yml")
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test["alert_rule_test"]
        if case["exp_alerts"]
    }
    assert tested == {rule["alert"] for rule in RULES if "alert" in rule}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert", rule.get("record")))
def test_rules_name_only_series_that_the_services_export(rule: dict[str, Any]) -> None:
    """A renamed metric would silence its alert."""
    assert unknown(rule["expr"]) == []


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.get("alert", rule.get("record")))
def test_every_alert_says_how_urgent_it_is_and_what_to_do(rule: dict[str, Any]) -> None:
    """In its labels, its annotations and the operator's manual."""
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert f"`{rule['alert']}`" in (ROOT / "docs/operations.md").read_text()
