"""All nodes of one cluster, whichever of them the operator named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from fabfile.deploy.observe import NodeView, observe_node, one_cluster, settle_membership
from fabfile.errors import PacefabError
from fabfile.pacemaker.model import Membership
from fabfile.services import memcached
from fabfile.services.memcached_config import Settings
from fabfile.services.memcached_probe import Target
from fabfile.transport.connection import Host
from fabfile.transport.fanout import errors, fan_out, values

Reach = Callable[[str], Host]


@dataclass(frozen=True)
class Fleet:
    """The nodes of one cluster as they answered; keys are node names."""

    membership: Membership
    hosts: Mapping[str, Host]
    views: Mapping[str, NodeView]
    silent: Mapping[str, PacefabError]  # nodes that gave no answer over SSH

    @property
    def doorway(self) -> NodeView:
        """The view of the node through which the cluster is asked and changed.

        The first one on which Pacemaker answers; where none does, the first, whose error tells.
        """
        views = list(self.views.values())
        return next((view for view in views if view.sections["cib"].ok), views[0])

    @property
    def doorway_host(self) -> Host:
        """The host of `doorway`."""
        return self.hosts[self.doorway.node]

    def targets(self) -> list[Target]:
        """Return where every node's memcached should answer, silent nodes included.

        A silent node is taken to listen at its own address, at the port of the others.
        """
        ports = [present(view).port for view in self.views.values()]
        found: list[Target] = []
        for member in self.membership.members:
            view = self.views.get(member.name)
            settings = present(view) if view else Settings(port=ports[0])
            own = member.addresses[0] if member.addresses else member.name
            endpoints = memcached.listen_endpoints(settings, own)
            found += [Target(member.name, address, settings.port) for address in endpoints]
        return found


def present(view: NodeView) -> Settings:
    """Return the settings in a node's file, memcached's defaults where there is none."""
    return memcached.present_settings(view.facts) or Settings()


def gather(hosts: Mapping[str, Host], reach: Reach, limit: int) -> Fleet:
    """Ask the named hosts, then the nodes of their cluster that were not named.

    Raises:
        PacefabError: no host answered, one is in no cluster, or they are of different ones.
    """
    asked = fan_out(hosts, lambda _, host: observe_node(host), limit=limit)
    views, failed = values(asked), errors(asked)
    if not views:
        raise next(iter(failed.values()))
    membership = one_cluster(views)
    named = {view.node: hosts[name] for name, view in views.items()}
    rest = {n: reach(n) for n in membership.names if n not in named and n not in failed}
    others = fan_out(rest, lambda _, host: observe_node(host), limit=limit)
    every = {view.node: view for view in (*views.values(), *values(others).values())}
    settled = settle_membership(next(iter(views.values())), every.values()) or membership
    return Fleet(
        membership=settled,
        hosts={**named, **rest},
        views={name: every[name] for name in settled.names if name in every},
        silent={**failed, **errors(others)},
    )
