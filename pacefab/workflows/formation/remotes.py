"""Hosts become remote nodes of a cluster that stands; one that was lost is connected to again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from pacefab.errors import CommandError
from pacefab.host.model import HostFacts, Mark, Outcome
from pacefab.pacemaker import live
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.placement.remote import PORT, connected
from pacefab.transport.command import Step, step
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out
from pacefab.waiting import Pending, wait_until
from pacefab.workflows.formation.remote_plan import (
    LOOK,
    LOOK_AT_KEY,
    RemoteHost,
    RemoteNode,
    RemotePlan,
    plan_host,
    plan_key,
    plan_remotes,
)
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.apply_node import change_node
from pacefab.workflows.nodes.claims import all_answered
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.observe import observe_node
from pacefab.workflows.nodes.progress import Progress, Stopwatch
from pacefab.workflows.nodes.view import ClusterView, observe_cluster
from pacefab.workflows.transaction.transaction import Transaction

_CONNECT_SECONDS = 120  # a start of the connection may take 60 s on one member, then on another


@dataclass(frozen=True)
class Remotes:
    """How hosts become remote nodes of a cluster.

    Args:
        desired: the cluster's name, and its members with the addresses that they use.
        nodes: the remote nodes of the inventory that are to be looked at.
        hosts: the way to each of them.
        known: whether the inventory has remote nodes: then every member has the key.
        firewall: whether ports are opened where firewalld is active.
        lost_only: only those that the cluster does not reach are looked at.
        transaction: of the run that this is a part of; None: that has the lease already.
    """

    desired: Membership
    nodes: tuple[RemoteNode, ...]
    hosts: Mapping[str, Host]
    known: bool = True
    firewall: bool = False
    lost_only: bool = False
    limit: int = 32
    step: str = "bootstrap"
    transaction: Transaction | None = None

    def sentences(self, seen: ClusterView) -> tuple[str, ...]:
        """Return what would be done, a sentence each. Errors of `prepare`.

        `seen` are the members as they were just asked: where none is lost, no host is.
        """
        if seen.running and not seen.strangers and not self._chosen(seen):
            return ()
        return self._plan(observe_cluster(seen.voters, LOOK_AT_KEY, self.limit)).sentences()

    def prepare(self, members: Mapping[str, Host], progress: Progress) -> Callable[[], Outcomes]:
        """Return what makes the hosts remote nodes, once it is known that they can be.

        Raises:
            PacefabError: one cannot be reached, or belongs to another cluster; nothing was changed.
        """
        if self.known:
            self._plan(observe_cluster(members, LOOK_AT_KEY, self.limit))
        return partial(self.form, members, progress)

    def form(self, members: Mapping[str, Host], progress: Progress) -> Outcomes:
        """Make the hosts remote nodes; return a line for each on which something was done.

        Raises:
            PacefabError: as `prepare`, or a step failed; the next run does the rest.
        """
        if not self.known:
            return []
        seen = observe_cluster(members, LOOK_AT_KEY, self.limit)
        plan = self._plan(seen)
        if not plan:
            return []
        if self.transaction:
            self.transaction.hold(seen, progress)
        watch = Stopwatch(self.step, progress)
        watch.begin(*plan.changed)
        for sentence in plan.sentences():
            progress.note(self.desired.cluster, sentence)
        self._change(seen, plan, progress)
        return [watch.finish(name, Mark.CHANGED) for name in plan.changed]

    def _chosen(self, seen: ClusterView) -> tuple[RemoteNode, ...]:
        """Return the nodes to look at; one that the cluster reaches has all it needs."""
        reached = _online(seen) if self.lost_only else frozenset()
        return tuple(node for node in self.nodes if node.name not in reached)

    def _plan(self, seen: ClusterView) -> RemotePlan:
        """Return what is to be done. Errors of `plan_remotes`, and of hosts that do not answer."""
        found = self._observe(self._chosen(seen))
        known = connected(seen.cib) if seen.formed and seen.running else frozenset()
        lost = [host.node.name for host in found if host.node.name in known - _online(seen)]
        return plan_remotes(
            self.desired.cluster,
            seen.facts,
            found,
            lost,
            self._peers(seen.facts),
            in_use=bool(known) or _has_guests(seen),
        )

    def _peers(self, facts: Mapping[str, HostFacts]) -> tuple[str, ...] | None:
        """Return the members' addresses, from which the daemon is reached."""
        if not self.firewall:
            return None
        given = {m.name: m.addresses for m in self.desired.members if m.addresses}
        own = (given.get(name, found.addresses) for name, found in facts.items())
        return tuple(address for addresses in own for address in addresses)

    def _observe(self, nodes: Sequence[RemoteNode]) -> list[RemoteHost]:
        def work(name: str, host: Host) -> RemoteHost:
            view = observe_node(host, LOOK)
            (node,) = (node for node in nodes if node.name == name)
            return RemoteHost(node, view.facts, view.membership)

        chosen = {node.name: self.hosts[node.name] for node in nodes}
        found = fan_out(chosen, work, limit=self.limit)
        if self.lost_only and (silent := errors(found)):
            error = next(iter(silent.values()))
            names = ",".join(silent)
            error.next_step = f"{error.next_step} To go on without: --without {names}"
        return list(all_answered(found).values())

    def _change(self, seen: ClusterView, plan: RemotePlan, progress: Progress) -> None:
        """Give the members the key first: a host that has it alone would look like another's."""

        def member(name: str, host: Host) -> None:
            def again() -> NodePlan:
                return plan_key(observe_node(host, LOOK_AT_KEY).facts, plan.key)

            note = partial(progress.note, name)
            change_node(host, plan.members[name], replan=again, note=note)

        def remote(name: str, host: Host) -> None:
            def again() -> NodePlan:
                (found,) = self._observe([node for node in self.nodes if node.name == name])
                return plan_host(found, plan.key, self._peers(seen.facts))

            note = partial(progress.note, name)
            change_node(host, plan.hosts[name], replan=again, note=note)

        lacking = {name: seen.hosts[name] for name, found in plan.members.items() if found}
        all_answered(fan_out(lacking, member, limit=self.limit))
        bare = {name: self.hosts[name] for name, found in plan.hosts.items() if found}
        all_answered(fan_out(bare, remote, limit=self.limit))
        if plan.again:
            # Where nothing has failed, there is nothing to clean up, and nothing that would make
            # Pacemaker 3 decide again before its next recheck: seen after a daemon was stopped.
            steps = [plan_connect(name) for name in plan.again]
            seen.host.query([*steps, *live.plan_look_again()])
            self._await(seen, plan.again, progress)

    def _ports(self, names: Sequence[str]) -> str:
        ports = {node.port or PORT for node in self.nodes if node.name in names}
        return ", ".join(map(str, sorted(ports)))

    def _await(self, seen: ClusterView, names: Sequence[str], progress: Progress) -> None:
        def look() -> ClusterStatus | Pending:
            status = apply_cib.query_status(seen.host)
            online = {node.name for node in status.nodes if node.online}
            away = [name for name in names if name not in online]
            return Pending(f"not online: {', '.join(away)}") if away else status

        waits = partial(progress.waiting, self.desired.cluster)
        found = wait_until(look, _CONNECT_SECONDS, waits=waits)
        if isinstance(found, Pending):
            raise CommandError(
                "connect to remote nodes",
                f"after {_CONNECT_SECONDS} s {found.seen}",
                "see why: pcs status; journalctl -u pacemaker_remote there; do firewalls let the "
                f"members reach its port (TCP {self._ports(names)})? Then run this again",
                host=seen.doorway,
            )


Outcomes = list[Outcome]


def plan_connect(name: str) -> Step:
    """Return the step after which Pacemaker connects to a remote node that it gave up."""
    return step(f"connect {name}", "crm_resource", "--cleanup", "--resource", name, "--quiet")


def _has_guests(seen: ClusterView) -> bool:
    return bool(seen.formed and seen.running and any(node.remote for node in seen.status.nodes))


def _online(seen: ClusterView) -> frozenset[str]:
    if not (seen.formed and seen.running):
        return frozenset()
    return frozenset(node.name for node in seen.status.nodes if node.remote and node.online)
