"""One node of a rolling update: what is to be changed there, and its change while it is banned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pacefab.host import packages
from pacefab.host.model import HostFacts
from pacefab.services import registry
from pacefab.services.service import DesiredNode, Service, Site
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.apply_node import change_node, restore_node, run_steps
from pacefab.workflows.nodes.node_plan import NodePlan, plan_node
from pacefab.workflows.nodes.observe import NodeView
from pacefab.workflows.nodes.view import ClusterView
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.transaction.transaction import Transaction

_FILES_SECONDS = 240.0  # to write files, of which 60 for the node's lock
_INDEX_SECONDS = 120.0  # to fetch the repositories' index

Note = Callable[[str], None]


@dataclass(frozen=True)
class NodeUpdate:
    """What is desired of every node.

    Args:
        intent: of the one service that is updated.
        package: whether its packages go to their newest version too.
        firewall: whether open ports are ours to manage.
        clients: networks whose clients reach the service.
        lock_seconds: how long another package manager's lock is waited for.
    """

    intent: Intent
    package: bool = False
    firewall: bool = False
    clients: tuple[str, ...] = ()
    lock_seconds: int = packages.LOCK_SECONDS

    @property
    def service(self) -> Service[Any]:
        """The service that is updated."""
        (name,) = self.intent.chosen
        return registry.service(name)

    @property
    def section(self) -> Any:
        """Its settings."""
        return self.intent.sections[self.service.name]

    def site(self, seen: ClusterView) -> Site:
        """Return what the service's description may know."""
        site = self.intent.among(seen.formed, _placed(seen)).site(seen.facts)
        return site.of(self.service.name)

    def look(self, seen: ClusterView, node: str) -> Due:
        """Return what is to be done on a node, asked again.

        Raises:
            PacefabError: the node could not be asked, or cannot be brought there.
        """
        now = seen.again(node)
        plan = self.plan(now, node)
        newest = self._newest(now.hosts[node], now.answered[node], plan) if self.package else {}
        return Due(self, now, node, plan, newest)

    def plan(self, seen: ClusterView, node: str) -> NodePlan:
        """Return what brings files and units of a node to what is desired."""
        site, view = self.site(seen), seen.answered[node]
        desired = self.desired(site, node)
        every = self.intent.among(seen.formed, _placed(seen)).addresses
        return plan_node(
            view.facts,
            desired,
            managed={*desired.units, *view.managed_units},
            firewall=every if self.firewall else None,
            clients=self.clients,
            lock_seconds=self.lock_seconds,
        )

    def desired(self, site: Site, node: str) -> DesiredNode:
        """Return what the service needs on a node. Errors of its description."""
        return self.service.node(self.section, site, node)

    def _newest(self, host: Host, view: NodeView, plan: NodePlan) -> dict[str, str]:
        """Return the versions of packages that are newer than those of a node, by package."""
        facts, found = view.facts, {}
        for name, version in facts.packages.items():
            if version is not None and name not in plan.packages:
                asked = packages.observe_newest(facts.supported_manager(), name)
                newest = packages.parse_newest(host.query(asked, seconds=_INDEX_SECONDS))
                if newest not in {None, version}:
                    found[name] = str(newest)
        return found


@dataclass
class Due:
    """What is to be done on one node; `newest` are versions newer than the installed ones."""

    update: NodeUpdate
    seen: ClusterView
    node: str
    plan: NodePlan
    newest: dict[str, str]
    upgraded: bool = False
    _done: NodePlan = field(default_factory=NodePlan)

    @property
    def changes(self) -> tuple[str, ...]:
        """What changes there, a line each; none: it is as desired."""
        old = self._facts.packages
        newer = (f"package {name} {old[name]} -> {to}" for name, to in self.newest.items())
        waiting = ("what its file says takes effect",) if self.plan.pending else ()
        return (*newer, *self.plan.changes) or waiting

    @property
    def outlook(self) -> tuple[str, ...]:
        """What becomes of what the instance holds, where the service can say it."""
        update = self.update
        said = update.service.outlook(update.section, update.site(self.seen), self.node)
        return (said,) if said else ()

    @property
    def longest(self) -> float:
        """How many seconds its change takes at most."""
        install = 3 * (packages.INSTALL_SECONDS + self.update.lock_seconds)
        return _FILES_SECONDS + (install if self.newest or self.plan.packages else 0)

    @property
    def changed(self) -> bool:
        """Whether files of the node were changed, or more than them."""
        return bool(self._done)

    @property
    def _facts(self) -> HostFacts:
        return self.seen.answered[self.node].facts

    @property
    def _host(self) -> Host:
        return self.seen.hosts[self.node]

    def change(self, note: Note, transaction: Transaction | None = None) -> None:
        """Bring packages and files to what is desired; the service does not run meanwhile.

        Files are kept under the entry that a `transaction` has, which hears of what is replaced.

        Raises:
            PacefabError: a step failed; files are as before.
        """
        if self.newest:
            self._upgrade(note)
        self._done = change_node(
            self._host,
            self._replan(),
            replan=self._replan,
            note=note,
            lock_seconds=self.update.lock_seconds,
            entry=transaction.entry_id if transaction else "",
        )
        if transaction and (self.changed or self.upgraded):
            transaction.replaced.add(self.node)

    def _upgrade(self, note: Note) -> None:
        manager, wait = self._facts.supported_manager(), self.update.lock_seconds
        what = "the package" if len(self.newest) == 1 else f"{len(self.newest)} packages"
        note(f"upgrading {what} with {manager}")
        units = self.update.desired(self.update.site(self.seen), self.node).units
        steps = packages.plan_upgrade(manager, tuple(self.newest), units, wait)
        run_steps(self._host, steps, note=note, lock_seconds=wait)
        self.upgraded = True

    def take_back(self, note: Note, transaction: Transaction | None = None) -> None:
        """Put the files back as they were. A package's former version does not come back.

        Raises:
            PacefabError: a step failed.
        """
        restore_node(self._host, self._done, note=note)
        if transaction:
            transaction.replaced.discard(self.node)

    def _replan(self) -> NodePlan:
        return self.update.plan(self.seen.again(self.node), self.node)


def _placed(seen: ClusterView) -> dict[str, HostFacts]:
    """Return what the remote nodes are; no other host joins the cluster here."""
    return {name: view.facts for name, view in seen.remotes.items()}
