"""Alert rules and dashboard: as the table of metrics says, and about metrics that there are."""

from __future__ import annotations

import json
import re

import pytest
from ruamel.yaml import YAML

from docs.generator.metrics import sample
from docs.generator.monitoring import FILES
from pacefab.harness.cluster import REPOSITORY_ROOT
from pacefab.report import prometheus

FOLDER = REPOSITORY_ROOT / "docs" / "monitoring"
KNOWN = {metric.full_name for metric in prometheus.metrics(sample())}


@pytest.mark.parametrize("name", FILES)
def test_what_is_in_the_repository_is_what_is_made(name: str) -> None:
    assert (FOLDER / name).read_text() == FILES[name](), "run scripts/monitoring"


def test_rules_are_about_metrics_that_there_are() -> None:
    (group,) = YAML(typ="safe").load(FOLDER / "pacefab.rules.yaml")["groups"]
    rules = {rule["alert"]: rule for rule in group["rules"]}
    assert len(rules) == len(group["rules"])
    assert {"ClusterNotHealthy", "ServiceNotServing", "GaleraWritesPaused"} <= set(rules)
    named = {word for rule in rules.values() for word in re.findall(r"pacefab_\w+", rule["expr"])}
    assert named <= KNOWN
    assert "node {{ $labels.node }}" in rules["ServiceNotServing"]["annotations"]["summary"]


def test_the_dashboard_has_a_panel_for_every_figure() -> None:
    panels = json.loads((FOLDER / "pacefab.dashboard.json").read_text())["panels"]
    shown = {
        word for panel in panels for word in re.findall(r"pacefab_\w+", panel["targets"][0]["expr"])
    }
    assert shown == {name for name in KNOWN if not name.endswith("_info")}
    places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
    assert len(set(places)) == len(places)
    units = {panel["description"]: panel["fieldConfig"]["defaults"]["unit"] for panel in panels}
    assert units["pacefab_memcached_used_bytes"] == "bytes"
    assert units["pacefab_galera_flow_control_paused_ratio"] == "percentunit"
