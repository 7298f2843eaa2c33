"""The alert rules, by Prometheus' own promtool: they fire on what hangs, and only then."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT
from pacefab.harness.engine import ensure_program
from pacefab.report import prometheus
from pacefab.services.probes.probe import Reading
from pacefab.workflows.checks.health import Health
from tests.unit import healths

RULES = REPOSITORY_ROOT / "docs" / "monitoring" / "pacefab.rules.yaml"
SERVICES = ("galera", "haproxy", "memcached", "redis")
PAUSED = {"flow_control_paused_ratio": 0.4}
_SAMPLE = re.compile(r"(\S+\{.*\}) (\S+)")
_TEST = """\
rule_files: [{rules}]
evaluation_interval: 1m
tests:
  - interval: 1m
    input_series:
{series}
    alert_rule_test:
{expected}
"""


@pytest.fixture(scope="module", autouse=True)
def promtool() -> None:
    """Have promtool."""
    ensure_program("promtool", package="prometheus")


def health(service: str, reading: Reading, *reasons: str) -> Health:
    """Return the health of a cluster one of whose services says that on its second node."""
    services = [
        healths.service(name, {"c1": Reading(), "c2": reading if name == service else Reading()})
        for name in SERVICES
    ]
    return healths.health(*services, reasons=reasons)


def check(found: Health, folder: Path, **expected: str) -> None:
    """Let promtool check what fires after five minutes: alerts by name, with the node."""
    lines = [_SAMPLE.fullmatch(line) for line in prometheus.render(found) if line[0] != "#"]
    series = [
        f"      - {{series: '{match[1]}', values: '{match[2]}x10'}}" for match in lines if match
    ]
    alerts = ["ServiceNotServing", "NodeNotOnline", "GaleraWritesPaused", "ClusterNoQuorum"]
    queries = [
        f"      - {{eval_time: 6m, alertname: {name}, exp_alerts: [{expected.get(name, '')}]}}"
        for name in alerts
    ]
    file = folder / "test.yaml"
    file.write_text(
        _TEST.format(rules=RULES, series="\n".join(series), expected="\n".join(queries))
    )
    done = subprocess.run(
        ["promtool", "test", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def fires(summary: str, **labels: str) -> str:
    """Return an alert as promtool expects it."""
    pairs = ", ".join(f"{name}: {value}" for name, value in {"cluster": "lab", **labels}.items())
    return f"{{exp_labels: {{{pairs}}}, exp_annotations: {{summary: '{summary}'}}}}"


def test_the_rules_are_rules() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", str(RULES)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_nothing_fires_on_a_healthy_cluster(tmp_path: Path) -> None:
    check(health("", Reading()), tmp_path)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_that_hangs_fires(tmp_path: Path, service: str) -> None:
    where = {"service": service, "resource": service, "node": "c2"}
    said = ", ".join(f"{name} {value}" for name, value in {"cluster": "lab", **where}.items())
    meaning = "1 for an instance that Pacemaker runs and that answered every question"
    hung = health(service, Reading("timed out after 2 s"), "it hangs")
    check(hung, tmp_path, ServiceNotServing=fires(f"{said}: {meaning}: 0", **where))


def test_writes_that_are_paused_fire(tmp_path: Path) -> None:
    where = {"resource": "galera", "node": "c2"}
    said = "cluster lab, resource galera, node c2"
    meaning = "Part of the time since the last FLUSH STATUS in which writes were paused"
    paused = health("galera", Reading("", PAUSED))
    check(paused, tmp_path, GaleraWritesPaused=fires(f"{said}: {meaning}: 0.4", **where))
