"""One node of a rolling update: what is to be changed there, and its change while it is banned."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pacefab.host import packages
from pacefab.host.model import HostFacts
from pacefab.services.memcached import memcached
from pacefab.services.memcached.config import Settings
from pacefab.services.memcached.memcached import Request
from pacefab.services.service import Site
from pacefab.transport.connection import Host
from pacefab.workflows.nodes.apply_node import change_node, restore_node, run_steps
from pacefab.workflows.nodes.node_plan import NodePlan, plan_node
from pacefab.workflows.nodes.observe import MANAGED, NodeView, observe_node
from pacefab.workflows.nodes.view import ClusterView

_INDEX_SECONDS = 120.0  # to fetch the repositories' index

Note = Callable[[str], None]


@dataclass(frozen=True)
class NodeUpdate:
    """What is desired of every node.

    Args:
        request: memcached's settings.
        package: whether the package goes to its newest version too.
        firewall: whether open ports are ours to manage.
        lock_seconds: how long another package manager's lock is waited for.
    """

    request: Request
    package: bool = False
    firewall: bool = False
    lock_seconds: int = packages.LOCK_SECONDS

    def look(self, fleet: ClusterView, node: str) -> Due:
        """Return what is to be done on a node, asked again.

        Raises:
            PacefabError: the node could not be asked, or cannot be brought there.
        """
        host = fleet.hosts[node]
        view = observe_node(host, memcached.LOOK, MANAGED)
        newest = self._newest(host, view.facts) if self.package else None
        return Due(self, fleet, node, view, self.plan(fleet, node, view), newest)

    def plan(self, fleet: ClusterView, node: str, view: NodeView) -> NodePlan:
        """Return what brings files and unit of a node to what is desired."""
        site = Site(fleet.membership, {node: view.facts}, {})
        every = [address for member in fleet.membership.members for address in member.addresses]
        return plan_node(
            view.facts,
            memcached.desired_node(self.request, site, node),
            managed={memcached.UNIT},
            firewall=every if self.firewall else None,
            lock_seconds=self.lock_seconds,
        )

    def _newest(self, host: Host, facts: HostFacts) -> str | None:
        asked = packages.observe_newest(facts.supported_manager(), memcached.PACKAGE)
        newest = packages.parse_newest(host.query(asked, seconds=_INDEX_SECONDS))
        return None if newest == facts.packages[memcached.PACKAGE] else newest


@dataclass
class Due:
    """What is to be done on one node; `newest` is a version newer than the installed one."""

    update: NodeUpdate
    fleet: ClusterView
    node: str
    view: NodeView
    plan: NodePlan
    newest: str | None
    upgraded: bool = False
    _done: NodePlan = field(default_factory=NodePlan)

    @property
    def changes(self) -> tuple[str, ...]:
        """What changes there, a line each; none: it is as desired."""
        version = self.view.facts.packages[memcached.PACKAGE]
        newer = (f"package memcached {version} -> {self.newest}",) if self.newest else ()
        waiting = ("what its file says takes effect",) if self.plan.pending else ()
        return (*newer, *self.plan.changes) or waiting

    @property
    def loss(self) -> str:
        """Why memcached will start empty; empty: it will keep its items."""
        running, desired = memcached.running_settings(self.view.facts), self._desired
        if not desired.memory_file:
            return "it is not restartable"
        if running is None or running.memory_file != desired.memory_file:
            return "it was not restartable until now"
        return "" if running.memory == desired.memory else "its memory size changes"

    @property
    def outlook(self) -> str:
        """What becomes of the items."""
        return f"starts empty: {self.loss}" if self.loss else "keeps its items"

    @property
    def _desired(self) -> Settings:
        request, facts = self.update.request, self.view.facts
        return memcached.desired_settings(request, facts, self.fleet.membership)

    @property
    def _host(self) -> Host:
        return self.fleet.hosts[self.node]

    def change(self, note: Note) -> None:
        """Bring package and files to what is desired; memcached does not run meanwhile.

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
        )

    def _upgrade(self, note: Note) -> None:
        manager, wait = self.view.facts.supported_manager(), self.update.lock_seconds
        note(f"upgrading the package with {manager}")
        steps = packages.plan_upgrade(manager, (memcached.PACKAGE,), (memcached.UNIT,), wait)
        run_steps(self._host, steps, note=note, lock_seconds=wait)
        self.upgraded = True

    def take_back(self, note: Note) -> None:
        """Put the files back as they were. A package's former version does not come back.

        Raises:
            PacefabError: a step failed.
        """
        restore_node(self._host, self._done, note=note)

    def _replan(self) -> NodePlan:
        view = observe_node(self._host, memcached.LOOK, MANAGED)
        return self.update.plan(self.fleet, self.node, view)
