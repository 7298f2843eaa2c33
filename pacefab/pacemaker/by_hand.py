"""What operators set on a resource while they work on it; an inventory leaves it so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

from lxml import etree

from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.compare import same_value
from pacefab.pacemaker.configuration import map_primitives, read_further
from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Further,
    Group,
    GroupClone,
    Primitive,
    Resource,
)
from pacefab.pacemaker.nouns.piece import read_sets
from pacefab.pacemaker.nouns.plain_set import emptied, said

HolderT = TypeVar("HolderT", Primitive, Group, Clone, GroupClone, Bundle)

_META, _PARAMETERS = "meta_attributes", "instance_attributes"
# What `pcs resource disable`, `unmanage` and `meta … maintenance=` set, and what it is without.
_ORDINARY = {"target-role": "Started", "is-managed": "true", "maintenance": "false"}


def keep(cib: Cib, desired: Resource) -> Resource:
    """Return a desired resource with what operators have set on it, where it says nothing of that.

    Where it says what is so anyhow, it is as it is.
    """
    desired = map_primitives(partial(_primitive, cib), desired)
    if isinstance(desired, GroupClone):
        desired = replace(desired, group=_kept(cib, desired.group))
    if isinstance(desired, Group):
        return _kept(cib, desired)
    if isinstance(desired, Clone):
        return _kept(cib, desired)
    if isinstance(desired, GroupClone):
        return _kept(cib, desired)
    return _kept(cib, desired) if isinstance(desired, Bundle) else desired


def _primitive(cib: Cib, desired: Primitive) -> Primitive:
    found, element = _kept(cib, desired), cib.element(desired.id)
    if element is None:
        return found
    there = {_PARAMETERS: read_sets(element, plain_set(element, _PARAMETERS), _PARAMETERS)}
    values, left = _left(element, _PARAMETERS, desired.parameters, desired.further, there)
    return replace(found, parameters=values, further={**found.further, **left})


def _kept(cib: Cib, desired: HolderT) -> HolderT:
    element = cib.element(desired.id)
    meta, further = said(_META, _meta(cib, desired.id, desired.meta), desired.further)
    if element is None:
        return replace(desired, meta=meta, further=further)
    # Sets of which nothing is said stay as well, where the whole element is written anew.
    present = read_further(element)
    meta, left = _left(element, _META, meta, further, present)
    return replace(desired, meta=meta, further={**present, **left, **further})


def _left(
    element: etree._Element, kind: str, plain: Mapping[str, str], said_: Further, present: Further
) -> tuple[Mapping[str, str], Further]:
    """Return pairs of a kind, and its sets that stay where it is emptied and they are not said."""
    if plain or kind in said_ or not present[kind]:
        return plain, {}
    found = emptied(kind, pairs(plain_set(element, kind)), present[kind])
    return (plain, {}) if found is None else (found[0], {kind: found[1]})


def _meta(cib: Cib, name: str, desired: Mapping[str, str]) -> dict[str, str]:
    element = cib.element(name)
    if element is None:
        return dict(desired)
    nvset = plain_set(element, _META)
    present = {} if nvset is None else pairs(nvset)
    kept = {key: present[key] for key in _ORDINARY if key in present and key not in desired}
    anyhow = {
        key
        for key, value in _ORDINARY.items()
        if key not in present and key in desired and same_value(desired[key], value)
    }
    return {**{key: to for key, to in desired.items() if key not in anyhow}, **kept}
