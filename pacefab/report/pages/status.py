"""A cluster's health -> one HTML page: what runs where, each service's figures, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pacefab.errors import PacefabError
from pacefab.pacemaker.nouns.status import ClusterStatus, FailedAction
from pacefab.report.drill_page import local_time
from pacefab.report.health import answer_of
from pacefab.report.pages.page import render_page
from pacefab.workflows.checks.health import Health
from pacefab.workflows.checks.service_health import RUNNING, InstanceHealth, ServiceHealth

_TEMPLATE = "pages/status.html.j2"
_CLASSES = {"online": "good", "standby": "none", "maintenance": "none"}  # by a node's state


@dataclass(frozen=True)
class Cell:
    """What a resource, or the node itself, is on a node; `state` is empty where it is not there.

    `look` is good, bad, or none: what operators have set is neither.
    """

    node: str
    state: str
    look: str


@dataclass(frozen=True)
class Row:
    """An instance of a service: its name, state, answer, and its figures by column."""

    name: str
    state: str
    answer: str
    good: bool
    cells: tuple[tuple[str, str, str], ...]  # column, its meaning, what is there


def render(health: Health, when: datetime) -> str:
    """Return the page of a look at `when`, which has to know its zone."""
    return _page(
        title=health.cluster,
        when=local_time(when.isoformat()),
        verdict=str(health.verdict),
        facts=_facts(health.status),
        reasons=health.reasons,
        notices=health.notices,
        failures=[_failure(failure) for failure in health.status.failures],
        nodes=[Cell(n.node, n.pacemaker, _CLASSES.get(n.pacemaker, "bad")) for n in health.nodes],
        matrix=_matrix(health),
        services={service.name: _rows(service) for service in health.services if service.exists},
    )


def render_unknown(error: PacefabError, when: datetime) -> str:
    """Return the page of a look that found no cluster."""
    reasons = [*f"{error.attempted}: {error.seen}".splitlines(), f"next: {error.next_step}"]
    return _page(
        title="unknown", when=local_time(when.isoformat()), verdict="unknown", facts="",
        reasons=reasons, notices=(), failures=(), nodes=(), matrix={}, services={},
    )  # fmt: skip


def _page(**values: Any) -> str:
    return render_page(_TEMPLATE, values)


def _facts(status: ClusterStatus) -> str:
    words = {
        f"DC {status.dc}": bool(status.dc),
        "quorum" if status.quorum else "no quorum": True,
        "maintenance mode": status.maintenance,
        "fencing enabled" if status.fencing else "fencing disabled": True,
    }
    return " · ".join(word for word, holds in words.items() if holds)


def _failure(failure: FailedAction) -> str:
    what = f"{failure.operation} of {failure.resource} failed on {failure.node}"
    return f"{what}: {failure.reason}" if failure.reason else what


def _matrix(health: Health) -> Mapping[str, Sequence[Cell]]:
    """Return by primitive, fence devices included, what it is on each node."""
    found: dict[str, dict[str, Cell]] = {}
    for instance in health.status.all_instances:
        row = found.setdefault(instance.id.partition(":")[0], {})
        bad = instance.failed or instance.blocked or instance.orphaned
        state = instance.pending or ("failed" if bad else instance.role)
        for node in instance.nodes:
            row[node] = Cell(node, state, "good" if state in RUNNING else "bad")
    return {
        resource: [row.get(node.node, Cell(node.node, "", "none")) for node in health.nodes]
        for resource, row in found.items()
    }


def _rows(service: ServiceHealth) -> list[Row]:
    return [_row(service, instance) for instance in service.instances]


def _row(service: ServiceHealth, instance: InstanceHealth) -> Row:
    where = instance.node or "no node"
    figures = instance.figures
    return Row(
        f"{instance.resource} on {where}" if service.several else where,
        instance.state,
        answer_of(instance),
        service.serves(instance),
        tuple(
            (figure.column, figure.help, figure.text(figures))
            for figure in service.figures
            if figure.column
        ),
    )
