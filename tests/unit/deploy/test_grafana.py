"""The provisioned dashboards are whole, and every query finds what it asks for."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.deploy.promql import unknown
from tests.unit.deploy.tools import ROOT, assert_accepts

FOLDER = ROOT / "deploy/grafana"
DASHBOARDS = {
    path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "dashboards").glob("*.json"))
}
DATASOURCES = yaml.safe_load((FOLDER / "provisioning/datasources/prometheus.yml").read_text())["datasources"]

each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS.values(), ids=DASHBOARDS.keys())


def _queries(dashboard: dict[str, Any]) -> list[str]:
    queries = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    queries += [note["expr"] for note in dashboard["annotations"]["list"]]
    for variable in dashboard["templating"]["list"]:
        asked = re.fullmatch(r"label_values\((.+), *(\w+)\)", variable["query"]["query"])
        assert asked, f"variable {variable['name']}"
        queries.append(f"count by ({asked[2]}) ({asked[1]})")
    return queries


def test_there_is_one_dashboard_for_the_pipeline_and_one_for_quality() -> None:
    """Each with an id of its own."""
    assert set(DASHBOARDS) == {"pipeline", "quality"}
    assert len({dashboard["uid"] for dashboard in DASHBOARDS.values()}) == len(DASHBOARDS)


@each_dashboard
def test_panels_have_ids_of_their_own_and_do_not_cover_each_other(dashboard: dict[str, Any]) -> None:
    """Grafana shows neither a message for the one nor for the other."""
    panels = dashboard["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    cells = Counter(
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    )
    assert max(cells.values()) == 1
    assert max(x for x, _ in cells) < 24


@each_dashboard
def test_panels_say_what_they_show_and_ask_the_provisioned_source(dashboard: dict[str, Any]) -> None:
    """A person who opens the page first must be able to read it."""
    sources = {source["uid"] for source in DATASOURCES}
    for panel in dashboard["panels"]:
        if panel["type"] != "row":
            assert panel["description"], panel["title"]
            assert panel["targets"], panel["title"]
            assert {target["datasource"]["uid"] for target in panel["targets"]} <= sources


@each_dashboard
def test_queries_name_only_series_that_the_services_export(dashboard: dict[str, Any]) -> None:
    """A renamed metric would leave an empty panel."""
    assert {query: wrong for query in _queries(dashboard) if (wrong := unknown(query))} == {}


@each_dashboard
def test_prometheus_can_parse_every_query(dashboard: dict[str, Any], tmp_path: Path) -> None:
    """With Grafana's variables filled in."""
    rules = tmp_path / "rules.yml"
    filled = [re.sub(r"\$\w+", "5m", query) for query in _queries(dashboard)]
    group = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(filled)]
    rules.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": group}]}))
    assert_accepts("promtool", "check", "rules", rules)


def test_dashboards_are_provisioned_from_where_compose_mounts_them() -> None:
    """And the home page is one of them."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in compose["volumes"])
    provider = yaml.safe_load((FOLDER / "provisioning/dashboards/pruefstein.yml").read_text())["providers"][0]
    assert mounts["./deploy/grafana/dashboards"] == provider["options"]["path"]
    home = compose["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert Path(home).parent == Path(provider["options"]["path"])
    assert Path(home).stem in DASHBOARDS
