"""install-NAME: a service's packages and files on all hosts at once; Pacemaker is left alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pacefab.errors import PacefabError
from pacefab.host import packages
from pacefab.host.model import HostFacts, Mark, Outcome
from pacefab.pacemaker.model import Membership
from pacefab.services.service import DesiredNode, Look, Site, no_secret
from pacefab.transport.connection import Host
from pacefab.transport.fanout import errors, fan_out, values
from pacefab.workflows.nodes.apply_node import change_node
from pacefab.workflows.nodes.node_plan import NodePlan, plan_node
from pacefab.workflows.nodes.observe import MANAGED, NodeView, observe_node, settle_membership
from pacefab.workflows.nodes.progress import Progress, Stopwatch

_NO_CLUSTER = Membership("", ())


@dataclass(frozen=True)
class Install:
    """How a run installs a service.

    `want` says what is desired of a node; `membership` is who belongs together as long as the hosts
    do not say it themselves. A package manager's lock is waited for `lock_seconds` at most.
    """

    service: str
    look: Look
    want: Callable[[Site, str], DesiredNode]
    sections: Mapping[str, Any] = field(default_factory=dict)
    secret: Callable[[str], str] = no_secret
    membership: Membership = _NO_CLUSTER
    firewall: bool = False  # whether open ports are ours to manage
    lock_seconds: int = packages.LOCK_SECONDS
    dry_run: bool = False
    limit: int = 32  # hosts at a time

    def run(self, hosts: Mapping[str, Host], progress: Progress) -> list[Outcome]:
        """Bring packages, files and units of every host to what is desired.

        Hosts are worked on side by side and reported as they finish; one that fails stops no
        other.
        """
        watch = Stopwatch(f"install-{self.service}", progress)
        asked = fan_out(
            hosts, lambda _, host: observe_node(host, self.look, MANAGED), limit=self.limit
        )
        silent, views = watch.fail_all(errors(asked)), values(asked)
        done = watch.each(
            views,
            lambda name, view: self._install(hosts[name], view, views, watch),
            self.limit,
        )
        outcomes = {outcome.host: outcome for outcome in (*silent, *done)}
        return [outcomes[name] for name in hosts]

    def _install(
        self, host: Host, view: NodeView, views: Mapping[str, NodeView], watch: Stopwatch
    ) -> Outcome:
        membership = settle_membership(view, views.values()) or self.membership
        plan = partial(self._plan, view, membership, _facts(views))
        first = plan(view.facts)
        if self.dry_run:
            return _preview(watch, host.name, first)
        done = change_node(
            host,
            first,
            anew=lambda: plan(observe_node(host, self.look).facts),
            note=partial(watch.progress.note, host.name),
            lock_seconds=self.lock_seconds,
        )
        mark = Mark.CHANGED if done else Mark.UNCHANGED
        return watch.finish(host.name, mark, *done.changes, *done.remarks)

    def _plan(
        self,
        view: NodeView,
        membership: Membership,
        others: Mapping[str, HostFacts],
        facts: HostFacts,
    ) -> NodePlan:
        """Return what the node needs, by what it is now; whom its units belong to stays."""
        every = {**others, view.node: facts}
        desired = self.want(Site(membership, every, self.sections, self.secret), view.node)
        addresses = [address for member in membership.members for address in member.addresses]
        return plan_node(
            facts,
            desired,
            managed=_managed(view, desired),
            firewall=addresses if self.firewall else None,
            lock_seconds=self.lock_seconds,
        )


def _managed(view: NodeView, desired: DesiredNode) -> frozenset[str]:
    """Return the units that are Pacemaker's; it need not tell while none of them runs."""
    running = any(view.facts.unit(name).running for name in desired.units)
    return view.managed_units if running else frozenset()


def _facts(views: Mapping[str, NodeView]) -> dict[str, HostFacts]:
    """Return every host's facts, by the host's name where its cluster cannot be read."""
    found = {}
    for view in views.values():
        try:
            found[view.node] = view.facts
        except PacefabError:
            found[view.host] = view.facts
    return found


def _preview(watch: Stopwatch, name: str, plan: NodePlan) -> Outcome:
    mark = Mark.PLANNED if plan else Mark.UNCHANGED
    changes = [f"would be: {change}" for change in plan.changes]
    return watch.finish(name, mark, *changes, *plan.remarks)
