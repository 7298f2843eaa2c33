"""Pacemaker's nouns, frozen. The names are those of Pacemaker Explained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pacefab.pacemaker.word import Placement

FENCING_DISABLED_REASON = "pacefab-fencing-disabled-reason"  # a note of ours; status shows it

_UNDER_WAY = {"Starting", "Stopping", "Promoting", "Demoting", "Migrating"}
# Pacemaker 2.0 says Master and Slave for what 2.1 calls Promoted and Unpromoted.
_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}
# recover is none: what it restarts has failed already.
_INTERRUPTING = {"stop", "move", "migrate", "restart", "demote"}


@dataclass(frozen=True)
class Operation:
    """An action of a resource; `interval` and `timeout` as written in the CIB ("60", "100s")."""

    name: str
    interval: str
    timeout: str
    others: Mapping[str, str] = field(default_factory=dict)  # on-fail, role, start-delay, ...
    parameters: Mapping[str, str] = field(default_factory=dict)  # OCF_CHECK_LEVEL


@dataclass(frozen=True)
class Primitive:
    """One resource; the agent as pcs writes it: systemd:memcached, ocf:heartbeat:galera.

    `runs` are the units whose process it is, where an ocf agent runs it: no other resource may.
    """

    id: str
    agent: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    # Parameters whose values are secrets: never shown.
    hidden: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    runs: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True)
class Group:
    """Primitives that run on one node, started in this order."""

    id: str
    primitives: tuple[Primitive, ...]
    meta: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Clone:
    """A resource that runs on many nodes at once; promotable when its meta attributes say so."""

    id: str
    primitive: Primitive
    meta: Mapping[str, str] = field(default_factory=dict)

    @property
    def promotable(self) -> bool:
        """Whether instances have a second role, Promoted (once called master)."""
        return self.meta.get("promotable", "").lower() in {"true", "on", "yes", "y", "1"}


Resource = Primitive | Group | Clone


def primitives(resource: Resource) -> tuple[Primitive, ...]:
    """Return the primitives that a resource is, or is made of."""
    if isinstance(resource, Primitive):
        return (resource,)
    return resource.primitives if isinstance(resource, Group) else (resource.primitive,)


def role_of(text: str) -> str:
    """Return a role in the word that Pacemaker 2.1 and newer use; it reads either case."""
    word = text.capitalize()
    return _ROLES.get(word, word)


def primitive_ids(resources: Iterable[Resource]) -> set[str]:
    """Return the ids of the primitives that resources are, or are made of."""
    return {primitive.id for resource in resources for primitive in primitives(resource)}


@dataclass(frozen=True)
class Order:
    """An order constraint: `first` does its action before `then` does its own.

    `kind` is Mandatory, Optional or Serialize; empty: Pacemaker's default, Mandatory.
    """

    first: str
    then: str
    first_action: str = "start"
    then_action: str = "start"
    kind: str = ""
    options: Mapping[str, str] = field(default_factory=dict)  # symmetrical, require-all
    id: str = ""  # as found in a CIB; empty: as pcs would call it


@dataclass(frozen=True)
class Colocation:
    """A colocation constraint: `resource` runs where `with_resource` does."""

    resource: str
    with_resource: str
    score: str = "INFINITY"
    role: str = ""
    with_role: str = ""
    id: str = ""


@dataclass(frozen=True)
class Location:
    """A location constraint: a score for one node, or for nodes whose attribute has a value.

    Either `node` is given, or `attribute`, `operation` (eq, ne, lt, gt, lte, gte, defined,
    not_defined) and `value`.
    """

    resource: str
    score: str
    node: str = ""
    attribute: str = ""
    operation: str = ""
    value: str = ""
    resource_discovery: str = ""  # always, never, exclusive
    id: str = ""


Constraint = Order | Colocation | Location


@dataclass(frozen=True)
class Setting:
    """One value that is no resource.

    `kind` is property, note (of pacefab's own), resource default or node attribute.
    """

    kind: str
    name: str
    value: str
    node: str = ""  # of a node attribute

    @property
    def key(self) -> str:
        """What pacefab's record calls it; unlike an id, it holds a colon."""
        return ":".join(filter(None, (self.kind.replace(" ", "-"), self.node, self.name)))

    @property
    def id(self) -> str:
        """What distinguishes it from others of its kind."""
        return f"{self.node} {self.name}".strip()


@dataclass(frozen=True)
class SectionObject:
    """An object of a section of its own (`sections.kinds`): an alert, a fencing level, a tag."""

    id: str = field(default="", kw_only=True)  # empty: as pcs would call it


@dataclass(frozen=True)
class Configuration:
    """What is desired of a CIB; what it does not name is left alone.

    `attributes` are permanent node attributes by node; `defaults` are rsc_defaults.
    """

    properties: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()  # fencing devices (stonith:…) are primitives too
    constraints: tuple[Constraint, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)  # nvpairs of property set "pacefab"
    objects: tuple[SectionObject, ...] = ()
    utilization: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by node


@dataclass(frozen=True)
class Difference:
    """One thing that is not as desired; None: it is not there."""

    where: str  # "memcached-clone meta interleave"
    present: str | None
    desired: str | None

    def __str__(self) -> str:
        return f"{self.where}: {self.present or 'absent'} -> {self.desired or 'absent'}"


def same_name(one: str, other: str) -> bool:
    """Whether two names may be one node's: case and a domain that only one has do not count."""
    one, other = one.casefold(), other.casefold()
    if "." in one and "." in other:
        return one == other
    return one.partition(".")[0] == other.partition(".")[0]


@dataclass(frozen=True)
class Member:
    """A node of corosync.conf's nodelist; `addresses` are its rings', names resolved.

    `name` is Pacemaker's (`crm_node -n` there), `id` corosync's; empty: it is not known.
    """

    name: str
    addresses: tuple[str, ...]
    id: str = ""

    def is_same(self, other: Member) -> bool:
        """Whether both mean one node: by the node id, or an address or the name without one."""
        if self.id and other.id:
            return self.id == other.id
        return bool(set(self.addresses) & set(other.addresses)) or same_name(self.name, other.name)


@dataclass(frozen=True)
class Membership:
    """Who belongs to the cluster by corosync.conf, running or not."""

    cluster: str
    members: tuple[Member, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes' names, in the order of their node ids."""
        return tuple(member.name for member in self.members)

    def member_with(self, addresses: tuple[str, ...], name: str) -> Member | None:
        """Return the member that has one of these addresses, or else this name.

        Or the name without its domain, where one of the two has none.
        """
        for member in self.members:
            if set(member.addresses) & set(addresses):
                return member
        return next((member for member in self.members if same_name(member.name, name)), None)


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


@dataclass(frozen=True)
class CloneStatus:
    """A clone as it is; `promotable` distinguishes Master/Slave sets, as `pcs resource` does."""

    id: str
    promotable: bool
    instances: tuple[Instance, ...]


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
