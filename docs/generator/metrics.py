"""The metrics of `status` and `verify-fencing`: samples', rendered by the code that exports them.

Its services are pacefab's own, each with all the figures of its description.
"""

from __future__ import annotations

import re

from docs.generator.markdown import code, escape, table
from pacefab.pacemaker import monitor
from pacefab.pacemaker.fencing.asking import FenceAnswer, FenceQuestion
from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.model import Primitive
from pacefab.report import prometheus
from pacefab.report.fencing import metrics as fencing
from pacefab.services import registry
from pacefab.services.probes.probe import Probe, Reading
from pacefab.workflows.checks.fencing import FencedNode, FencingVerification
from pacefab.workflows.checks.health import Health, NodeHealth
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.checks.service_health import InstanceHealth, ServiceHealth

_SAMPLE = """\
<pacemaker-result><summary><current_dc present="true" with_quorum="true" name="c1"/>
<cluster_options stonith-enabled="false" maintenance-mode="false"/></summary>
<nodes><node name="c1" id="1" online="true" standby="false" maintenance="false" type="member"/>
</nodes><resources><clone id="memcached-clone" multi_state="false" managed="true">
<resource id="memcached" resource_agent="systemd:memcached" role="Started" active="true"
 managed="true" failed="false" blocked="false"><node name="c1" id="1"/></resource>
</clone></resources></pacemaker-result>"""
_LABEL = re.compile(r'(\w+)="')


def render() -> str:
    """Return a table of all metrics."""
    metrics: dict[str, tuple[str, str]] = {}  # name: kind, help
    labels: dict[str, list[str]] = {}
    for line in _lines():
        match line.split(" ", 3):
            case ["#", "HELP", name, text]:
                metrics[name] = ("", text)
            case ["#", "TYPE", name, kind]:
                metrics[name] = (kind, metrics[name][1])
            case _:
                labels.setdefault(line.partition("{")[0], _LABEL.findall(line.partition("}")[0]))
    rows = (
        (code(name), kind, ", ".join(map(code, labels[name])), escape(text))
        for name, (kind, text) in metrics.items()
    )
    return table(("Metric", "Type", "Labels", "Value"), rows)


def _lines() -> list[str]:
    return [*prometheus.render(sample()), *fencing.render_prometheus(_fencing())]


def _fencing() -> FencingVerification:
    """Return a verification of a cluster with one device."""
    device = FenceDevice(Primitive("fence-c1", "stonith:fence_ipmilan"))
    answer = FenceAnswer(FenceQuestion(device, "c1", "status", "c1"), 0)
    node = FencedNode("c1", ("fence-c1",), seconds=68.0)
    return FencingVerification("fencing", "demo", (), (), (node,), (answer,))


def sample() -> Health:
    """Return the health of a cluster that has every service, with all its figures."""
    services = tuple(map(_service, registry.names()))
    node = NodeHealth("c1", "online")
    return Health("demo", monitor.parse(_SAMPLE), (node,), services, reasons=())


def _service(name: str) -> ServiceHealth:
    service = registry.service(name)
    words = {figure.name: "x" for figure in service.figures if figure.kind == "info"}
    figures = {figure.name: 1.0 for figure in service.figures} | words
    result = ProbeResult(Probe("", "c1", (), lambda _: "", of="c1"), Reading("", figures))
    return ServiceHealth(name, service.figures, (InstanceHealth(name, "c1", "Started", (result,)),))
