"""Wanted and present -> what would have to change, each with its reason. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from lxml import etree

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import EMPTY, Cib, named_by
from pacefab.pacemaker.compare import constraint_differences, differences, meaning, same_value
from pacefab.pacemaker.configuration import (
    read_configuration,
    read_constraint,
    read_resource,
    settings,
)
from pacefab.pacemaker.conflicts import check_place, check_units
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Difference,
    Group,
    Order,
    Primitive,
    Resource,
    Setting,
    primitives,
)
from pacefab.pacemaker.naming import all_ids, constraint_id, unused


class Action(StrEnum):
    """What a change does to one object of the CIB."""

    ADD = "add"
    UPDATE = "update"
    REMOVE = "remove"


Noun = Resource | Constraint | Setting


@dataclass(frozen=True)
class ObjectChange:
    """What is to be done to one object of the CIB.

    `kind` is an operator's word (clone, promotable clone, primitive, fencing device, group, order
    constraint, property, resource default, node attribute). `present` is None for what is not
    there, and for what our nouns cannot say; `wanted` is None for what goes.
    """

    action: Action
    kind: str
    id: str
    differences: tuple[Difference, ...] = ()
    present: Noun | None = None
    wanted: Noun | None = None

    def __str__(self) -> str:
        """Return a line: "add clone memcached-clone", "update property x: 1 -> 2"."""
        if isinstance(self.wanted or self.present, Setting) and self.differences:
            return f"{self.action.value} {self.kind} {self.differences[0]}"
        said = f"{self.action.value} {self.kind} {self.id}"
        return f"{said}: {'; '.join(map(str, self.differences))}" if self.differences else said


@dataclass(frozen=True)
class ConfigurationPlan:
    """Everything that is to be done to the CIB, in order: what goes, settings, resources, rest.

    Args:
        changes: what is done.
        owned: pacefab's record after it: ids of resources and constraints, keys of settings.
        adopted: of these, what others made: it is there, and not in the record yet.
        unmanaged: ids of resources that are neither wanted nor ours; never touched.
        leftover: what is ours and no longer wanted; it stays, for want of `prune`.
    """

    changes: tuple[ObjectChange, ...] = ()
    owned: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    unmanaged: tuple[str, ...] = ()
    leftover: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Whether there is anything to do, and be it to write down what is ours."""
        return bool(self.changes or self.adopted)


def plan_configuration(
    cib: Cib | None, wanted: Configuration, *, prune: bool = False, whole: bool = True
) -> ConfigurationPlan:
    """Return what makes the CIB hold `wanted`.

    Args:
        cib: as read; None where no cluster is yet.
        wanted: operations included (`metadata.complete`).
        prune: what is ours and no longer wanted goes, with every constraint that names it.
        whole: `wanted` is all that the inventory wants. A part of it (one service) makes nothing
            else a leftover, and takes no constraint away.

    Raises:
        RefusedError: an id belongs to something else, a resource stands in another container, a
            node of an attribute is not there, or two resources would share one unit (they stop
            each other's process).
    """
    if cib is None:
        cib = EMPTY
    for resource in wanted.resources:
        check_place(cib, resource)
    check_units(cib, wanted.resources)
    made = [
        *_settings(cib, wanted),
        *(_resource(cib, resource) for resource in wanted.resources),
        *_constraints(cib, wanted.constraints),
    ]
    keys = {key for key, _ in made}
    leftover = _leftover(cib, wanted, keys) if whole else []
    going = [key for key in leftover if prune or _loose(cib, wanted, key)]
    gone = tuple(_removals(cib, going))
    removed = {change.id for change in gone} | set(going)
    kept = [key for key in _recorded(cib, wanted) if key not in removed]
    changes = (*gone, *(change for _, change in made if change))
    added = {key for key, change in made if change and change.action is Action.ADD}
    return ConfigurationPlan(
        changes=changes,
        owned=tuple(dict.fromkeys([*kept, *(key for key, _ in made)])),
        adopted=tuple(key for key, _ in made if key not in cib.owned and key not in added),
        unmanaged=tuple(_unmanaged(cib, wanted)),
        leftover=tuple(key for key in leftover if key not in removed),
    )


Made = tuple[str, ObjectChange | None]  # the key it is owned under, what is to be done


def _settings(cib: Cib, wanted: Configuration) -> Iterator[Made]:
    present = settings(read_configuration(cib))
    nodes = {node.get("uname") for node in cib.root.iterfind("configuration/nodes/node")}
    for key, setting in settings(wanted).items():
        if setting.node and nodes and setting.node not in nodes:
            raise RefusedError(
                f"set the attribute {setting.name} of {setting.node}",
                f"the cluster has no such node, only {', '.join(sorted(map(str, nodes)))}",
                "check the node's name in the inventory, or add it first",
            )
        yield key, _setting(present.get(key), setting)


def _setting(present: Setting | None, wanted: Setting) -> ObjectChange | None:
    if present and same_value(present.value, wanted.value):
        return None
    difference = Difference(wanted.id, present.value if present else None, wanted.value)
    action = Action.UPDATE if present else Action.ADD
    return ObjectChange(action, wanted.kind, wanted.id, (difference,), present, wanted)


def _resource(cib: Cib, wanted: Resource) -> Made:
    kind = kind_of(wanted)
    element = cib.element(wanted.id)
    if element is not None:
        present = read_resource(element)
        found = differences(present, wanted) if present else ()
        update = ObjectChange(Action.UPDATE, kind, wanted.id, found, present, wanted)
        return wanted.id, update if found else None
    inner = [one.id for one in primitives(wanted) if cib.element(one.id) is not None]
    if not inner:
        return wanted.id, ObjectChange(Action.ADD, kind, wanted.id, wanted=wanted)
    uncontained = Difference(kind.rpartition(" ")[2], None, wanted.id)
    return wanted.id, ObjectChange(Action.UPDATE, kind, wanted.id, (uncontained,), None, wanted)


def _constraints(cib: Cib, wanted: tuple[Constraint, ...]) -> Iterator[Made]:
    present = {c.id: c for c in read_configuration(cib).constraints}
    ids = {str(meaning(c)): c.id for c in present.values()}
    taken = all_ids(cib.root)
    every = {str(meaning(constraint)): constraint for constraint in wanted}
    for said, constraint in every.items():
        if said in ids:
            yield ids[said], None
            continue
        name = constraint.id or constraint_id(constraint)
        old = present.get(name)
        if type(old) is not type(constraint) or str(meaning(old)) in every:
            old, name = None, unused(name, taken)
        taken.add(name)
        yield name, _constraint(old, replace(constraint, id=name))


def _constraint(present: Constraint | None, wanted: Constraint) -> ObjectChange:
    kind = kind_of(wanted)
    if present is None:
        return ObjectChange(Action.ADD, kind, wanted.id, wanted=wanted)
    found = constraint_differences(present, wanted)
    return ObjectChange(Action.UPDATE, kind, wanted.id, found, present, wanted)


def plan_removal(cib: Cib, resource: Resource) -> ConfigurationPlan:
    """Return what takes a resource out, whoever made it, and the constraints that name it.

    Raises:
        RefusedError: the ids belong to something else.
    """
    check_place(cib, resource)
    ids = (resource.id, *(one.id for one in primitives(resource)))
    going = [str(e.get("id")) for e in cib.resources if e.get("id") in ids]
    gone = tuple(_removals(cib, going))
    removed = {change.id for change in gone}
    return ConfigurationPlan(gone, tuple(key for key in cib.owned if key not in removed))


def _removals(cib: Cib, going: Iterable[str]) -> Iterator[ObjectChange]:
    """Return the removals of what has these keys, and of the constraints on it."""
    keys = set(going)
    resources = [element for element in cib.resources if element.get("id") in keys]
    inside = {str(e.get("id")) for resource in resources for e in resource.iter() if e.get("id")}
    for element in cib.constraints:
        if element.get("id") in keys or inside & set(named_by(element)):
            yield _removal(element, read_constraint(element))
    for element in resources:
        yield _removal(element, read_resource(element))
    for key, setting in settings(read_configuration(cib)).items():
        if key in keys:
            yield ObjectChange(Action.REMOVE, setting.kind, setting.id, present=setting)


def _removal(element: etree._Element, present: Resource | Constraint | None) -> ObjectChange:
    kind = kind_of(present) if present else str(element.tag)
    return ObjectChange(Action.REMOVE, kind, element.get("id", ""), present=present)


def kind_of(noun: Noun) -> str:
    """Return the word that operators have for it."""
    if isinstance(noun, Setting):
        return noun.kind
    if isinstance(noun, Clone):
        return "promotable clone" if noun.promotable else "clone"
    if isinstance(noun, Primitive):
        return "fencing device" if noun.agent.startswith("stonith:") else "primitive"
    words = {Group: "group", Order: "order constraint", Colocation: "colocation constraint"}
    return words.get(type(noun), "location constraint")


def _leftover(cib: Cib, wanted: Configuration, keys: set[str]) -> list[str]:
    """Return the keys of what is ours, is there and is no longer wanted."""
    return [key for key in _recorded(cib, wanted) if key not in keys]


def _recorded(cib: Cib, wanted: Configuration) -> Iterator[str]:
    """Return our record as far as it is still true.

    What was taken away by hand is not there; what became part of a clone goes by the clone's id.
    """
    top = {str(element.get("id")) for element in (*cib.resources, *cib.constraints)}
    there = top | set(settings(read_configuration(cib)))
    inner = {one.id for resource in wanted.resources for one in primitives(resource)}
    nested = inner - {resource.id for resource in wanted.resources}
    yield from (key for key in cib.owned if key in there and key not in nested)


def _loose(cib: Cib, wanted: Configuration, key: str) -> bool:
    """Whether it goes without `prune`: a note that is no longer true, a constraint that is loose.

    A constraint all of whose resources stay is but a changed setting of theirs.
    """
    if key.startswith("note:"):
        return True
    stay = {resource.id for resource in wanted.resources}
    stay |= {one.id for resource in wanted.resources for one in primitives(resource)}
    found = next((element for element in cib.constraints if element.get("id") == key), None)
    return found is not None and set(named_by(found)) <= stay


def _unmanaged(cib: Cib, wanted: Configuration) -> Iterator[str]:
    known = {*cib.owned, *(resource.id for resource in wanted.resources)}
    known |= {one.id for resource in wanted.resources for one in primitives(resource)}
    yield from (str(e.get("id")) for e in cib.resources if e.get("id") not in known)
