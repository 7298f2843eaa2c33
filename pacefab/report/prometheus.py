"""A cluster's health -> Prometheus' text format, for node_exporter's textfile collector.

Names follow Prometheus' conventions (naming: base units, _total on counters; exposition format
0.0.4). README documents them; names are added in later versions, never changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pacefab.pacemaker.model import ClusterStatus, Instance
from pacefab.report.health import BESIDE_NODES
from pacefab.workflows.checks.health import Health, NodeHealth, Verdict
from pacefab.workflows.checks.service_health import InstanceHealth, ServiceHealth

Labels = Mapping[str, str]


@dataclass(frozen=True)
class _Metric:
    name: str  # without the prefix
    kind: str  # gauge, counter
    help: str
    samples: Sequence[tuple[Labels, float]]


def render(health: Health) -> list[str]:
    """Return the lines; an instance that did not answer has no figures."""
    metrics = [
        *_cluster(health),
        *_nodes(health.nodes),
        *_resources(health.status),
        *_services(health.services),
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


def _services(services: Sequence[ServiceHealth]) -> Iterator[_Metric]:
    serving = [
        (
            {"service": service.name, "resource": instance.resource, "node": instance.node},
            float(service.serves(instance)),
        )
        for service in services
        for instance in service.instances
    ]
    text = "1 for an instance that Pacemaker runs and that answered every question"
    yield _Metric("service_serving", "gauge", text, serving)
    for service in services:
        yield from _service(service)


def _service(service: ServiceHealth) -> Iterator[_Metric]:
    """Yield a service's figures, of the instances that have them."""
    prefix = re.sub(r"[^a-zA-Z0-9_]", "_", service.name)
    if service.name == BESIDE_NODES:
        answers = [({"node": i.node}, float(i.answers)) for i in service.instances]
        text = "1 when memcached set and got a key that another node asked it for"
        yield _Metric(f"{prefix}_serving", "gauge", text, answers)
    own = [(_instance(service, instance), instance.figures) for instance in service.instances]
    texts = [figure.name for figure in service.figures if figure.kind == "info"]
    words = [
        ({**labels, **{name: f"{figures.get(name, '')}" for name in texts}}, 1.0)
        for labels, figures in own
        if any(name in figures for name in texts)
    ]
    yield _Metric(f"{prefix}_info", "gauge", f"What {service.name} says of itself in words", words)
    for figure in service.figures:
        if figure.exported and figure.kind != "info":
            values = [(n, float(f[figure.name])) for n, f in own if figure.name in f]
            yield _Metric(f"{prefix}_{figure.exported}", figure.kind, figure.help, values)


def _instance(service: ServiceHealth, instance: InstanceHealth) -> Labels:
    node = {"node": instance.node}
    return node if service.name == BESIDE_NODES else {"resource": instance.resource, **node}


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
