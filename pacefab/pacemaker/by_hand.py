"""What operators set on a resource while they work on it; an inventory leaves it so. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.compare import same_value
from pacefab.pacemaker.model import Clone, Group, Primitive, Resource

# What `pcs resource disable`, `unmanage` and `meta … maintenance=` set, and what it is without.
_ORDINARY = {"target-role": "Started", "is-managed": "true", "maintenance": "false"}


def keep(cib: Cib, desired: Resource) -> Resource:
    """Return a desired resource with what operators have set on it, where it says nothing of that.

    Where it says what is so anyhow, it is as it is.
    """
    if isinstance(desired, Clone):
        desired = replace(desired, primitive=_primitive(cib, desired.primitive))
    elif isinstance(desired, Group):
        members = tuple(_primitive(cib, member) for member in desired.primitives)
        desired = replace(desired, primitives=members)
    return replace(desired, meta=_meta(cib, desired.id, desired.meta))


def _primitive(cib: Cib, desired: Primitive) -> Primitive:
    return replace(desired, meta=_meta(cib, desired.id, desired.meta))


def _meta(cib: Cib, name: str, desired: Mapping[str, str]) -> dict[str, str]:
    element = cib.element(name)
    if element is None:
        return dict(desired)
    nvset = plain_set(element, "meta_attributes")
    present = {} if nvset is None else pairs(nvset)
    kept = {key: present[key] for key in _ORDINARY if key in present and key not in desired}
    anyhow = {
        key
        for key, value in _ORDINARY.items()
        if key not in present and key in desired and same_value(desired[key], value)
    }
    return {**{key: to for key, to in desired.items() if key not in anyhow}, **kept}
