"""Desired sets of attributes -> the same sets as a CIB that has them is read. Pure.

An inventory may say as a further set what a CIB's reader takes for the plain one; were it compared
so, it would never be as desired.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from lxml import etree

from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.configuration import (
    NODE_SETS,
    default_set,
    map_primitives,
    property_set,
)
from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Configuration,
    Further,
    Group,
    GroupClone,
    Operation,
    Primitive,
    Resource,
    SectionObject,
    Setting,
)
from pacefab.pacemaker.nouns.piece import is_mark
from pacefab.pacemaker.nouns.plain_set import filled, parted, said
from pacefab.pacemaker.sections.alerts import ClusterAlert, Recipient

_Values = Mapping[str, str]
_Holder = TypeVar("_Holder", bound=Group | Clone | GroupClone | Bundle)
_Alerted = TypeVar("_Alerted", ClusterAlert, Recipient)
_PROPERTIES = "property sets"
_DEFAULTS = {"resource default sets": "rsc_defaults", "operation default sets": "op_defaults"}


def as_read(cib: Cib, desired: Configuration, *, prune: bool) -> Configuration:
    """Return what is desired with its plain sets where a CIB has them.

    Values of defaults and nodes that are not desired stay where the cluster has them, but for those
    of ours that `prune` takes away: beside such ones a further set is one of its own.
    """
    return replace(
        _settings(_PresentValues(cib, prune), desired),
        resources=tuple(map(_resource, desired.resources)),
        objects=tuple(map(_object, desired.objects)),
    )


def _resource(resource: Resource) -> Resource:
    found = map_primitives(_primitive, resource)
    if isinstance(found, GroupClone):
        found = replace(found, group=_holder(found.group))
    return _holder(found) if isinstance(found, Group | Clone | GroupClone | Bundle) else found


def _holder(noun: _Holder) -> _Holder:
    if not noun.further:
        return noun
    meta, further = said("meta_attributes", noun.meta, noun.further)
    return replace(noun, meta=meta, further=_without_empty(further))


def _primitive(noun: Primitive) -> Primitive:
    if any(operation.further for operation in noun.operations):
        noun = replace(noun, operations=tuple(map(_operation, noun.operations)))
    if not noun.further:
        return noun
    parameters, further = said("instance_attributes", noun.parameters, noun.further)
    meta, further = said("meta_attributes", noun.meta, further)
    return replace(noun, parameters=parameters, meta=meta, further=_without_empty(further))


def _operation(noun: Operation) -> Operation:
    return replace(noun, further=filled(noun.further))


def _without_empty(further: Further) -> Further:
    return {k: sets if k == "operations" else filled(sets) for k, sets in further.items()}


def _object(noun: SectionObject) -> SectionObject:
    if not isinstance(noun, ClusterAlert):
        return noun
    return replace(_alerted(noun), recipients=tuple(map(_alerted, noun.recipients)))


def _alerted(noun: _Alerted) -> _Alerted:
    if not noun.further:
        return noun
    attributes, further = said("instance_attributes", noun.attributes, noun.further)
    meta, further = said("meta_attributes", noun.meta, further)
    return replace(noun, attributes=attributes, meta=meta, further=further)


@dataclass(frozen=True)
class _PresentValues:
    """The values that a cluster has of defaults and nodes; `prune`: those of ours go."""

    cib: Cib
    prune: bool

    def others(self, kind: str, node: str, plain: etree._Element | None) -> set[str]:
        """Return the names in a plain set that stay whatever is desired; `kind`: of its sets."""
        names = set(pairs(plain))
        if not self.prune:
            return names
        word = kind.removesuffix(" sets")
        return {n for n in names if Setting(word, n, "", node).key not in self.cib.owned}


def _settings(present: _PresentValues, desired: Configuration) -> Configuration:
    if not desired.sets and not desired.node_sets:
        return desired
    values = {
        "resource default sets": desired.defaults,
        "operation default sets": desired.operation_defaults,
    }
    sets: Further = {kind: filled(each) for kind, each in desired.sets.items()}
    for kind, section in _DEFAULTS.items():
        others = present.others(kind, "", default_set(present.cib, section))
        values[kind], sets = _beside(others, values[kind], sets, kind, "meta_attributes")
    if _PROPERTIES in sets and not (desired.properties or pairs(property_set(present.cib))):
        unmarked = tuple(piece for piece in sets[_PROPERTIES] if not is_mark(piece))
        sets = {**sets, _PROPERTIES: unmarked}
    defaults, operation_defaults = values.values()
    found = replace(desired, defaults=defaults, operation_defaults=operation_defaults, sets=sets)
    return _of_nodes(present, found)


def _of_nodes(present: _PresentValues, desired: Configuration) -> Configuration:
    every = {
        "node attribute sets": dict(desired.attributes),
        "node utilization sets": dict(desired.utilization),
    }
    node_sets = dict(desired.node_sets)
    nodes = present.cib.root.iterfind("configuration/nodes/node")
    there = {e.get("uname", ""): e for e in nodes}
    for name in desired.node_sets:
        for kind, tag in NODE_SETS.items():
            plain = plain_set(there[name], tag) if name in there else None
            others, known = present.others(kind, name, plain), every[kind].get(name, {})
            own, node_sets[name] = _beside(others, known, node_sets[name], kind, tag)
            if own:
                every[kind][name] = own
    attributes, utilization = every.values()
    return replace(desired, attributes=attributes, utilization=utilization, node_sets=node_sets)


def _beside(
    others: set[str], plain: _Values, further: Further, kind: str, tag: str
) -> tuple[_Values, Further]:
    """Return pairs and sets of a kind; beside values of others the plain set is theirs, first."""
    if kind not in further:
        return plain, further
    own, sets = parted(tag, plain, further[kind])
    if own != plain and others - own.keys():
        first_marks = sorted(filled(further[kind]), key=lambda piece: not is_mark(piece))
        return plain, {**further, kind: tuple(first_marks)}
    return own, {**further, kind: sets}
