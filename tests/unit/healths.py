"""Healths as tests need them: of memcached's answers, and of the captured stack."""

from __future__ import annotations

from collections.abc import Mapping

from pacefab.pacemaker import monitor
from pacefab.services import registry
from pacefab.services.figures import Value
from pacefab.services.memcached import figures
from pacefab.services.memcached.probe import Answer
from pacefab.services.probes.probe import Probe, Reading
from pacefab.workflows.checks.health import Health, NodeHealth
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.checks.service_health import InstanceHealth, ServiceHealth
from tests.unit import captured


def result(reading: Reading, node: str, asker: str = "c2", at: str = "") -> ProbeResult:
    """Return what was read of a node's instance."""
    return ProbeResult(Probe("it serves", asker, (), lambda _: "", of=node, at=at), reading)


def memcached(answers: Mapping[str, Answer | None], state: str = "Started") -> ServiceHealth:
    """Return memcached by what its nodes said; None: it was not asked."""
    instances = []
    for node, answer in answers.items():
        place: dict[str, Value] = {"address": "192.0.2.11", "port": 11211}
        found = figures.read(answer) if answer and answer.served else {}
        said = [result(Reading(answer.error, {**place, **found}), node)] if answer else []
        instances.append(InstanceHealth("memcached", node, state, tuple(said)))
    return ServiceHealth("memcached", figures.FIGURES, tuple(instances))


def service(name: str, readings: Mapping[str, Reading], *resources: str) -> ServiceHealth:
    """Return a service whose instances said that, by node."""
    instances = tuple(
        InstanceHealth(resource, node, "Started", (result(reading, node),))
        for resource in resources or (name,)
        for node, reading in readings.items()
    )
    return ServiceHealth(name, registry.service(name).figures, instances)


def health(
    *services: ServiceHealth,
    cluster: str = "lab",
    monitored: str = "monitor-started.xml",
    kind: str = "debian12",
    reasons: tuple[str, ...] = (),
    notices: tuple[str, ...] = (),
) -> Health:
    """Return the health of a captured cluster with these services."""
    status = monitor.parse(captured.text(kind, monitored))
    nodes = tuple(NodeHealth(node.name, node.word, node.kind) for node in status.nodes)
    return Health(cluster, status, nodes, services, reasons, notices)
