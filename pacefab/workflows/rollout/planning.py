"""A view of the cluster and an intent -> the plan: one value, shown, saved and applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pacefab.errors import PacefabError, RefusedError
from pacefab.pacemaker import metadata
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.corosync.plan import CorosyncPlan
from pacefab.pacemaker.fencing.devices import read_devices
from pacefab.pacemaker.members.connections import check_connections
from pacefab.pacemaker.model import (
    Configuration,
    Membership,
    primitive_ids,
    primitives,
)
from pacefab.pacemaker.nouns.status import Transition
from pacefab.pacemaker.ownership import Runner
from pacefab.pacemaker.pcs.lines import render_pcs
from pacefab.pacemaker.placement.remote import connections, guests
from pacefab.pacemaker.plan import ConfigurationPlan, plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.pacemaker.sections.change import Action
from pacefab.pacemaker.sections.watchdog import check_watchdog
from pacefab.pacemaker.word import Placement, sentences
from pacefab.services import registry
from pacefab.services.probes.probe import Probe
from pacefab.services.service import Look
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.called import check_names
from pacefab.workflows.nodes.in_force import SharedPending, share
from pacefab.workflows.nodes.node_plan import NodePlan, brief, plan_node
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout import corosync_files, fencing_checks
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.updates import NodeByNode, find_updates
from pacefab.workflows.transaction.entry import Entry


@dataclass(frozen=True)
class OtherRunner:
    """What runs a service already under another id; it is left as it is, and none is made."""

    service: str
    runner: Runner

    def __str__(self) -> str:
        where = f"under the id {self.runner.top} ({self.runner.agent})"
        return f"{self.service} is there, {where}; left as it is"


@dataclass(frozen=True)
class Plan:
    """Everything that would be changed, and what Pacemaker would then do.

    `forming` are sentences: what makes a cluster of the nodes, or nodes members of it. While there
    is no cluster yet, the CIB's part is planned from nothing and nothing can be simulated.
    """

    cluster: str
    forming: tuple[str, ...] = ()
    nodes: Mapping[str, NodePlan] = field(default_factory=dict)
    corosync: CorosyncPlan = field(default_factory=CorosyncPlan)
    configuration: ConfigurationPlan = field(default_factory=ConfigurationPlan)
    transitions: tuple[Transition, ...] = ()
    silent: Mapping[str, PacefabError] = field(default_factory=dict)  # hosts that did not answer
    left_out: tuple[str, ...] = ()  # members that the operator goes on without
    desired: Configuration = field(default_factory=Configuration, compare=False)
    probes: tuple[Probe, ...] = field(default=(), compare=False)
    placement: Placement = field(default_factory=Placement, compare=False)
    other: OtherRunner | None = None  # then nothing of the service is made
    updates: tuple[NodeByNode, ...] = ()  # what is restarted once all else is done
    unfinished: tuple[Entry, ...] = field(default=(), compare=False)  # changes that were begun
    fencing: tuple[str, ...] = field(default=(), compare=False)  # what is doubtful about it

    def __bool__(self) -> bool:
        """Whether there is something to do."""
        return bool(self.forming or self.corosync or any(self.nodes.values()) or self.configuration)

    @property
    def pending(self) -> tuple[SharedPending, ...]:
        """Settings that are written, or will be, and not in force before a restart."""
        return share({name: node.pending for name, node in self.nodes.items()})

    @property
    def summary(self) -> tuple[str, ...]:
        """A line for each change, without the details of files."""
        nodes = (f"{name}: {line}" for name, node in self.nodes.items() for line in brief(node))
        return (*self.forming, *self.corosync.summary, *self.cluster_summary, *nodes)

    @property
    def cluster_summary(self) -> tuple[str, ...]:
        """A line for each change of the CIB; what agents add of themselves makes no difference."""
        return tuple(map(str, self.configuration.changes))

    @property
    def interruptions(self) -> tuple[Transition, ...]:
        """Actions that end or restart something that runs now."""
        return tuple(action for action in self.transitions if action.interrupts)

    @property
    def notices(self) -> tuple[str, ...]:
        """What Pacemaker would not run or not look after then, and why: neither asked nor awaited.

        A line for each cause, with the way out; what is about others' resources is left out, and
        what is so of several resources is one line.
        """
        resources = self.desired.resources
        ids = {resource.id for resource in resources} | primitive_ids(resources)
        return tuple(sentences(self.placement.concerning(ids)))

    @property
    def lacks(self) -> tuple[str, ...]:
        """What the nodes that are left out will lack, and what cannot run without them."""
        if not self.left_out:
            return ()
        names = ", ".join(self.left_out)
        lines = dict.fromkeys(line for node in self.nodes.values() for line in brief(node))
        what = f"; until then it lacks: {'; '.join(lines)}" if lines else ""
        own = sorted(primitive_ids(self.desired.resources))
        waits = [name for name in own if self.placement.waits_for(name, self.left_out)]
        return (
            f"{names}: neither asked nor changed, the next deploy brings it up to date{what}",
            *(f"{name} runs nowhere until then: it may run on no other node" for name in waits),
        )

    @property
    def additions(self) -> str:
        """The names of what it makes of the cluster's configuration, and how pcs would."""
        names = ", ".join(made.id for made in self.configuration.changes)
        lines = (line for line in render_pcs(self.configuration) if not line.startswith("#"))
        return f"create {names}, as: {'; '.join(lines)}"

    @property
    def alters(self) -> bool:
        """Whether it changes something that is there; else it only adds something new."""
        changes = self.configuration.changes
        added = all(change.action is Action.ADD for change in changes)
        return bool(self.interruptions or not added or self.corosync or any(self.nodes.values()))


class Plans(Protocol):
    """Somebody who plans: towards an inventory, or back to what stood before."""

    def look(self) -> Look:
        """Return what to look at on every node."""

    def plan(self, seen: ClusterView, forming: tuple[str, ...] = ()) -> Plan:
        """Return what would change on nodes and in their cluster."""

    def plan_node(self, seen: ClusterView, name: str) -> NodePlan:
        """Return what would change on one node."""

    def plan_cluster(self, seen: ClusterView) -> Plan:
        """Return what would change in the cluster alone."""

    def render(self, cib: Cib, plan: Plan) -> Cib | None:
        """Return the CIB that the plan leads to; None: from this one it would be another plan."""


@dataclass(frozen=True)
class Planner:
    """Plans towards an inventory: nodes' packages and files, the cluster's CIB; or that alone."""

    intent: Intent
    firewall: bool = False  # whether open ports are ours to manage
    clients: tuple[str, ...] = ()  # networks whose clients reach the services
    nodes: bool = True
    prune: bool = False
    whole: bool = True  # whether the intent is all that the inventory describes
    update: bool = False  # whether what is not in force before a restart is restarted then
    restart_cluster: bool = False  # whether corosync may be given what needs that

    def look(self) -> Look:
        """Return what to look at on every node."""
        return self.intent.look()

    def plan(self, seen: ClusterView, forming: tuple[str, ...] = ()) -> Plan:
        """Return what would change on the nodes that answered and in their cluster.

        Raises:
            RefusedError: it cannot be had on them; every parameter that an agent would refuse; the
                inventory calls a member otherwise than the cluster does.
        """
        check_names("plan the change", seen, self.intent.membership)
        names = seen.answered if self.nodes else ()
        nodes = {name: self.plan_node(seen, name) for name in names}
        if forming and seen.formed and not seen.running:
            # What the CIB of a stopped cluster says is known when it runs; then it is planned.
            conf = self._corosync(seen)
            return Plan(seen.formed.cluster, forming, nodes, conf, silent=seen.silent)
        planned = replace(self._plan_cluster(seen, nodes), forming=forming, nodes=nodes)
        planned = replace(planned, corosync=self._corosync(seen))
        updates = self._updates(seen, planned) if self.update and seen.formed else ()
        return replace(planned, updates=updates)

    def _corosync(self, seen: ClusterView) -> CorosyncPlan:
        settings, restart = self.intent.corosync, self.restart_cluster
        conf = CorosyncPlan()
        if settings is not None:
            conf = corosync_files.plan(seen, settings, restart=restart)
        return corosync_files.with_sbd(conf, seen, self.intent.sbd, restart=restart)

    def _updates(self, seen: ClusterView, plan: Plan) -> tuple[NodeByNode, ...]:
        """Return what is to be restarted: not where an operator has set something against it."""
        site = self.intent.among(seen.formed, seen.facts).site(seen.facts)

        def is_kept(service: str, node: str) -> bool:
            own = registry.service(service).primitives(seen.cib)
            return not any(plan.placement.deliberate(primitive, node) for primitive in own)

        there = {name: node for name, node in plan.nodes.items() if name not in seen.strangers}
        return find_updates(there, site, self.intent.sections, is_kept)

    def plan_node(self, seen: ClusterView, name: str) -> NodePlan:
        """Return what would change on one node. Errors of the descriptions, and of `plan_node`."""
        intent, view = self.intent.among(seen.formed, seen.facts), seen.answered[name]
        try:
            return plan_node(
                view.facts,
                intent.node(intent.site(seen.facts), name),
                managed=view.managed_units,
                opaque=view.opaque,
                firewall=intent.addresses if self.firewall else None,
                clients=self.clients,
            )
        except PacefabError as error:
            error.host = error.host or name
            raise

    def plan_cluster(self, seen: ClusterView) -> Plan:
        """Return what would change in the cluster alone. Errors of `plan`."""
        check_names("plan the change", seen, self.intent.membership)
        return self._plan_cluster(seen, {})

    def render(self, cib: Cib, plan: Plan) -> Cib | None:
        """Return the CIB that the plan leads to; None: from this one it would be another plan."""
        change = self._change(cib, plan.desired)
        same = change.changes == plan.configuration.changes
        return render_configuration(cib, change) if same else None

    def _change(self, cib: Cib, desired: Configuration) -> ConfigurationPlan:
        return plan_configuration(cib, desired, prune=self.prune, whole=self.whole)

    def _plan_cluster(self, seen: ClusterView, nodes: Mapping[str, NodePlan]) -> Plan:
        # Where nodes are not planned, no host joins: those that are no members do not matter.
        joins = self.nodes or seen.formed is None
        facts = {n: f for n, f in seen.facts.items() if joins or n not in seen.strangers}
        intent = self.intent.among(seen.formed, facts)
        site = intent.site(facts)
        plan = Plan(intent.membership.cluster, silent=seen.silent, left_out=seen.left_out)
        desired = intent.configuration(site)
        if seen.formed is None:
            change = plan_configuration(None, desired)
            doubts = fencing_checks.check_new(intent, desired)
            plan = replace(plan, configuration=change, desired=desired, fencing=doubts)
            return replace(plan, probes=intent.probes(site))
        seen.check_quorum("plan the change")
        desired = _without_newcomers(desired, seen.formed)
        coming = any(node.packages for node in nodes.values())
        desired = _completed(desired, seen, agents_may_come=coming)
        if intent.sbd:
            desired = fencing_checks.until_sbd_runs(seen, desired)
        check_watchdog(seen.cib, desired)
        change = self._change(seen.cib, desired)
        check_connections(change)
        after = render_configuration(seen.cib, change) if change else seen.cib
        concerned = self.whole or read_devices(desired)
        doubts = fencing_checks.check(seen, after, change, intent.sbd) if concerned else ()
        transitions, placement = (
            apply_cib.foresee(seen.host, after) if change else ((), seen.placement)
        )
        return replace(
            plan,
            configuration=change,
            transitions=transitions,
            desired=desired,
            probes=intent.probes(intent.site(facts, placement.placed)),
            placement=placement,
            fencing=doubts,
        )


def _without_newcomers(desired: Configuration, membership: Membership) -> Configuration:
    """Return the configuration without attributes of nodes that are still to join."""
    known = {*membership.names, *connections(desired), *guests(desired)}
    present = {n: pairs for n, pairs in desired.attributes.items() if n in known}
    return replace(desired, attributes=present)


def _completed(
    desired: Configuration, seen: ClusterView, *, agents_may_come: bool
) -> Configuration:
    """Return the configuration with the operations that agents advise, once they have no objection.

    An agent that a package of this very plan brings is not there to be asked yet.
    """
    named = metadata.agents(desired)
    known = seen.metadata(named) if named else {}
    absent = [agent for agent in named if agent not in known]
    if absent and not agents_may_come:
        raise RefusedError(
            "ask the resource agents",
            f"{seen.doorway} does not have: {', '.join(absent)}",
            "install what brings them on every node (pcs resource agents lists what is there)",
        )
    problems = [
        f"{primitive.id} ({primitive.agent}): {problem}"
        for resource in desired.resources
        for primitive in primitives(resource)
        if primitive.agent in known
        for problem in metadata.check_parameters(primitive, known[primitive.agent])
    ]
    if problems:
        raise RefusedError(
            "check the parameters of resources", "\n".join(problems), "fix the inventory"
        )
    return metadata.complete_configuration(desired, known)
