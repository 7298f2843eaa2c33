"""Metrics, read back by Prometheus' own parser."""

from __future__ import annotations

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families as parse

from pacefab.pacemaker import monitor
from pacefab.report import prometheus
from pacefab.services.memcached.probe import Answer, Target
from pacefab.workflows.checks.health import Health, NodeHealth
from tests.unit import captured

STATS = {"curr_items": "12", "get_hits": "3", "get_misses": "1", "version": "1.6.18",
         "limit_maxbytes": str(2**60 + 1)}  # fmt: skip
ANSWER = Answer(served=True, error="", seconds=0.0025, stats=STATS, settings={})
SILENT = Answer(served=False, error="timeout", seconds=2.0, stats={}, settings={})


def metrics(*, cluster: str = "lab") -> dict[str, Metric]:
    """Return what the parser reads of a cluster with one silent node."""
    status = monitor.parse(captured.text("debian12", "monitor-started.xml"))
    nodes = tuple(
        NodeHealth(name, "online", "Started", Target(name, f"10.0.0.{n}", 11211), "c1", answer)
        for n, (name, answer) in enumerate({"c1": ANSWER, "c2": SILENT}.items())
    )
    health = Health(cluster, status, nodes, has_memcached=True, reasons=("c2 is silent",))
    lines = prometheus.render(health)
    return {metric.name: metric for metric in parse("\n".join([*lines, ""]))}


def values(metric: Metric, *labels: str) -> dict[tuple[str, ...], float]:
    """Return a metric's values by some of its labels."""
    return {tuple(one.labels[label] for label in labels): one.value for one in metric.samples}


def test_the_verdict_is_one_of_three() -> None:
    found = values(metrics()["pacefab_cluster_verdict"], "cluster", "verdict")
    assert found == {("lab", "healthy"): 0, ("lab", "degraded"): 1, ("lab", "unknown"): 0}


def test_counters_and_gauges_are_told_apart_and_have_help() -> None:
    found = metrics()
    counters = {name for name, metric in found.items() if metric.type == "counter"}
    assert counters == {f"pacefab_memcached_{x}" for x in ("evictions", "get_hits", "get_misses")}
    assert all(metric.type in {"counter", "gauge"} for metric in found.values())
    assert all(metric.documentation for metric in found.values())


def test_a_silent_node_has_no_figures_and_is_not_serving() -> None:
    found = metrics()
    assert values(found["pacefab_memcached_serving"], "node") == {("c1",): 1, ("c2",): 0}
    assert values(found["pacefab_memcached_items"], "node") == {("c1",): 12}
    assert values(found["pacefab_memcached_get_hits"], "node") == {("c1",): 3}
    assert values(found["pacefab_memcached_answer_seconds"], "node") == {("c1",): 0.0025}
    assert values(found["pacefab_memcached_limit_bytes"], "node") == {("c1",): float(2**60 + 1)}
    assert values(found["pacefab_memcached_info"], "node", "version") == {("c1", "1.6.18"): 1}


def test_resources_are_counted_by_role() -> None:
    found = values(metrics()["pacefab_resource_instances"], "resource", "role")
    assert found == {("memcached-clone", "Started"): 3}
    assert values(metrics()["pacefab_resource_failed"], "resource") == {("memcached-clone",): 0}


def test_any_name_of_a_cluster_is_read_back() -> None:
    name = 'a "quoted" \\ back\nslash'
    found = metrics(cluster=name)["pacefab_cluster_quorum"]
    assert values(found, "cluster") == {(name,): 1}


def test_unknown_is_a_verdict_too() -> None:
    (found,) = parse("\n".join([*prometheus.render_unknown(), ""]))
    assert values(found, "verdict") == {("healthy",): 0, ("degraded",): 0, ("unknown",): 1}
