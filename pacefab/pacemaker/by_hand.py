"""What operators set on a resource while they work on it; an inventory leaves it so. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
    Template,
    primitives,
)
from pacefab.pacemaker.nouns.plain_set import emptied, said

HolderT = TypeVar("HolderT", Primitive, Group, Clone, GroupClone, Bundle)

_There = Mapping[str, Further]  # the further sets that are there, by the id of what has them

_META, _PARAMETERS = "meta_attributes", "instance_attributes"
# What `pcs resource disable`, `unmanage` and `meta … maintenance=` set, and what it is without.
_ORDINARY = {"target-role": "Started", "is-managed": "true", "maintenance": "false"}


def keep(cib: Cib, desired: Resource, present: Resource | None) -> Resource:
    """Return a desired resource with what operators have set on it, where it says nothing of that.

    Where it says what is so anyhow, it is as it is. `present` is what the CIB has by its id.
    """
    every = [each for each in _parts(present) if each is not None]
    there = {each.id: each.further for each in every}
    desired = map_primitives(partial(_primitive, cib, there), desired)
    if isinstance(desired, GroupClone):
        desired = replace(desired, group=_kept(cib, there, desired.group))
    if isinstance(desired, Group):
        return _kept(cib, there, desired)
    if isinstance(desired, Clone):
        return _kept(cib, there, desired)
    if isinstance(desired, GroupClone):
        return _kept(cib, there, desired)
    return _kept(cib, there, desired) if isinstance(desired, Bundle) else desired


def _parts(
    present: Resource | None,
) -> Iterator[Primitive | Group | Clone | GroupClone | Bundle | None]:
    """Yield a resource and what is in it, each with sets of its own."""
    if isinstance(present, Template):
        yield present.primitive
        return
    yield present
    yield from () if present is None else primitives(present)
    yield present.group if isinstance(present, GroupClone) else None


def _primitive(cib: Cib, there: _There, desired: Primitive) -> Primitive:
    found, element = _kept(cib, there, desired), cib.element(desired.id)
    if element is None or desired.parameters:
        return found
    present = there.get(desired.id) or read_further(element)
    values, left = _left(element, _PARAMETERS, desired.parameters, desired.further, present)
    return replace(found, parameters=values, further={**found.further, **left}) if left else found


def _kept(cib: Cib, there: _There, desired: HolderT) -> HolderT:
    element = cib.element(desired.id)
    if element is None:
        return desired
    meta, further = said(_META, _meta(element, desired.meta), desired.further)
    # Sets of which nothing is said stay as well, where the whole element is written anew.
    present = there.get(desired.id) or read_further(element)
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


def _meta(element: etree._Element, desired: Mapping[str, str]) -> dict[str, str]:
    nvset = plain_set(element, _META)
    present = {} if nvset is None else pairs(nvset)
    kept = {key: present[key] for key in _ORDINARY if key in present and key not in desired}
    anyhow = {
        key
        for key, value in _ORDINARY.items()
        if key not in present and key in desired and same_value(desired[key], value)
    }
    return {**{key: to for key, to in desired.items() if key not in anyhow}, **kept}
