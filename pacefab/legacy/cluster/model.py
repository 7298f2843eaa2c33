"""The cluster that commands built so far: a model that each further command changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pacefab.legacy.model import Place

PROMOTABLE, CLONE = "promotable", "clone"


@dataclass
class Value:
    """A setting: its text, where it was set, and the number of the command that set it."""

    text: str
    place: Place
    by: int


@dataclass
class ReplayedResource:
    """A resource or fencing device; its clone, when it has one, is part of it."""

    id: str
    agent: str
    place: Place
    by: int
    parameters: dict[str, str] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    operations: list[dict[str, str]] = field(default_factory=list)  # each with its "name"
    copies: str = ""  # clone, promotable
    clone_meta: dict[str, str] = field(default_factory=dict)
    disabled: bool = False
    touched: list[tuple[int, Place]] = field(default_factory=list)  # later commands
    switched: list[tuple[int, Place]] = field(
        default_factory=list
    )  # what last enabled, disabled it
    removed: set[str] = field(default_factory=set)  # operations that `op remove` removed
    meta_set: dict[str, tuple[int, Place]] = field(default_factory=dict)  # by later commands

    @property
    def clone_id(self) -> str:
        """The clone's id as today's pcs makes it, also of what pcs 0.9 called NAME-master."""
        return f"{self.id}-clone" if self.copies else ""


@dataclass
class ReplayedGroup:
    """A group: its members' ids in their order."""

    id: str
    place: Place
    by: int
    members: list[str] = field(default_factory=list)
    meta: dict[str, str] = field(default_factory=dict)
    copies: str = ""
    clone_meta: dict[str, str] = field(default_factory=dict)
    disabled: bool = False
    touched: list[tuple[int, Place]] = field(default_factory=list)  # later commands

    @property
    def clone_id(self) -> str:
        """The clone's id as today's pcs makes it."""
        return f"{self.id}-clone" if self.copies else ""


@dataclass
class ReplayedConstraint:
    """An order, colocation or location; `options` have the names of our inventory."""

    kind: str
    id: str  # as pcs calls it, or as crmsh was given it
    resources: tuple[str, ...]
    options: dict[str, str]
    place: Place
    by: int

    @property
    def about(self) -> tuple[object, ...]:
        """What an inventory can have only one constraint about."""
        keys = {
            "order": ("first_action", "then_action"),
            "colocation": ("role", "with_role"),
            "location": ("node", "attribute", "operation", "value"),
        }[self.kind]
        return (self.kind, self.resources, *(self.options.get(key) for key in keys))


@dataclass
class Level:
    """A fencing level of a node."""

    level: str
    node: str
    devices: list[str]
    place: Place
    by: int


@dataclass
class ReplayedCluster:
    """All of it. Ids of clones are today's everywhere."""

    name: Value | None = None
    nodes: dict[str, Value] = field(default_factory=dict)
    addresses: dict[str, Value] = field(default_factory=dict)  # of nodes, as setup names them
    properties: dict[str, Value] = field(default_factory=dict)
    defaults: dict[str, Value] = field(default_factory=dict)
    operation_defaults: dict[str, Value] = field(default_factory=dict)
    attributes: dict[str, dict[str, Value]] = field(default_factory=dict)
    resources: dict[str, ReplayedResource] = field(default_factory=dict)
    fencing: dict[str, ReplayedResource] = field(default_factory=dict)
    levels: list[Level] = field(default_factory=list)
    groups: dict[str, ReplayedGroup] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)  # a clone's own id -> its resource
    constraints: list[ReplayedConstraint] = field(default_factory=list)

    def find(self, name: str) -> ReplayedResource | ReplayedGroup | None:
        """Return what an id means: a resource, its clone (NAME-clone, NAME-master) or a group."""
        everything: dict[str, ReplayedResource | ReplayedGroup] = {
            **self.resources,
            **self.fencing,
            **self.groups,
        }
        name = self.aliases.get(name, name)
        if name in everything:
            return everything[name]
        base = name.removesuffix("-clone").removesuffix("-master")
        found = everything.get(base)
        return found if found is not None and base != name and found.copies else None

    def ids(self) -> set[str]:
        """Return every id and agent that a listing of the cluster would show."""
        everything: list[ReplayedResource | ReplayedGroup] = [
            *self.resources.values(), *self.fencing.values(), *self.groups.values()
        ]  # fmt: skip
        found = {name for item in everything for name in (item.id, item.clone_id)}
        found.update(item.agent for item in everything if isinstance(item, ReplayedResource))
        found.update(constraint.id for constraint in self.constraints)
        return found | set(self.aliases) | set(self.properties) | set(self.nodes)

    def today(self, name: str) -> str:
        """Return an id as it is today: NAME-clone of what was NAME-master."""
        found = self.find(name)
        return found.clone_id if found and name != found.id else name

    def naming(self, ids: set[str]) -> list[ReplayedConstraint]:
        """Return the constraints that name one of these ids."""
        return [constraint for constraint in self.constraints if ids & set(constraint.resources)]

    def group_of(self, name: str) -> str:
        """Return the group that a resource is in; empty when it is in none."""
        return next((group.id for group in self.groups.values() if name in group.members), "")

    def in_order(self) -> Iterator[ReplayedResource]:
        """Yield the resources; members of a group together, in the group's order."""
        grouped = {name: group for group in self.groups.values() for name in group.members}
        shown: set[str] = set()
        for name in self.resources:
            for member in grouped[name].members if name in grouped else [name]:
                if member in self.resources and member not in shown:
                    shown.add(member)
                    yield self.resources[member]

    def commands(self) -> Iterator[int]:
        """Yield the numbers of the commands that something is left of."""
        settings = [
            *self.nodes.values(),
            *self.properties.values(),
            *self.defaults.values(),
            *self.operation_defaults.values(),
            *(value for shelf in self.attributes.values() for value in shelf.values()),
        ]
        yield from ([self.name.by] if self.name else [])
        yield from (value.by for value in settings)
        yield from (level.by for level in self.levels)
        yield from (constraint.by for constraint in self.constraints)
        for resource in (*self.resources.values(), *self.fencing.values()):
            yield resource.by
            yield from (number for number, _ in resource.touched)
        for group in self.groups.values():
            yield group.by
            yield from (number for number, _ in group.touched)
