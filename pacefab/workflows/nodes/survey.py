"""Ask all nodes at once, one round trip each: their facts and their cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from pacefab.errors import PacefabError, RefusedError
from pacefab.host.model import HostFacts
from pacefab.pacemaker import live
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.model import ClusterStatus, Membership
from pacefab.services.service import Look
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.fleet import none_answered
from pacefab.workflows.nodes.observe import MANAGED, NodeView, observe_node, one_cluster


@dataclass(frozen=True)
class Survey:
    """The nodes as they answered; keys are the inventory's names, which are the cluster's."""

    hosts: Mapping[str, Host]
    views: Mapping[str, NodeView]
    silent: Mapping[str, PacefabError]
    look: Look

    @property
    def facts(self) -> dict[str, HostFacts]:
        """What each node is."""
        return {name: view.facts for name, view in self.views.items()}

    @cached_property
    def membership(self) -> Membership | None:
        """The cluster that the nodes are of, those that are of one; None when none is.

        Raises:
            RefusedError: they are of different clusters.
        """
        members = {name: view for name, view in self.views.items() if view.membership}
        return one_cluster(members) if members else None

    @property
    def running(self) -> bool:
        """Whether Pacemaker runs on one of the nodes at least."""
        return any(view.sections["cib"].ok for view in self.views.values())

    def stands(self, cluster: str) -> bool:
        """Whether these nodes are members of the cluster, and its services run on all of them."""
        membership = self.membership
        return (
            membership is not None
            and membership.cluster == cluster
            and set(self.views) <= set(membership.names)
            and all(view.sections["cib"].ok for view in self.views.values())
        )

    @cached_property
    def doorway(self) -> str:
        """The node through which the cluster is asked and changed: one that has quorum.

        Raises:
            RefusedError: Pacemaker runs on none of them, or none has quorum.
        """
        for name, view in self.views.items():
            if view.sections["cib"].ok and view.cib.quorum:
                return name
        live.check_ready(_status(self.hosts[next(iter(self.views))]), "ask the cluster")  # says why
        raise RefusedError("ask the cluster", "no node has quorum", "see: pcs status")

    @property
    def host(self) -> Host:
        """The doorway's host."""
        return self.hosts[self.doorway]

    @property
    def cib(self) -> Cib:
        """The CIB as it was when the nodes were asked."""
        return self.views[self.doorway].cib

    @cached_property
    def status(self) -> ClusterStatus:
        """The cluster's state, asked once, when it is needed."""
        return _status(self.host)

    def again(self, node: str) -> Survey:
        """Return the survey with one node asked again."""
        view = observe_node(self.hosts[node], self.look, MANAGED)
        return replace(self, views={**self.views, node: view})

    def metadata(self, agents: Sequence[str]) -> dict[str, Metadata]:
        """Return the metadata of the agents that the doorway has; one round trip."""
        sections = self.host.query(live.observe_metadata(agents))
        found = {agent: live.find_metadata(agent, sections) for agent in agents}
        return {agent: metadata for agent, metadata in found.items() if metadata is not None}


def _status(host: Host) -> ClusterStatus:
    return live.read_status(host.query(live.observe_status()))


def survey(hosts: Mapping[str, Host], look: Look, limit: int) -> Survey:
    """Ask every host.

    Raises:
        PacefabError: none of them answered.
    """
    asked = fan_out(hosts, lambda _, host: observe_node(host, look, MANAGED), limit=limit)
    views, silent = values(asked), errors(asked)
    if not views:
        raise none_answered(silent)
    return Survey(hosts, views, silent, look)
