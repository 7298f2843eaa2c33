"""Desired and present -> what would have to change, each with its reason. Pure."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lxml import etree

from pacefab.errors import RefusedError
from pacefab.pacemaker import by_hand
from pacefab.pacemaker.cib import EMPTY, Cib, named_by
from pacefab.pacemaker.compare import (
    constraint_differences,
    differences,
    meaning,
    same_sets,
    same_value,
    setting_difference,
)
from pacefab.pacemaker.configuration import (
    read_constraint,
    read_constraints,
    read_resource,
    read_settings,
    says,
    settings,
)
from pacefab.pacemaker.conflicts import Read, check_place, check_units
from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Difference,
    Group,
    GroupClone,
    Order,
    OwnTerms,
    Primitive,
    Resource,
    SectionObject,
    Setting,
    Template,
    is_true,
    primitive_ids,
    primitives,
)
from pacefab.pacemaker.naming import constraint_id, is_secret, unused
from pacefab.pacemaker.placement.remote import known_nodes
from pacefab.pacemaker.sections import planning as sections
from pacefab.pacemaker.sections.change import Action, Noun, ObjectChange
from pacefab.pacemaker.sections.generation import fit, stale
from pacefab.pacemaker.sections.kinds import kind_of as section_kind
from pacefab.pacemaker.sections.plain_sets import as_read


@dataclass(frozen=True)
class ConfigurationPlan:
    """Everything that is to be done to the CIB, in order: what goes, settings, resources, rest.

    Args:
        changes: what is done.
        owned: pacefab's record after it: ids of resources and constraints, keys of settings.
        adopted: of these, what others made: it is there, and not in the record yet.
        unmanaged: ids of resources that are neither desired nor ours; never touched.
        leftover: what is ours and no longer desired; it stays without `prune`.
        secrets: RESOURCE:PARAMETER of what is a secret, and not by its name; recorded too.
    """

    changes: tuple[ObjectChange, ...] = ()
    owned: tuple[str, ...] = ()
    adopted: tuple[str, ...] = ()
    unmanaged: tuple[str, ...] = ()
    leftover: tuple[str, ...] = ()
    secrets: tuple[str, ...] = field(default=(), compare=False)

    def __bool__(self) -> bool:
        """Whether there is anything to do, if only to record what is ours."""
        return bool(self.changes or self.adopted)


def plan_configuration(
    cib: Cib | None, desired: Configuration, *, prune: bool = False, whole: bool = True
) -> ConfigurationPlan:
    """Return what makes the CIB hold `desired`.

    Args:
        cib: as read; None where no cluster is yet.
        desired: operations included (`metadata.complete`). What operators set by hand on resources
            (disabled, unmanaged, in maintenance) stays, where nothing is said of it here.
        prune: what is ours and no longer desired goes, with every constraint that names it.
        whole: `desired` is all that the inventory describes. A part of it (one service) makes
            nothing else a leftover, and takes no constraint away.

    Raises:
        RefusedError: an id belongs to something else, a resource stands in another container, a
            node of an attribute is not there, or two resources would share one unit (they stop
            each other's process).
    """
    if cib is None:
        cib = EMPTY
    desired = as_read(cib, fit(cib, desired), prune=prune)
    present = read_settings(cib, ids=True)
    made = _made(cib, desired, present)
    keys = [key for key, _ in made]
    recorded = tuple(_recorded(cib, desired, present))
    leftover = _without(keys, recorded) if whole else ()
    going = [key for key in leftover if prune or _loose(cib, desired, key)]
    gone = tuple(_removals(cib, going, present))
    removed = {change.id for change in gone} | set(going)
    kept = _without(removed, recorded)
    return ConfigurationPlan(
        changes=tuple(_in_order(gone, [change for _, change in made if change])),
        owned=tuple(dict.fromkeys([*kept, *keys])),
        adopted=tuple(_adopted(cib, made)),
        unmanaged=tuple(_unmanaged(cib, desired, keys)),
        leftover=_without(removed, leftover),
        secrets=tuple(_secrets(cib, desired)),
    )


def _in_order(gone: Sequence[ObjectChange], made: Sequence[ObjectChange]) -> Iterator[ObjectChange]:
    """Yield removals, then the rest; values go last from a set beside which others change.

    Once it is empty, another set would be read as the plain one.
    """
    settings_ = [each.present or each.desired for each in (*gone, *made)]
    among = any(isinstance(noun, Setting) and noun.pieces for noun in settings_)
    last = [
        each
        for each in gone
        if among and isinstance(each.present, Setting) and not each.present.pieces
    ]
    yield from (each for each in gone if each not in last)
    yield from (*made, *last)


def _secrets(cib: Cib, desired: Configuration) -> Iterator[str]:
    """Yield what is to be recorded: what was called a secret stays one while its resource does."""
    said = [
        f"{primitive.id}:{name}"
        for resource in desired.resources
        for primitive in primitives(resource)
        for name in sorted(primitive.hidden)
        if not is_secret(name)
    ]
    before = (key for key in cib.secrets if key.partition(":")[0] in cib.ids)
    yield from dict.fromkeys([*before, *said, *sections.recorded(desired)])


Made = tuple[str, ObjectChange | None]  # the key it is owned under, what is to be done


_Settings = Mapping[str, Setting]


def _made(cib: Cib, desired: Configuration, present: _Settings) -> list[Made]:
    """Return all that is desired with its change. Errors of `plan_configuration`."""
    # Each element is read once; what is read is kept by the element itself, not by a copy of it.
    read = functools.cache(functools.partial(read_resource, secrets=cib.secrets))
    for resource in desired.resources:
        check_place(cib, resource, read)
    check_units(cib, desired.resources, desired.constraints)
    return [
        *_settings(cib, desired, present),
        *(_resource(cib, resource, read) for resource in desired.resources),
        *_constraints(cib, desired.constraints),
        *sections.made(cib, desired),
    ]


def _without(removed: Collection[str], keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(key for key in keys if key not in removed)


def _adopted(cib: Cib, made: Iterable[Made]) -> Iterator[str]:
    """Yield the keys of what is there and not in our record."""
    owned = set(cib.owned)
    for key, change in made:
        added = change is not None and change.action is Action.ADD
        if key not in owned and not added:
            yield key


def _settings(cib: Cib, desired: Configuration, present: _Settings) -> Iterator[Made]:
    nodes = known_nodes(cib, desired)
    for key, setting in settings(desired, ids=True).items():
        if setting.node and nodes and setting.node not in nodes:
            raise RefusedError(
                f"set the attribute {setting.name} of {setting.node}",
                f"the cluster has no such node, only {', '.join(sorted(nodes))}",
                "check the node's name in the inventory, or add it first",
            )
        change = _setting(present.get(key), setting)
        if change or not setting.pieces or says(setting.pieces):
            yield key, change


def _setting(present: Setting | None, desired: Setting) -> ObjectChange | None:
    if present and (same_sets(present.pieces, desired.pieces) if desired.pieces
                    else same_value(present.value, desired.value)):  # fmt: skip
        return None
    difference = setting_difference(present, desired)
    action = Action.UPDATE if present else Action.ADD
    return ObjectChange(action, desired.kind, desired.id, (difference,), present, desired)


def _resource(cib: Cib, desired: Resource, read: Read) -> Made:
    element = cib.element(desired.id)
    present = None if element is None else read(element)
    desired = by_hand.keep(cib, desired, present)
    kind = kind_of(desired)
    if element is not None:
        found = differences(present, desired) if present else ()
        update = ObjectChange(Action.UPDATE, kind, desired.id, found, present, desired)
        return desired.id, update if found else None
    if all(cib.element(name) is None for name in primitive_ids([desired])):
        return desired.id, ObjectChange(Action.ADD, kind, desired.id, desired=desired)
    uncontained = Difference(kind.rpartition(" ")[2], None, desired.id)
    return desired.id, ObjectChange(Action.UPDATE, kind, desired.id, (uncontained,), None, desired)


def _constraints(cib: Cib, desired: tuple[Constraint, ...]) -> Iterator[Made]:
    present = {c.id: c for c in read_constraints(cib)}
    ids = {str(meaning(c)): c.id for c in present.values()}
    taken = set(cib.ids)
    every = {str(meaning(constraint)): constraint for constraint in desired}
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


def _constraint(present: Constraint | None, desired: Constraint) -> ObjectChange:
    kind = kind_of(desired)
    if present is None:
        return ObjectChange(Action.ADD, kind, desired.id, desired=desired)
    found = constraint_differences(present, desired)
    return ObjectChange(Action.UPDATE, kind, desired.id, found, present, desired)


def plan_removal(cib: Cib, resources: Collection[Resource]) -> ConfigurationPlan:
    """Return what takes resources out, whoever made them, and the constraints that name them.

    Raises:
        RefusedError: the ids belong to something else.
    """
    for resource in resources:
        check_place(cib, resource)
    ids = {*(resource.id for resource in resources), *primitive_ids(resources)}
    going = [str(e.get("id")) for e in cib.all_resources if e.get("id") in ids]
    gone = tuple(_removals(cib, going, {}))
    removed = {change.id for change in gone}
    return ConfigurationPlan(gone, _without(removed, cib.owned))


def constraint_ids(cib: Cib, constraints: Collection[Constraint]) -> frozenset[str]:
    """Return the ids under which a CIB has these constraints, or would have them."""
    return frozenset(name for name, _ in _constraints(cib, tuple(constraints)))


def _removals(cib: Cib, going: Iterable[str], present: _Settings) -> Iterator[ObjectChange]:
    """Return the removals of what has these keys, and of the constraints on it."""
    keys = set(going)
    if not keys:
        return
    resources = [element for element in cib.all_resources if element.get("id") in keys]
    inside = {str(e.get("id")) for resource in resources for e in resource.iter() if e.get("id")}
    for element in cib.all_constraints:
        if element.get("id") in keys or inside & set(named_by(element)):
            yield _removal(element, read_constraint(element))
    for element in resources:
        yield _removal(element, read_resource(element))
    yield from sections.removals(cib, keys)
    for key, setting in present.items():
        if key in keys:
            yield ObjectChange(Action.REMOVE, setting.kind, setting.id, present=setting)


def _removal(element: etree._Element, present: Resource | Constraint | None) -> ObjectChange:
    kind = kind_of(present) if present else str(element.tag)
    return ObjectChange(Action.REMOVE, kind, element.get("id", ""), present=present)


def kind_of(noun: Noun) -> str:
    """Return the word that operators have for it."""
    if isinstance(noun, Setting):
        return noun.kind
    if isinstance(noun, SectionObject):
        return section_kind(noun).word
    if isinstance(noun, Clone | GroupClone):
        return "promotable clone" if is_true(noun.meta.get("promotable", "")) else "clone"
    if isinstance(noun, OwnTerms):
        return f"{noun.piece.tag.removeprefix('rsc_')} constraint"
    if isinstance(noun, Primitive):
        return "fencing device" if noun.agent.startswith("stonith:") else "primitive"
    words = {
        Group: "group",
        Bundle: "bundle",
        Template: "template",
        Order: "order constraint",
        Colocation: "colocation constraint",
    }
    return words.get(type(noun), "location constraint")


def _recorded(cib: Cib, desired: Configuration, present: _Settings) -> Iterator[str]:
    """Return our record as far as it is still true.

    What was taken away by hand is not there; what became part of a clone goes by the clone's id.
    """
    top = {str(element.get("id")) for element in (*cib.all_resources, *cib.all_constraints)}
    said = {key for key, one in present.items() if not one.pieces or says(one.pieces)}
    there = top | said | set(sections.keys(cib))
    nested = primitive_ids(desired.resources) - {resource.id for resource in desired.resources}
    yield from (key for key in cib.owned if key in there and key not in nested)


def _loose(cib: Cib, desired: Configuration, key: str) -> bool:
    """Whether it goes without `prune`: a note that is no longer true, a constraint that is loose.

    So does a property that is desired by its other name.

    A constraint all of whose resources stay is only a changed setting of theirs.
    """
    if key.startswith("note:") or key in {f"property:{name}" for name in stale(desired.properties)}:
        return True
    stay = {resource.id for resource in desired.resources} | primitive_ids(desired.resources)
    found = next((element for element in cib.all_constraints if element.get("id") == key), None)
    return found is not None and set(named_by(found)) <= stay


def _unmanaged(cib: Cib, desired: Configuration, keys: Collection[str]) -> Iterator[str]:
    known = {*cib.owned, *(resource.id for resource in desired.resources)}
    known |= primitive_ids(desired.resources)
    yield from (str(e.get("id")) for e in cib.all_resources if e.get("id") not in known)
    yield from (key for key in sections.keys(cib) if key not in {*cib.owned, *keys})
