"""A cluster's health -> Prometheus' text format, for node_exporter's textfile collector.

Names follow Prometheus' conventions (naming: base units, _total on counters; exposition format
0.0.4). README documents them; names are added in later versions, never changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pacefab.pacemaker.model import ClusterStatus, Instance
from pacefab.services.memcached.probe import Answer
from pacefab.workflows.checks.health import Health, NodeHealth, Verdict

Labels = Mapping[str, str]


@dataclass(frozen=True)
class _Metric:
    name: str  # without the prefix
    kind: str  # gauge, counter
    help: str
    samples: Sequence[tuple[Labels, float]]


def render(health: Health) -> list[str]:
    """Return the lines; a node whose memcached did not answer has no figures of it."""
    metrics = [
        *_cluster(health),
        *_nodes(health.nodes),
        *_resources(health.status),
        *_memcached(health.nodes),
    ]
    return _lines(metrics, health.cluster)


def render_unknown() -> list[str]:
    """Return the lines when the state of the cluster is unknown."""
    return _lines([_verdict(Verdict.UNKNOWN)], cluster="")


def _verdict(verdict: Verdict) -> _Metric:
    samples = [({"verdict": str(known)}, float(known is verdict)) for known in Verdict]
    return _Metric("cluster_verdict", "gauge", "1 for the verdict that holds", samples)


def _cluster(health: Health) -> Iterator[_Metric]:
    status = health.status
    yield _verdict(health.verdict)
    for name, text, value in (
        ("cluster_reasons", "Reasons against healthy", len(health.reasons)),
        ("cluster_quorum", "1 when the partition that was asked has quorum", status.quorum),
        ("cluster_maintenance", "1 in maintenance mode", status.maintenance),
        ("cluster_fencing", "1 when fencing is enabled", status.fencing),
        ("cluster_failed_actions", "Failed actions that Pacemaker remembers", len(status.failures)),
    ):
        yield _Metric(name, "gauge", text, [({}, float(value))])


def _nodes(nodes: Sequence[NodeHealth]) -> Iterator[_Metric]:
    online = [({"node": node.node}, float(node.pacemaker == "online")) for node in nodes]
    yield _Metric("node_online", "gauge", "1 for a node that Pacemaker calls online", online)


def _resources(status: ClusterStatus) -> Iterator[_Metric]:
    instances = [
        (item.id, instance)
        for item in status.resources
        for instance in ((item,) if isinstance(item, Instance) else item.instances)
    ]
    roles = Counter((name, instance.role) for name, instance in instances)
    samples = [({"resource": n, "role": role}, float(count)) for (n, role), count in roles.items()]
    yield _Metric("resource_instances", "gauge", "Instances of a resource by role", samples)
    failed = Counter({name: 0 for name, _ in instances})
    failed.update(name for name, each in instances if each.failed or each.blocked)
    bad = [({"resource": name}, float(count)) for name, count in failed.items()]
    yield _Metric("resource_failed", "gauge", "Instances that failed or are blocked", bad)


def _memcached(nodes: Sequence[NodeHealth]) -> Iterator[_Metric]:
    serving = [({"node": node.node}, float(node.answers)) for node in nodes]
    text = "1 when memcached set and got a key that another node asked it for"
    yield _Metric("memcached_serving", "gauge", text, serving)
    answers = {node.node: node.answer for node in nodes if node.answer and node.answer.served}
    versions = [
        ({"node": node, "version": answer.stats.get("version", "")}, 1.0)
        for node, answer in answers.items()
    ]
    yield _Metric("memcached_info", "gauge", "Version of memcached", versions)
    for name, kind, help_text, value in _FIGURES:
        samples = [({"node": node}, float(value(answer))) for node, answer in answers.items()]
        yield _Metric(f"memcached_{name}", kind, help_text, samples)


def _stat(name: str) -> Callable[[Answer], int]:
    return lambda answer: answer.number(name)


_FIGURES: tuple[tuple[str, str, str, Callable[[Answer], float]], ...] = (
    ("answer_seconds", "gauge", "Time of a set, a get and a delete", lambda answer: answer.seconds),
    ("uptime_seconds", "gauge", "Time since its start", _stat("uptime")),
    ("items", "gauge", "Items in the cache", _stat("curr_items")),
    ("used_bytes", "gauge", "Memory that items use", _stat("bytes")),
    ("limit_bytes", "gauge", "Memory that items may use", _stat("limit_maxbytes")),
    ("connections", "gauge", "Open connections", _stat("curr_connections")),
    ("evictions_total", "counter", "Items thrown out for lack of memory", _stat("evictions")),
    ("get_hits_total", "counter", "Gets that found their key", _stat("get_hits")),
    ("get_misses_total", "counter", "Gets that did not", _stat("get_misses")),
)


def _lines(metrics: Sequence[_Metric], cluster: str) -> list[str]:
    """Return the metrics that have samples; the cluster is a label of all of them."""
    lines: list[str] = []
    for metric in metrics:
        name = f"pacefab_{metric.name}"
        if metric.samples:
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        for labels, value in metric.samples:
            said = int(value) if value.is_integer() else value
            lines.append(f"{name}{{{_labels({'cluster': cluster, **labels})}}} {said}")
    return lines


def _labels(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
