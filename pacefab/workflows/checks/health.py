"""status: how the cluster and its services are, and whether that is good enough."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum
from functools import partial
from typing import Any

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, pairs
from pacefab.pacemaker.fencing.proofs import Proof
from pacefab.pacemaker.model import FENCING_DISABLED_REASON, Membership
from pacefab.pacemaker.nouns.status import ClusterStatus, Instance, ResourceStatus
from pacefab.pacemaker.word import Placement
from pacefab.services import registry
from pacefab.services.memcached import memcached
from pacefab.services.memcached.section import MemcachedSection
from pacefab.transport.connection import Host
from pacefab.workflows.checks import (
    fencing_proofs,
    fencing_scene,
    node_state,
    placed,
    quorum_device,
)
from pacefab.workflows.checks.service_health import (
    InstanceHealth,
    ServiceHealth,
    ask_services,
    recognise,
    site_of,
)
from pacefab.workflows.nodes import one_cib
from pacefab.workflows.nodes.called import find_misnamed
from pacefab.workflows.nodes.observe import no_membership
from pacefab.workflows.nodes.view import ClusterView, Reach, observe_cluster
from pacefab.workflows.transaction import head as heads
from pacefab.workflows.transaction.entry import Entry
from pacefab.workflows.transaction.transaction import ways_on

_MEMCACHED: Mapping[str, Any] = {"memcached": MemcachedSection()}
_DEVICE = "stonith:"


class Verdict(IntEnum):
    """The exit status of `status`, and the word for it."""

    HEALTHY = 0
    DEGRADED = 1
    UNKNOWN = 2

    def __str__(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class NodeHealth:
    """One node, as Pacemaker sees it."""

    node: str
    pacemaker: str  # online, offline, standby, maintenance, pending, UNCLEAN
    kind: str = "member"  # or by Pacemaker Remote: remote, guest


@dataclass(frozen=True)
class Health:
    """The whole cluster's state with the verdict and why.

    `notices` are what an operator should be reminded of, and no reason against the verdict.
    """

    cluster: str
    status: ClusterStatus
    nodes: tuple[NodeHealth, ...]
    services: tuple[ServiceHealth, ...]
    reasons: tuple[str, ...]  # empty: healthy
    notices: tuple[str, ...] = ()
    unfinished: tuple[Entry, ...] = ()  # changes that were begun, and whose runs are no more
    under_way: tuple[str, ...] = ()  # changes whose runs go on
    last_fenced: Mapping[str, int | None] = field(default_factory=dict)  # seconds since 1970

    @property
    def verdict(self) -> Verdict:
        """Healthy unless there is a reason against it."""
        return Verdict.DEGRADED if self.reasons else Verdict.HEALTHY

    @property
    def devices(self) -> tuple[Instance, ...]:
        """The fence devices: which nodes watch them, and whether they failed."""
        return tuple(i for i in self.status.all_instances if i.agent.startswith(_DEVICE))

    def service(self, name: str) -> ServiceHealth | None:
        """Return a service by its name; None where it is not among those that were asked."""
        return next((service for service in self.services if service.name == name), None)


def examine(
    hosts: Mapping[str, Host],
    reach: Reach,
    limit: int,
    sections: Mapping[str, Any] | None = None,
    inventory: Membership | None = None,
    remotes: Collection[str] = (),
) -> Health:
    """Ask Pacemaker, and every service itself; harmless.

    `sections` are the settings of an inventory's services: one that the cluster lacks is a reason.
    Without, the services are those that the cluster shows; memcached, where it shows none. A host
    that is no member is a reason too; one that `inventory` has by another name, a notice. `remotes`
    are those of the hosts that are remote nodes.

    Raises:
        PacefabError: no host could report the cluster's state.
    """
    look = memcached.LOOK if sections is None else registry.look(sections)
    look = replace(look, remotes=tuple(remotes))
    listed = inventory or Membership("", ())
    ask = partial(observe_cluster, hosts, look, limit, reach)
    seen = ask()
    if seen.formed is None:
        raise no_membership(next(iter(seen.hosts)))
    seen = one_cib.await_one(ask, seen) if seen.running else seen
    if sections is None:
        found = _examine(seen, recognise(seen.cib) or _MEMCACHED, recognised=True)
    else:
        found = _examine(seen, sections, recognised=False)
    known = _last_fenced(seen)
    left, busy = heads.unfinished(seen.heads.values()), heads.under_way(seen.heads.values())
    return replace(
        found,
        reasons=(
            *found.reasons,
            *_apart(seen),
            *_outside(seen, listed.names),
            *quorum_device.reasons(seen),
            *map(_not_finished, left),
        ),
        notices=(
            *_fencing_notices(seen, found, known),
            *found.notices,
            *(f"under way: {said}" for said in busy),
            *_away(seen),
            *(f"{one.called}: {one}; {one.way_out}" for one in find_misnamed(seen, listed)),
        ),
        last_fenced={node: proof.at if proof else None for node, proof in known.items()},
        unfinished=left,
        under_way=busy,
    )


def _last_fenced(seen: ClusterView) -> dict[str, Proof | None]:
    """Return the last real fencing of each member; nothing where fencing is off."""
    if not seen.status.fencing:
        return {}
    known = fencing_proofs.read(seen.host.query(fencing_proofs.observe()))
    return {name: known.get(name) for name in seen.membership.names}


def _fencing_notices(
    seen: ClusterView, found: Health, known: Mapping[str, Proof | None]
) -> Iterator[str]:
    by_watchdog = fencing_scene.scene_of(seen, seen.cib).watchdog
    if found.status.fencing and not (found.devices or by_watchdog):
        yield "fencing is enabled, and there is no device, so no node can be fenced"
    elif said := fencing_proofs.sentence([node for node, proof in known.items() if not proof], {}):
        yield said


def _away(seen: ClusterView) -> Iterator[str]:
    for node, missed in heads.behind(seen.heads).items():
        names = ", ".join(entry.name for entry in missed)
        yield f"{node} was away at the end of: {names}; fab plan shows what it lacks"


def _apart(seen: ClusterView) -> Iterator[str]:
    for error in (one_cib.error(seen, node) for node in one_cib.apart(seen)):
        yield f"{error.seen}: {error.next_step}"


def _not_finished(entry: Entry) -> str:
    return f"not finished: {entry.name} ({entry.sentence}): {ways_on([entry])}"


def _outside(seen: ClusterView, inventory: Collection[str]) -> Iterator[str]:
    connected = {node.name for node in seen.status.nodes if node.remote}
    for name in seen.strangers:
        if name in connected:  # named with -H; nothing of the cluster is asked there
            continue
        standing, own = seen.standing(name), "of the inventory " if name in inventory else ""
        yield f"{name} {own}is {standing.what}: {standing.way}"


def examine_services(seen: ClusterView, sections: Mapping[str, Any]) -> Health:
    """Return the health of the cluster and of these services, of nodes asked a moment ago."""
    return _examine(seen, sections, recognised=True)


def check_healthy(
    seen: ClusterView,
    attempt: str,
    unchanged: str,
    sections: Mapping[str, Any] = _MEMCACHED,
) -> None:
    """Raise a RefusedError unless the cluster is healthy and these services answer.

    `unchanged` says how far the attempt went: "nothing was broken".
    """
    if reasons := _examine(seen, sections, recognised=True).reasons:
        raise RefusedError(
            attempt,
            "\n".join(["the cluster is not healthy:", *reasons]),
            f"{unchanged}; repair it (see: fab status), then run this again",
        )


def _examine(seen: ClusterView, sections: Mapping[str, Any], *, recognised: bool) -> Health:
    status = seen.status
    site = site_of(seen, sections, recognised=recognised)
    services = ask_services(seen, site)
    nodes = tuple(NodeHealth(node.name, node.word, node.kind) for node in status.nodes)
    mute = {**seen.silent, **seen.unheard}
    silent = [f"{name}: {error.attempted}: {error.seen}" for name, error in mute.items()]
    return Health(
        seen.membership.cluster,
        status,
        nodes,
        services,
        reasons=(
            *_absent(services),
            *_cluster_reasons(seen, status),
            *placed.reasons(seen.placement),
            *placed.node_troubles(status, seen.left_out),
            *_instance_reasons(seen, services),
            *(reason for service in services for reason in not_serving(service)),
            *node_state.reasons(site),
            *silent,
        ),
        notices=(
            *_notices(status, seen.cib),
            *placed.notices(seen.placement),
            *(notice for service in services for notice in service_notices(service)),
            *node_state.notices(site, seen.cib),
        ),
    )


def _absent(services: Sequence[ServiceHealth]) -> list[str]:
    absent = [s.name for s in services if s.instances and not s.exists]
    return [f"there is no {name} resource: fab create-{name} makes it" for name in absent]


def _instance_reasons(seen: ClusterView, services: Sequence[ServiceHealth]) -> Iterator[str]:
    """Yield what does not run where; of resources that are no clones, `_cluster_reasons` has it."""
    is_missed = partial(placed.is_missed, seen.placement, seen.status)
    for node in seen.status.nodes:
        for service in services:
            for instance in service.on(node.name):
                down = service.exists and not instance.runs
                if down and is_missed(instance.resource, instance.node):
                    yield f"{service.called(instance)} is {instance.state} on {node.name}"


def not_serving(service: ServiceHealth) -> Iterator[str]:
    """Yield what answers otherwise than it should, and from where it was asked."""
    if service.error:
        yield f"{service.name} cannot be asked: {service.error}"
    for instance in service.instances:
        name = service.called(instance)
        yield from _wrong(f"Pacemaker calls {name} {instance.state} on {instance.node}", instance)
    for result in service.whole:
        if result.wrong:
            yield f"{service.name}: {result}"


def _wrong(said: str, instance: InstanceHealth) -> Iterator[str]:
    askers: dict[tuple[str, str], list[str]] = {}
    for result in instance.wrong:
        askers.setdefault((result.probe.at, result.wrong), []).append(result.probe.node)
    for (at, wrong), nodes in askers.items():
        where = f" at {at}" if at else ""
        asked = ", ".join(dict.fromkeys(nodes))
        yield f"{said}, yet it does not serve{where} (asked from {asked}): {wrong}"


def service_notices(service: ServiceHealth) -> Iterator[str]:
    """Yield what instances would have known; where they do not agree, whose word it is."""
    said: dict[str, list[str]] = {}
    for instance in service.instances:
        for result in instance.results:
            for notice in result.reading.notices:
                said.setdefault(notice, []).append(instance.node)
    running = {instance.node for instance in service.instances if instance.runs}
    for notice, nodes in said.items():
        yield notice if running <= set(nodes) else f"{notice} (on {', '.join(nodes)})"


def _notices(status: ClusterStatus, cib: Cib) -> tuple[str, ...]:
    if status.fencing:
        return ()
    reason = pairs(cib.own_set).get(FENCING_DISABLED_REASON)
    return (f"fencing is disabled: {reason}" if reason else "fencing is disabled",)


def _cluster_reasons(seen: ClusterView, status: ClusterStatus) -> list[str]:
    reasons = []
    if not status.quorum:
        reasons.append(f"{seen.doorway} is in a partition without quorum")
    for failure in status.failures:
        what = f"{failure.operation} of {failure.resource} failed on {failure.node}"
        reasons.append(f"{what}: {failure.reason}" if failure.reason else what)
    found = (_wrong_with(item, seen.placement) for item in status.resources)
    return [*reasons, *filter(None, found)]


def _wrong_with(item: ResourceStatus, placement: Placement) -> str:
    """Return what is wrong with a resource as a whole; empty when nothing is."""
    members = (item,) if isinstance(item, Instance) else item.instances
    if any(instance.left_over for instance in members):
        return f"{item.id} is no longer configured and still there"
    if any(instance.failed or instance.blocked for instance in members):
        return f"{item.id} has failed"
    return f"{item.id} is stopped" if placed.is_stopped(placement, item) else ""
