"""Nouns of what runs, as crm_mon reports it, frozen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from pacefab.pacemaker.word import Placement

_UNDER_WAY = {"Starting", "Stopping", "Promoting", "Demoting", "Migrating"}
# recover is none: what it restarts has failed already.
_INTERRUPTING = {"stop", "move", "migrate", "restart", "demote"}


@dataclass(frozen=True)
class NodeStatus:
    """A node as Pacemaker sees it."""

    name: str
    online: bool
    standby: bool
    maintenance: bool
    pending: bool
    unclean: bool
    remote: bool = False  # by Pacemaker Remote, a guest node included: corosync does not know it
    healthy: bool = True  # by node-health-strategy; else Pacemaker moves resources away
    standby_on_fail: bool = False  # Pacemaker's doing, after a failure with on-fail=standby
    guest: bool = False  # a remote one that a resource makes (meta attribute remote-node)

    @property
    def kind(self) -> str:
        """What operators call such a node: a member, or by Pacemaker Remote remote or guest."""
        return "guest" if self.guest else "remote" if self.remote else "member"

    @property
    def called(self) -> str:
        """The node in a sentence: a member by its name alone."""
        return f"the {self.kind} node {self.name}" if self.remote else self.name

    @property
    def word(self) -> str:
        """The word operators know from crm_mon."""
        for condition, word in (
            (self.unclean, "UNCLEAN"),
            (not self.online, "offline"),
            (self.pending, "pending"),
            (self.standby, "standby"),
            (self.maintenance, "maintenance"),
        ):
            if condition:
                return word
        return "online"


@dataclass(frozen=True)
class Instance:
    """A primitive as it stands: where it runs, in which role."""

    id: str
    agent: str
    role: str  # Started, Stopped, Starting, Stopping, Promoted, Unpromoted
    nodes: tuple[str, ...]
    failed: bool
    managed: bool
    orphaned: bool
    blocked: bool
    pending: str = ""  # what is being done to it right now: Starting, Stopping, Monitoring
    target_role: str = ""  # in force, wherever it is set; empty: Started

    @property
    def doing(self) -> str:
        """What is being done to it; crm_mon says it as `pending`, or in place of its role."""
        return self.pending or (self.role if self.role in _UNDER_WAY else "")

    @property
    def left_over(self) -> bool:
        """Whether it runs and is not configured.

        One that is orphaned and runs nowhere is what is left of a probe: a clone with clone-max was
        looked for under a number that it may not have.
        """
        return self.orphaned and bool(self.nodes)


@dataclass(frozen=True)
class CloneStatus:
    """A clone as it is, its stopped instances too; `promotable`: a Master/Slave set of pcs 0.9."""

    id: str
    promotable: bool
    instances: tuple[Instance, ...]
    unique: bool = False  # each instance is one of its own, with a number (globally-unique)


@dataclass(frozen=True)
class GroupStatus:
    """A group as it stands."""

    id: str
    instances: tuple[Instance, ...]


ResourceStatus = Instance | CloneStatus | GroupStatus


@dataclass(frozen=True)
class FailedAction:
    """An operation that failed, until it is cleaned up."""

    resource: str
    operation: str
    node: str
    reason: str
    call: str = field(default="", compare=False)  # its number on that node; another try has another


@dataclass(frozen=True)
class Ban:
    """A location constraint in force that keeps a resource from a node, as crm_mon reports it."""

    id: str  # of the constraint, or of its rule
    resource: str
    node: str
    promoted_only: bool  # it keeps the resource from being promoted there, not from running


@dataclass(frozen=True)
class Transition:
    """One action on a resource; `source` and `target` are nodes, empty where there is none."""

    action: str  # start, stop, promote, demote, move, migrate, restart, ...
    resource: str  # of a clone, one instance: memcached:0
    source: str = ""
    target: str = ""

    @property
    def interrupts(self) -> bool:
        """Whether something that runs stops running, even for a moment."""
        return self.action in _INTERRUPTING

    def __str__(self) -> str:
        if self.source and self.target and self.source != self.target:
            return f"{self.action} {self.resource} from {self.source} to {self.target}"
        where = self.target or self.source
        return f"{self.action} {self.resource}" + (f" on {where}" if where else "")


@dataclass(frozen=True)
class ClusterStatus:
    """What crm_mon reports: nodes, quorum, resources, failures.

    `due` is what Pacemaker still has to begin, and `placement` where everything is then; None: not
    asked (`live.read_word` does). Right after a change crm_mon still shows a resource Started
    that is about to be restarted.
    """

    dc: str | None
    quorum: bool
    maintenance: bool
    fencing: bool
    nodes: tuple[NodeStatus, ...]
    resources: tuple[ResourceStatus, ...]
    failures: tuple[FailedAction, ...]
    bans: tuple[Ban, ...] = ()
    due: tuple[Transition, ...] | None = None
    placement: Placement | None = None

    def instances(self, resource: str) -> tuple[Instance, ...]:
        """Return every instance of a primitive, wherever it stands."""
        return self._by_primitive.get(resource, ())

    @property
    def primitives(self) -> frozenset[str]:
        """The ids of all primitives, those in clones, groups and bundles too."""
        return frozenset(self._by_primitive)

    @property
    def all_instances(self) -> tuple[Instance, ...]:
        """Every instance of every primitive, fence devices included."""
        return tuple(self._every())

    @cached_property
    def _by_primitive(self) -> dict[str, tuple[Instance, ...]]:
        found: dict[str, list[Instance]] = {}
        for instance in self._every():
            found.setdefault(instance.id.partition(":")[0], []).append(instance)
        return {primitive: tuple(instances) for primitive, instances in found.items()}

    def _every(self) -> Iterator[Instance]:
        for item in self.resources:
            yield from (item,) if isinstance(item, Instance) else item.instances

    def started_on(self, resource: str) -> frozenset[str]:
        """Return the nodes on which the resource runs and no action on it is pending."""
        return frozenset(
            node
            for instance in self.instances(resource)
            if instance.role in {"Started", "Promoted", "Unpromoted"} and not instance.failed
            and not instance.pending
            for node in instance.nodes
        )  # fmt: skip
