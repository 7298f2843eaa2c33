"""Metrics, read back by Prometheus' own parser."""

from __future__ import annotations

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families as parse

from pacefab.report import prometheus
from pacefab.services.memcached.probe import Answer
from pacefab.services.probes.probe import Reading
from pacefab.workflows.checks.health import Health
from tests.unit import healths

STATS = {"curr_items": "12", "get_hits": "3", "get_misses": "1", "version": "1.6.18",
         "limit_maxbytes": str(2**60 + 1)}  # fmt: skip
ANSWER = Answer(served=True, error="", seconds=0.0025, stats=STATS, settings={})
SILENT = Answer(served=False, error="timeout", seconds=2.0, stats={}, settings={})


def metrics(*, cluster: str = "lab") -> dict[str, Metric]:
    """Return what the parser reads of a cluster with one silent node."""
    service = healths.memcached({"c1": ANSWER, "c2": SILENT})
    return read(healths.health(service, cluster=cluster, reasons=("c2 is silent",)))


def read(health: Health) -> dict[str, Metric]:
    """Return what the parser reads, by name."""
    lines = prometheus.render(health)
    return {metric.name: metric for metric in parse("\n".join([*lines, ""]))}


def values(metric: Metric, *labels: str) -> dict[tuple[str, ...], float]:
    """Return a metric's values by some of its labels."""
    return {tuple(one.labels[label] for label in labels): one.value for one in metric.samples}


def test_the_verdict_is_one_of_three() -> None:
    found = values(metrics()["pacefab_cluster_verdict"], "cluster", "verdict")
    assert found == {("lab", "healthy"): 0, ("lab", "degraded"): 1, ("lab", "unknown"): 0}


def test_counters_and_gauges_are_distinguished_and_have_help() -> None:
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


def test_every_service_has_its_figures() -> None:
    queues = {"c1": Reading("", {"receive_queue": 3.0, "state": "Synced"}), "c2": Reading("away")}
    addresses = {"c1": Reading("", {"address": "192.0.2.101"})}
    found = read(
        healths.health(
            healths.service("galera", queues), healths.service("vips", addresses, "vip-db", "vip-x")
        )
    )
    assert values(found["pacefab_service_serving"], "service", "resource", "node") == {
        ("galera", "galera", "c1"): 1,
        ("galera", "galera", "c2"): 0,
        ("vips", "vip-db", "c1"): 1,
        ("vips", "vip-x", "c1"): 1,
    }
    assert values(found["pacefab_galera_receive_queue"], "node") == {("c1",): 3}
    assert values(found["pacefab_galera_info"], "node", "state") == {("c1", "Synced"): 1}
    assert len(found["pacefab_vips_info"].samples) == 2
    assert "pacefab_memcached_serving" not in found


def test_nothing_unprintable_that_a_service_says_is_exported() -> None:
    odd = {"c1": Reading("", {"version": "2.6\x1b[31m\x00"})}
    lines = prometheus.render(healths.health(healths.service("haproxy", odd)))
    assert any("pacefab_haproxy_info{" in line and "2.6" in line for line in lines)
    assert all(line.isprintable() for line in lines)


def test_any_name_of_a_cluster_is_read_back() -> None:
    name = 'a "quoted" \\ back\nslash'
    found = metrics(cluster=name)["pacefab_cluster_quorum"]
    assert values(found, "cluster") == {(name,): 1}


def test_unknown_is_a_verdict_too() -> None:
    (found,) = parse("\n".join([*prometheus.render_unknown(), ""]))
    assert values(found, "verdict") == {("healthy",): 0, ("degraded",): 0, ("unknown",): 1}
