"""A cluster's health -> one screen of text, or JSON for programs."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from pacefab.errors import PacefabError
from pacefab.report import classic
from pacefab.report.stream import json_text
from pacefab.report.table import table
from pacefab.report.text import error_style, render_error
from pacefab.services.figures import Value
from pacefab.workflows.checks.health import Health, NodeHealth, Verdict
from pacefab.workflows.checks.probing import ProbeResult
from pacefab.workflows.checks.service_health import InstanceHealth, ServiceHealth

_MEMBER = "member"
BESIDE_NODES = "memcached"  # the service whose columns stand in the table of the nodes
_STYLES = (
    ("healthy:", "green"),
    ("degraded:", "red"),
    ("unknown:", "red"),
    ("notice:", "yellow"),
)  # by how a line begins


def render_text(health: Health, width: int | None = None, *, watched: bool = False) -> list[str]:
    """Return resources, a table of the nodes and of each service, and the verdict with its reasons.

    The verdict comes last, as on a terminal that scrolls; where it is `watched` first, as on a
    screen that cuts off what does not fit.
    """
    notices = [f"notice: {notice}" for notice in health.notices]
    resources = [
        f"cluster {health.cluster}",
        *classic.render(health.status),
        *classic.render_devices(health.devices),
    ]
    tables = list(_tables(health, width))
    if watched:
        verdict = [*_verdict(health), *_next(health), *notices]
        return [*verdict, *tables, "", *resources]
    return [*resources, *tables, "", *notices, *_verdict(health), *_next(health)]


def render_unknown(error: PacefabError, *, watched: bool = False) -> list[str]:
    """Return why the cluster's state is unknown, in the same order."""
    verdict = [f"{Verdict.UNKNOWN}: no host could report the state of the cluster"]
    return [*verdict, *render_error(error)] if watched else [*render_error(error), *verdict]


def style(line: str) -> str:
    """Return the colour of a line: the verdict, notices and errors have one."""
    found = (colour for begin, colour in _STYLES if line.startswith(begin))
    return next(found, error_style(line))


def _tables(health: Health, width: int | None) -> Iterator[str]:
    """Yield a table of the nodes, then one of each service, each with an empty line before it."""
    beside = health.service(BESIDE_NODES)
    rows = [(node.node, _state(node), *_beside(beside, node)) for node in health.nodes]
    headings = _headings(beside) if beside else ()
    yield from ("", *table(("node", "Pacemaker", *headings), rows, width))
    for service in health.services:
        if service is not beside and service.exists:
            yield from ("", *table(_headings(service, "Pacemaker"), _rows(service), width))


def _state(node: NodeHealth) -> str:
    return node.pacemaker if node.kind == _MEMBER else f"{node.pacemaker}, {node.kind}"


def _headings(service: ServiceHealth, *others: str) -> tuple[str, ...]:
    columns = [figure.column for figure in service.figures if figure.column]
    return (service.name, *others, "answers", *([] if service.several else columns))


def _beside(service: ServiceHealth | None, node: NodeHealth) -> tuple[str, ...]:
    if service is None:
        return ()
    none = ("-",) * len(_headings(service))
    return next((_cells(service, instance) for instance in service.on(node.node)), none)


def _rows(service: ServiceHealth) -> list[tuple[str, ...]]:
    """Return a row for each node; of a service of several resources with how many are there."""
    nodes = dict.fromkeys(instance.node for instance in service.instances if instance.node)
    if service.several:
        return [(node, *_counted(service.on(node))) for node in sorted(nodes)]
    return [(node, *_cells(service, service.on(node)[0])) for node in nodes]


def _counted(instances: Sequence[InstanceHealth]) -> tuple[str, str]:
    wrong = [instance for instance in instances if not (instance.runs and instance.answers)]
    names = ", ".join(instance.resource for instance in wrong)
    return f"{len(instances)} Started", f"no: {names}" if names else "yes"


def _cells(service: ServiceHealth, instance: InstanceHealth) -> tuple[str, ...]:
    figures = instance.figures
    shown = [figure.text(figures) for figure in service.figures if figure.column]
    return (instance.state, answer_of(instance), *shown)


def answer_of(instance: InstanceHealth) -> str:
    """Return whether an instance answers, as a cell of a table has it."""
    if not instance.results:
        return "not asked"
    if instance.wrong:
        return f"no: {instance.wrong[0].wrong}"
    seconds = instance.figures.get("answer_seconds")
    return "yes" if seconds is None else f"yes, {float(seconds) * 1000:.0f} ms"


def _verdict(health: Health) -> list[str]:
    if health.verdict is Verdict.HEALTHY:
        return [f"healthy: {'; '.join(_served(health)) or 'every resource runs'}"]
    first, *others = health.reasons
    return [f"{health.verdict}: {first}", *(f"          {reason}" for reason in others)]


def _served(health: Health) -> Iterator[str]:
    """Yield on how many nodes services serve, those of one number together, then the others."""
    alike: dict[tuple[int, int], list[str]] = {}
    others: list[str] = []
    for service in health.services:
        count, total = sum(map(service.serves, service.instances)), len(service.instances)
        if service.several:
            others.append(f"{count} of {total} {service.name} answer")
        elif service.exists:
            alike.setdefault((count, total), []).append(service.name)
    for (count, total), names in alike.items():
        verb = "serves" if len(names) == 1 else "serve"
        yield f"{', '.join(names)} {verb} on {count} of {total} nodes"
    yield from others


def _next(health: Health) -> list[str]:
    """Return what to do about failures: Pacemaker remembers them when their cause is gone."""
    resources = dict.fromkeys(f.resource.partition(":")[0] for f in health.status.failures)
    once = "next: once the cause is fixed, have Pacemaker try again: pcs resource cleanup"
    return [f"{once} {resource}" for resource in resources]


def render_json(health: Health) -> str:
    """Return the shape that the reference documents; keys are added later, never renamed."""
    status = health.status
    return _dump(
        {
            "cluster": health.cluster,
            "verdict": str(health.verdict),
            "reasons": list(health.reasons),
            "notices": list(health.notices),
            "quorum": status.quorum,
            "maintenance": status.maintenance,
            "fencing": status.fencing,
            "last_fenced": dict(health.last_fenced),
            "dc": status.dc,
            "nodes": [_node(node, health.service(BESIDE_NODES)) for node in health.nodes],
            "services": {service.name: _service(service) for service in health.services},
            "fence_devices": [dataclasses.asdict(device) for device in health.devices],
            "resources": [dataclasses.asdict(item) for item in status.resources],
            "unfinished": [entry.shown() for entry in health.unfinished],
            "under_way": list(health.under_way),
            "failures": [dataclasses.asdict(failure) for failure in status.failures],
        }
    )


def render_unknown_json(error: PacefabError) -> str:
    """Return what there is of that shape when the cluster's state is unknown."""
    return _dump({"cluster": None, "verdict": str(Verdict.UNKNOWN), "reasons": [str(error)]})


def _dump(value: dict[str, Any]) -> str:
    return json_text(value)


def _service(service: ServiceHealth) -> dict[str, Any]:
    return {
        "serving": sum(map(service.serves, service.instances)),
        "instances": [
            {
                "resource": instance.resource or None,
                "node": instance.node or None,
                "state": instance.state,
                "answers": instance.answers,
                "error": instance.wrong[0].wrong if instance.wrong else service.error or None,
                "figures": _figures(service, instance),
                "questions": [_question(result) for result in instance.results],
            }
            for instance in service.instances
        ],
        "questions": [_question(result) for result in service.whole],
    }


def _figures(service: ServiceHealth, instance: InstanceHealth) -> dict[str, Value]:
    found = instance.figures
    return {f.name: found[f.name] for f in service.figures if f.name in found}


def _question(result: ProbeResult) -> dict[str, str | None]:
    probe = result.probe
    return {"question": probe.name, "asked_from": probe.node, "error": result.wrong or None}


def _node(node: NodeHealth, service: ServiceHealth | None) -> dict[str, Any]:
    """Return a node with what memcached says there, in the shape that was there first."""
    found: dict[str, Any] = {"node": node.node, "pacemaker": node.pacemaker}
    found |= {"remote": True} if node.kind != _MEMBER else {}
    found |= {"guest": True} if node.kind == "guest" else {}
    instance = next(iter(service.on(node.node)), None) if service else None
    if service is None or instance is None:
        return found
    figures, asked = instance.figures, instance.results
    said = {
        service.name: instance.state,
        "address": figures.get("address"),
        "port": figures.get("port"),
        "asked_from": asked[0].probe.node if asked else None,
        "answers": instance.answers,
        "error": instance.wrong[0].wrong if instance.wrong else None,
    }
    return found | said | (_first_figures(figures) if instance.answers else {})


_FIRST = (
    "version", "uptime_seconds", "items", "memory_used_bytes", "memory_limit_bytes", "hit_ratio",
    "evictions", "connections",
)  # fmt: skip


def _first_figures(figures: dict[str, Value]) -> dict[str, Value | None]:
    return {name: figures.get(name) for name in _FIRST}
