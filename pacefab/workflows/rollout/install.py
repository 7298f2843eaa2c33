"""install-NAME: a service's packages and files on all hosts at once; Pacemaker is left alone."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pacefab.errors import PacefabError
from pacefab.host import packages
from pacefab.host.model import HostFacts, Mark, Outcome
from pacefab.pacemaker.members.membership import completed, find_members
from pacefab.pacemaker.model import Membership
from pacefab.pacemaker.placement.remote import ServicePlace
from pacefab.services import registry
from pacefab.services.service import DesiredNode, Look, Site, no_secret
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.apply_node import change_node
from pacefab.workflows.nodes.claims import read_claims
from pacefab.workflows.nodes.in_force import other_ways, share
from pacefab.workflows.nodes.node_plan import NodePlan, brief, plan_node
from pacefab.workflows.nodes.observe import MANAGED, NodeView, observe_node
from pacefab.workflows.nodes.progress import Audience, Stopwatch
from pacefab.workflows.rollout.desired import located
from pacefab.workflows.transaction.entry import Entry, State
from pacefab.workflows.transaction.transaction import Hosts, Transaction

_NO_CLUSTER = Membership("", ())


@dataclass(frozen=True)
class Install:
    """How a run installs a service.

    `describe` returns what is desired of a node; `membership` are the nodes as long as the hosts
    are in no cluster, `places` the nodes of services that have some. A package manager's lock is
    waited for `lock_seconds` at most.
    """

    service: str
    look: Look
    describe: Callable[[Site, str], DesiredNode]
    sections: Mapping[str, Any] = field(default_factory=dict)
    secret: Callable[[str], str] = no_secret
    membership: Membership = _NO_CLUSTER
    places: Mapping[str, ServicePlace] = field(default_factory=dict)
    remotes: Collection[str] = ()  # of the hosts, which are remote nodes
    firewall: bool = False  # whether open ports are ours to manage
    clients: tuple[str, ...] = ()  # networks whose clients reach the service
    lock_seconds: int = packages.LOCK_SECONDS
    dry_run: bool = False
    limit: int = 32  # hosts at a time
    transaction: Transaction | None = None  # None: one of this run's own

    def run(self, hosts: Mapping[str, Host], audience: Audience) -> list[Outcome]:
        """Bring packages, files and units of every host to what is desired.

        Hosts are worked on side by side and reported as they finish; one that fails stops no
        other. To stop something that runs has to be agreed to.

        Raises:
            PacefabError: it was not; nothing was changed.
        """
        transaction = self.transaction or Transaction(f"install-{self.service}")
        return transaction.run(lambda: self._run(hosts, audience, transaction), audience)

    def _run(
        self, hosts: Mapping[str, Host], audience: Audience, transaction: Transaction
    ) -> list[Outcome]:
        watch = Stopwatch(f"install-{self.service}", audience)
        asked = fan_out(
            hosts, lambda _, host: observe_node(host, self.look, MANAGED), limit=self.limit
        )
        views = values(asked)
        planned = fan_out(
            views, lambda _, view: self._planner(view, views)(view.facts), limit=self.limit
        )
        plans = values(planned)
        if not self.dry_run:
            self._ask(plans, watch, audience)
            self._begin(hosts, views, plans, transaction, audience)
        failed = watch.fail_all({**errors(asked), **errors(planned)})
        done = watch.each(
            plans,
            lambda name, plan: self._install(
                name, hosts[name], plan, views, watch, transaction.entry
            ),
            self.limit,
        )
        if not self.dry_run:
            _end(transaction, done, {name: hosts[name] for name in views}, audience)
        outcomes = {outcome.host: outcome for outcome in (*failed, *done)}
        return [outcomes[name] for name in hosts]

    def _ask(self, plans: Mapping[str, NodePlan], watch: Stopwatch, audience: Audience) -> None:
        step = f"install-{self.service}"
        touched = {name: plan for name, plan in plans.items() if plan.interruptions}
        if touched:
            lines = [f"{name}: {line}" for name, plan in touched.items() for line in plan.changes]
            audience.preview([f"{step} would stop what runs:", *_indented(lines)])
            audience.ask(step, f"Apply this to {', '.join(touched)}?")
            watch.begin()

    def _begin(
        self,
        hosts: Mapping[str, Host],
        views: Mapping[str, NodeView],
        plans: Mapping[str, NodePlan],
        transaction: Transaction,
        audience: Audience,
    ) -> None:
        """Have the lease where something is to be changed; nodes of one cluster note what.

        Nodes of several clusters do not: what a node keeps is the CIB of its own.
        """
        own = {name: _membership(view) for name, view in views.items()}
        known = {view.node for name, view in views.items() if own[name]}
        formed = next(filter(None, own.values()), None)
        absent = [name for name in (formed.names if formed else ()) if name not in known]
        answered = {name: hosts[name] for name in views if name not in self.remotes}
        heads = {name: views[name].head for name in answered}
        seen = Hosts(answered, heads, absent)
        transaction.check(seen, audience)
        changes = [f"{name}: {line}" for name, plan in plans.items() for line in brief(plan)]
        if not (changes or transaction.left):
            return
        transaction.hold(seen, audience)
        running = (view.cib for view in views.values() if view.sections["cib"].ok)
        before = next(running, None)
        if changes and formed and before and _are_of_one_cluster(views):
            transaction.begin(formed.cluster, changes, before)

    def _install(
        self,
        name: str,
        host: Host,
        plan: NodePlan,
        views: Mapping[str, NodeView],
        watch: Stopwatch,
        entry: Entry | None,
    ) -> Outcome:
        if self.dry_run:
            mark = Mark.PLANNED if plan else Mark.UNCHANGED
            changes = [f"would be: {change}" for change in plan.changes]
            return watch.finish(name, mark, *changes, *self._said(name, views[name], plan))
        planner = self._planner(views[name], views)
        done = change_node(
            host,
            plan,
            replan=lambda: planner(observe_node(host, self.look).facts),
            note=partial(watch.progress.note, name),
            lock_seconds=self.lock_seconds,
            entry=entry.id if entry else "",
        )
        mark = Mark.CHANGED if done else Mark.UNCHANGED
        return watch.finish(name, mark, *done.changes, *self._said(name, views[name], done))

    def _said(self, name: str, view: NodeView, plan: NodePlan) -> tuple[str, ...]:
        """Return what is to be said of a node besides its changes."""
        if not plan.pending:
            return plan.remarks
        section = self.sections.get(self.service, registry.service(self.service).default)
        ways = other_ways({self.service: section}, view.runners)
        return (*plan.remarks, *map(str, share({name: plan.pending}, ways)))

    def _planner(
        self, view: NodeView, views: Mapping[str, NodeView]
    ) -> Callable[[HostFacts], NodePlan]:
        """Return what plans for a host by what it is at that moment."""
        own = view.membership
        claims = [other.claim for other in views.values()]
        membership = completed(own, claims) if own else self.membership
        return partial(self._plan, view, membership, self._facts(views))

    def _plan(
        self,
        view: NodeView,
        membership: Membership,
        others: Mapping[str, HostFacts],
        facts: HostFacts,
    ) -> NodePlan:
        """Return what the node needs, by its present state; managed units are as observed."""
        every = {**others, self._name(view): facts}
        name = self._name(view)
        places = {
            service: located(place, membership, every) for service, place in self.places.items()
        }
        site = Site(membership, every, self.sections, self.secret, places=places)
        if not site.has(self.service, name):
            return NodePlan()
        desired = self.describe(site.of(self.service), name)
        hosts = {h.name: h for p in (membership, *places.values()) for h in p.members}
        addresses = [address for host in hosts.values() for address in host.addresses]
        return plan_node(
            facts,
            desired,
            managed=view.managed_units if _runs(view, desired) else (),
            opaque=view.opaque if _runs(view, desired) else (),
            firewall=addresses if self.firewall else None,
            clients=self.clients,
            lock_seconds=self.lock_seconds,
        )

    def _facts(self, views: Mapping[str, NodeView]) -> dict[str, HostFacts]:
        """Return every host's facts, by the host's name where its cluster cannot be read."""
        found = {}
        for view in views.values():
            try:
                found[self._name(view)] = view.facts
            except PacefabError:
                found[view.host] = view.facts
        return found

    def _name(self, view: NodeView) -> str:
        return view.host if view.host in self.remotes else view.node


def _runs(view: NodeView, desired: DesiredNode) -> bool:
    """Whether a unit runs, so that it matters whose it is; a cluster that is down may not say."""
    return any(view.facts.unit(name).running for name in (*desired.units, *desired.helpers))


def _end(
    transaction: Transaction,
    done: Sequence[Outcome],
    hosts: Mapping[str, Host],
    audience: Audience,
) -> None:
    """Note how it ended: a host that failed is as it was before."""
    whole = all(outcome.mark.ok for outcome in done)
    if whole or any(outcome.mark is Mark.CHANGED for outcome in done):
        transaction.end(State.DONE, audience, whole=whole)
    else:
        transaction.end_undone(hosts, audience)


def _membership(view: NodeView) -> Membership | None:
    """Return a host's cluster; None where it is in none, or its file cannot be read."""
    try:
        return view.membership
    except PacefabError:
        return None


def _are_of_one_cluster(views: Mapping[str, NodeView]) -> bool:
    """Whether the hosts that are in a cluster are all in the same."""
    claims, _ = read_claims(views)
    try:
        members = find_members(claims)
    except ValueError:
        return False
    return all(name in members for name, claim in claims.items() if claim.membership)


def _indented(lines: Sequence[str]) -> list[str]:
    return [f"    {line}" for line in lines]
