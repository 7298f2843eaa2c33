"""status: how the cluster and each node's memcached are, and whether that is good enough."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, pairs
from pacefab.pacemaker.model import FENCING_DISABLED_REASON, ClusterStatus, Instance, ResourceStatus
from pacefab.services.memcached import memcached
from pacefab.services.memcached.probe import Answer, Target
from pacefab.transport.connection import Host
from pacefab.workflows.checks.serving import ask_from_neighbours, find_targets, observe_memcached
from pacefab.workflows.nodes.view import ClusterView, Reach


class Verdict(IntEnum):
    """The exit status of `status`, and the word for it."""

    HEALTHY = 0
    DEGRADED = 1
    UNKNOWN = 2

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class NodeHealth:
    """One node: Pacemaker's word, and memcached's own answer if it gave one."""

    node: str
    pacemaker: str  # online, offline, standby, maintenance, pending, UNCLEAN
    memcached: str  # Started, Stopped, Starting, failed, absent
    target: Target | None
    asked_from: str | None
    answer: Answer | None

    @property
    def answers(self) -> bool:
        """Whether memcached set and got a key when another node asked it."""
        return self.answer is not None and self.answer.served


@dataclass(frozen=True)
class Health:
    """The whole cluster's state with the verdict and why.

    `notices` are what an operator should be reminded of, and no reason against the verdict.
    """

    cluster: str
    status: ClusterStatus
    nodes: tuple[NodeHealth, ...]
    has_memcached: bool  # whether there is a resource of it, or should be
    reasons: tuple[str, ...]  # empty: healthy
    notices: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """Healthy unless there is a reason against it."""
        return Verdict.DEGRADED if self.reasons else Verdict.HEALTHY


def examine(
    hosts: Mapping[str, Host],
    reach: Reach,
    limit: int,
    *,
    memcached_desired: bool = True,
    inventory: Collection[str] = (),
) -> Health:
    """Ask Pacemaker and every node's memcached; harmless.

    `memcached_desired` is whether a cluster without it is degraded. So is one that a host does not
    belong to that should; `inventory` says which hosts of an inventory those are.

    Raises:
        PacefabError: no host could report the cluster's state.
    """
    fleet = observe_memcached(hosts, reach, limit)
    found = examine_fleet(fleet, memcached_desired=memcached_desired)
    return replace(found, reasons=(*found.reasons, *_outside(fleet, inventory)))


def _outside(fleet: ClusterView, inventory: Collection[str]) -> Iterator[str]:
    for name in fleet.strangers:
        what, way = fleet.standing(name)
        yield f"{name} {'of the inventory ' if name in inventory else ''}is {what}: {way}"


def check_healthy(fleet: ClusterView, attempt: str, unchanged: str) -> None:
    """Raise a RefusedError unless the cluster is healthy and every memcached answers.

    `unchanged` says how far the attempt went: "nothing was broken".
    """
    if reasons := examine_fleet(fleet).reasons:
        raise RefusedError(
            attempt,
            "\n".join(["the cluster is not healthy:", *reasons]),
            f"{unchanged}; repair it (see: fab status), then run this again",
        )


def examine_fleet(fleet: ClusterView, *, memcached_desired: bool = True) -> Health:
    """Return the health of nodes that were gathered a moment ago. Errors of `serving.ask`."""
    status, cib = fleet.status, fleet.cib
    exists = bool(cib.primitives_of(memcached.AGENT))
    answers = ask_from_neighbours(fleet) if exists else {}
    nodes = tuple(_node(status, node.name, answers, fleet) for node in status.nodes)
    reasons = [*_cluster_reasons(fleet, status), *_node_reasons(nodes, exists)]
    if memcached_desired and not exists:
        reasons.insert(0, "there is no memcached resource: fab create-memcached makes it")
    reasons += [f"{n}: {error.attempted}: {error.seen}" for n, error in fleet.silent.items()]
    return Health(
        fleet.membership.cluster,
        status,
        nodes,
        has_memcached=exists or memcached_desired,
        reasons=tuple(reasons),
        notices=_notices(status, cib),
    )


def _notices(status: ClusterStatus, cib: Cib) -> tuple[str, ...]:
    if status.fencing:
        return ()
    reason = pairs(cib.own_set).get(FENCING_DISABLED_REASON)
    return (f"fencing is disabled: {reason}" if reason else "fencing is disabled",)


def _node(
    status: ClusterStatus,
    node: str,
    answers: Mapping[Target, tuple[str, Answer]],
    fleet: ClusterView,
) -> NodeHealth:
    target = next((t for t in answers if t.node == node), None)
    asker, answer = answers[target] if target else (None, None)
    word = next(n.word for n in status.nodes if n.name == node)
    known = target or next((t for t in find_targets(fleet) if t.node == node), None)
    return NodeHealth(node, word, _state(status, node), known, asker, answer)


def _state(status: ClusterStatus, node: str) -> str:
    instances = status.instances(memcached.RESOURCE)
    here = next((instance for instance in instances if node in instance.nodes), None)
    if here is not None:
        return here.pending or ("failed" if here.failed else here.role)
    return "Stopped" if instances else "absent"


def _cluster_reasons(fleet: ClusterView, status: ClusterStatus) -> list[str]:
    reasons = []
    if not status.quorum:
        reasons.append(f"{fleet.doorway} is in a partition without quorum")
    if status.maintenance:
        reasons.append("the cluster is in maintenance mode: Pacemaker does nothing")
    for failure in status.failures:
        what = f"{failure.operation} of {failure.resource} failed on {failure.node}"
        reasons.append(f"{what}: {failure.reason}" if failure.reason else what)
    return reasons + [reason for item in status.resources if (reason := _stopped(item))]


def _stopped(item: ResourceStatus) -> str:
    """Return what is wrong with a resource other than memcached, empty when nothing is."""
    members = (item,) if isinstance(item, Instance) else item.instances
    if any(instance.orphaned for instance in members):
        return f"{item.id} is no longer configured and still there"
    if any(instance.failed or instance.blocked for instance in members):
        return f"{item.id} has failed"
    if not any(instance.nodes for instance in members):
        return f"{item.id} is stopped"
    return ""


def _node_reasons(nodes: tuple[NodeHealth, ...], exists: bool) -> list[str]:
    reasons = []
    for health in nodes:
        if health.pacemaker != "online":
            reasons.append(f"{health.node} is {health.pacemaker}")
        elif exists and health.memcached != "Started":
            reasons.append(f"memcached is {health.memcached} on {health.node}")
        if health.memcached == "Started" and not health.answers:
            reasons.append(_not_serving(health))
    return reasons


def _not_serving(health: NodeHealth) -> str:
    said = f"Pacemaker calls memcached Started on {health.node}"
    if health.answer is None:
        return f"{said}; no other node could be reached to ask it"
    where = f"{health.target} (asked from {health.asked_from})"
    return f"{said}, yet it does not serve at {where}: {health.answer.error}"
