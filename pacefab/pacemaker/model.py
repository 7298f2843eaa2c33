"""Pacemaker's nouns, frozen. The names are those of Pacemaker Explained."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pacefab.pacemaker.nouns.piece import Piece

FENCING_DISABLED_REASON = "pacefab-fencing-disabled-reason"  # a note of ours; status shows it

# Pacemaker 2.0 says Master and Slave for what 2.1 calls Promoted and Unpromoted.
_ROLES = {"Master": "Promoted", "Slave": "Unpromoted"}


@dataclass(frozen=True)
class Operation:
    """An action of a resource; `interval` and `timeout` as written in the CIB ("60", "100s")."""

    name: str
    interval: str
    timeout: str
    others: Mapping[str, str] = field(default_factory=dict)  # on-fail, role, start-delay, ...
    parameters: Mapping[str, str] = field(default_factory=dict)  # OCF_CHECK_LEVEL
    further: tuple[Piece, ...] = ()  # sets besides the parameters, of meta attributes too
    id: str = field(default="", compare=False)  # where another operation refers to it


Further = Mapping[str, tuple[Piece, ...]]
"""Sets of attributes besides the plain ones, by their kind; of a kind that is not there nothing is
said. `operations` is what an element of operations has besides its operations."""


@dataclass(frozen=True)
class Primitive:
    """One resource; the agent as pcs writes it: systemd:memcached, ocf:heartbeat:galera.

    `runs` are the units whose process it is, where an ocf agent runs it: no other resource may.
    One of a `template` has no agent of its own. `others` are attributes of the element itself.
    """

    id: str
    agent: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    meta: Mapping[str, str] = field(default_factory=dict)
    operations: tuple[Operation, ...] = ()
    # Parameters whose values are secrets: never shown.
    hidden: frozenset[str] = field(default=frozenset(), compare=False, repr=False)
    runs: tuple[str, ...] = field(default=(), compare=False)
    template: str = ""
    further: Further = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)  # description
    advised: bool = field(default=True, compare=False)  # its agent's operations complete its own


@dataclass(frozen=True)
class Group:
    """Primitives that run on one node, started in this order."""

    id: str
    primitives: tuple[Primitive, ...]
    meta: Mapping[str, str] = field(default_factory=dict)
    further: Further = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Clone:
    """A resource that runs on many nodes at once; promotable when its meta attributes say so."""

    id: str
    primitive: Primitive
    meta: Mapping[str, str] = field(default_factory=dict)
    further: Further = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)

    @property
    def promotable(self) -> bool:
        """Whether instances have a second role, Promoted (once called master)."""
        return is_true(self.meta.get("promotable", ""))


@dataclass(frozen=True)
class GroupClone:
    """A group that runs on many nodes at once; promotable when its meta attributes say so."""

    id: str
    group: Group
    meta: Mapping[str, str] = field(default_factory=dict)
    further: Further = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Bundle:
    """Containers that run a primitive, or nothing of Pacemaker's.

    `parts` are the container's technology (podman, docker), its network and its storage.
    """

    id: str
    parts: tuple[Piece, ...]
    primitive: Primitive | None = None
    meta: Mapping[str, str] = field(default_factory=dict)
    further: Further = field(default_factory=dict)
    others: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Template:
    """What primitives that name it have too; it runs nothing itself."""

    id: str
    primitive: Primitive  # of the same id: its agent, parameters, operations

    @property
    def meta(self) -> Mapping[str, str]:
        """The meta attributes that primitives of it have."""
        return self.primitive.meta


Resource = Primitive | Group | Clone | GroupClone | Bundle | Template


def is_true(text: str) -> bool:
    """Whether a text is one of those that Pacemaker reads as true."""
    return text.lower() in {"true", "on", "yes", "y", "1"}


def primitives(resource: Resource) -> tuple[Primitive, ...]:
    """Return the primitives that a resource is, or is made of; a template is none."""
    if isinstance(resource, Primitive):
        return (resource,)
    if isinstance(resource, Group | GroupClone):
        group = resource if isinstance(resource, Group) else resource.group
        return group.primitives
    if isinstance(resource, Bundle):
        return (resource.primitive,) if resource.primitive else ()
    return (resource.primitive,) if isinstance(resource, Clone) else ()


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


@dataclass(frozen=True)
class OwnTerms:
    """A constraint in Pacemaker's own terms: of sets of resources, of tickets, by several rules."""

    piece: Piece
    id: str = ""


Constraint = Order | Colocation | Location | OwnTerms


@dataclass(frozen=True)
class Setting:
    """One value that is no resource.

    `kind` is property, note (of pacefab's own), resource default, operation default or node
    attribute; or the further sets of one of them, which have no name: `value` is their meaning.
    """

    kind: str
    name: str
    value: str
    node: str = ""  # of a node attribute
    pieces: tuple[Piece, ...] = field(default=(), compare=False)

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

    `attributes` are permanent node attributes by node; `defaults` are rsc_defaults. `sets` are
    further sets by what they are of: property sets, resource default sets, operation default sets;
    `node_sets` those of nodes, by node and likewise: node attribute sets, node utilization sets.
    """

    properties: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()  # fencing devices (stonith:…) are primitives too
    constraints: tuple[Constraint, ...] = ()
    notes: Mapping[str, str] = field(default_factory=dict)  # nvpairs of property set "pacefab"
    objects: tuple[SectionObject, ...] = ()
    utilization: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by node
    operation_defaults: Mapping[str, str] = field(default_factory=dict)
    sets: Further = field(default_factory=dict)
    node_sets: Mapping[str, Further] = field(default_factory=dict)


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
