"""A cluster's health -> Prometheus' text format, for node_exporter's textfile collector.

Names follow Prometheus' conventions (naming: base units, _total on counters; exposition format
0.0.4). README documents them; names are added in later versions, never changed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pacefab.pacemaker.nouns.status import ClusterStatus, Instance
from pacefab.report.health import BESIDE_NODES
from pacefab.report.stream import clean
from pacefab.services.figures import Alert
from pacefab.workflows.checks.health import Health, NodeHealth, Verdict
from pacefab.workflows.checks.service_health import InstanceHealth, ServiceHealth

Labels = Mapping[str, str]
_NO_QUORUM = Alert("ClusterNoQuorum", "== 0", minutes=2)
_FAILED = Alert("ClusterFailedActions", "> 0")


@dataclass(frozen=True)
class Metric:
    """A metric with its samples, and when it is to call somebody."""

    name: str  # without the prefix
    kind: str  # gauge, counter
    help: str
    samples: Sequence[tuple[Labels, float]]
    alert: Alert | None = None

    @property
    def full_name(self) -> str:
        """What Prometheus calls it."""
        return f"pacefab_{self.name}"


def render(health: Health) -> list[str]:
    """Return the lines; an instance that did not answer has no figures."""
    return render_metrics(metrics(health), health.cluster)


def metrics(health: Health) -> list[Metric]:
    """Return the metrics of a look."""
    return [
        *_cluster(health),
        *_nodes(health.nodes),
        *_resources(health.status),
        *_services(health.services),
    ]


def render_unknown() -> list[str]:
    """Return the lines when the state of the cluster is unknown."""
    return render_metrics([_verdict(Verdict.UNKNOWN)], cluster="")


def _verdict(verdict: Verdict) -> Metric:
    samples = [({"verdict": str(known)}, float(known is verdict)) for known in Verdict]
    alert = Alert("ClusterNotHealthy", '{verdict="healthy"} == 0', minutes=2)
    return Metric("cluster_verdict", "gauge", "1 for the verdict that holds", samples, alert)


def _cluster(health: Health) -> Iterator[Metric]:
    status = health.status
    failures = len(status.failures)
    yield _verdict(health.verdict)
    for name, text, value, alert in (
        ("reasons", "Reasons against healthy", len(health.reasons), None),
        ("quorum", "1 when the partition that was asked has quorum", status.quorum, _NO_QUORUM),
        ("maintenance", "1 in maintenance mode", status.maintenance, None),
        ("fencing", "1 when fencing is enabled", status.fencing, None),
        ("failed_actions", "Failed actions that Pacemaker remembers", failures, _FAILED),
    ):
        yield Metric(f"cluster_{name}", "gauge", text, [({}, float(value))], alert)


def _nodes(nodes: Sequence[NodeHealth]) -> Iterator[Metric]:
    online = [({"node": node.node}, float(node.pacemaker == "online")) for node in nodes]
    yield Metric(
        "node_online",
        "gauge",
        "1 for a node that Pacemaker calls online",
        online,
        Alert("NodeNotOnline", "== 0"),
    )


def _resources(status: ClusterStatus) -> Iterator[Metric]:
    instances = [
        (item.id, instance)
        for item in status.resources
        for instance in ((item,) if isinstance(item, Instance) else item.instances)
    ]
    roles = Counter((name, instance.role) for name, instance in instances)
    samples = [({"resource": n, "role": role}, float(count)) for (n, role), count in roles.items()]
    yield Metric("resource_instances", "gauge", "Instances of a resource by role", samples)
    failed = Counter({name: 0 for name, _ in instances})
    failed.update(name for name, each in instances if each.failed or each.blocked)
    bad = [({"resource": name}, float(count)) for name, count in failed.items()]
    text = "Instances that failed or are blocked"
    yield Metric("resource_failed", "gauge", text, bad, Alert("ResourceFailed", "> 0", minutes=2))


def _services(services: Sequence[ServiceHealth]) -> Iterator[Metric]:
    serving = [
        (
            {"service": service.name, "resource": instance.resource, "node": instance.node},
            float(service.serves(instance)),
        )
        for service in services
        for instance in service.instances
    ]
    text = "1 for an instance that Pacemaker runs and that answered every question"
    alert = Alert("ServiceNotServing", "== 0", minutes=2)
    yield Metric("service_serving", "gauge", text, serving, alert)
    for service in services:
        yield from _service(service)


def _service(service: ServiceHealth) -> Iterator[Metric]:
    """Yield a service's figures, of the instances that have them."""
    prefix = re.sub(r"[^a-zA-Z0-9_]", "_", service.name)
    if service.name == BESIDE_NODES:
        answers = [({"node": i.node}, float(i.answers)) for i in service.instances]
        text = "1 when memcached set and got a key that another node asked it for"
        yield Metric(f"{prefix}_serving", "gauge", text, answers)
    own = [(_instance(service, instance), instance.figures) for instance in service.instances]
    texts = [figure.name for figure in service.figures if figure.kind == "info"]
    words = [
        ({**labels, **{name: clean(f"{figures.get(name, '')}") for name in texts}}, 1.0)
        for labels, figures in own
        if any(name in figures for name in texts)
    ]
    yield Metric(f"{prefix}_info", "gauge", f"What {service.name} says of itself in words", words)
    for figure in service.figures:
        if figure.exported and figure.kind != "info":
            values = [(n, float(f[figure.name])) for n, f in own if figure.name in f]
            name = f"{prefix}_{figure.exported}"
            yield Metric(name, figure.kind, figure.help, values, figure.alert)


def _instance(service: ServiceHealth, instance: InstanceHealth) -> Labels:
    node = {"node": instance.node}
    return node if service.name == BESIDE_NODES else {"resource": instance.resource, **node}


def render_metrics(metrics: Sequence[Metric], cluster: str) -> list[str]:
    """Return the metrics that have samples; the cluster is a label of all of them."""
    lines: list[str] = []
    for metric in metrics:
        name = metric.full_name
        if metric.samples:
            lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        for labels, value in metric.samples:
            said = int(value) if value.is_integer() else value
            lines.append(f"{name}{{{_labels({'cluster': cluster, **labels})}}} {said}")
    return lines


def _labels(labels: Labels) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(value: str) -> str:
    return clean(value).replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
