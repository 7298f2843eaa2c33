"""All nodes of one cluster, also those that the operator did not name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pacefab.errors import PacefabError, UnreachableError
from pacefab.pacemaker.model import Membership
from pacefab.services.memcached import memcached
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.probe import Target
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.observe import (
    CLUSTER,
    NodeView,
    observe_again,
    observe_node,
    one_cluster,
    settle_membership,
)

Reach = Callable[[str], Host]


@dataclass(frozen=True)
class Fleet:
    """The nodes of one cluster as they answered; keys are node names."""

    membership: Membership
    hosts: Mapping[str, Host]
    views: Mapping[str, NodeView]
    silent: Mapping[str, PacefabError]  # nodes that gave no answer over SSH
    doorway: str  # the node through which the cluster is asked and changed

    @property
    def host(self) -> Host:
        """The doorway's host."""
        return self.hosts[self.doorway]

    @property
    def view(self) -> NodeView:
        """The doorway's view, the one that has the cluster's parts."""
        return self.views[self.doorway]

    def targets(self) -> list[Target]:
        """Return where every node's memcached should answer now, silent nodes included.

        A silent node is taken to listen at its own address, at the port of the others.
        """
        ports = [serving(view).port for view in self.views.values()]
        found: list[Target] = []
        for member in self.membership.members:
            view = self.views.get(member.name)
            settings = serving(view) if view else Settings(port=ports[0])
            own = member.addresses[0] if member.addresses else member.name
            endpoints = memcached.listen_endpoints(settings, own)
            found += [Target(member.name, address, settings.port) for address in endpoints]
        return found


def present(view: NodeView) -> Settings:
    """Return the settings that a node's memcached will start with, its file's as a rule."""
    return memcached.effective_settings(view.facts)


def serving(view: NodeView) -> Settings:
    """Return the settings that a node's memcached runs with, its file's where none runs.

    They differ while a change waits for the next restart.
    """
    return memcached.running_settings(view.facts) or present(view)


def gather(
    hosts: Mapping[str, Host], reach: Reach, limit: int, look: Look = memcached.LOOK
) -> Fleet:
    """Ask the named hosts, then the nodes of their cluster that were not named.

    Raises:
        PacefabError: no host answered, one is in no cluster, or they are of different ones.
    """
    first = next(iter(hosts))
    asked = fan_out(
        hosts,
        lambda n, host: observe_node(host, look, CLUSTER if n == first else ()),
        limit=limit,
    )
    views, failed = values(asked), errors(asked)
    if not views:
        raise none_answered(failed)
    membership = one_cluster(views)
    named = {view.node: hosts[name] for name, view in views.items()}
    rest = {n: reach(n) for n in membership.names if n not in named and n not in failed}
    others = fan_out(rest, lambda _, host: observe_node(host, look), limit=limit)
    every = {view.node: view for view in (*views.values(), *values(others).values())}
    settled = settle_membership(next(iter(views.values())), every.values()) or membership
    reached = {**named, **{name: rest[name] for name in values(others)}}
    doorway = _find_doorway(reached, every)
    return Fleet(
        membership=settled,
        hosts=reached,
        views={name: every[name] for name in settled.names if name in every},
        silent={**failed, **errors(others)},
        doorway=doorway,
    )


def none_answered(failed: Mapping[str, PacefabError]) -> PacefabError:
    """Return one error for hosts none of which answered; none of them hides the others."""
    first = next(iter(failed.values()))
    if len(failed) == 1:
        return first
    seen = "\n".join(f"{name}: {error.attempted}: {error.seen}" for name, error in failed.items())
    return UnreachableError("reach the hosts", seen, first.next_step)


def _find_doorway(hosts: Mapping[str, Host], views: dict[str, NodeView]) -> str:
    """Return a node of the partition with quorum, its cluster's parts read into `views`.

    Where no node has quorum, the first one, whose answer says why.
    """
    for node, host in hosts.items():
        if "cib" not in views[node].sections:
            views[node] = observe_again(host, views[node], CLUSTER)
        if views[node].sections["cib"].ok and views[node].status.quorum:
            return node
    return next((n for n, v in views.items() if v.sections["cib"].ok), next(iter(views)))
