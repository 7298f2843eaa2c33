"""A change -> the CIB it makes, and the pcs line an operator would have typed. Pure."""

from __future__ import annotations

import copy
import re
import shlex
from collections.abc import Mapping

from lxml import etree

from fabfile.pacemaker.cib import Cib
from fabfile.pacemaker.model import Clone, Operation, Primitive
from fabfile.pacemaker.plan import Action, Change

# What an id may not hold is replaced, as pcs does it (XML Schema, type NCName).
_NOT_IN_ID = re.compile(r"[^A-Za-z0-9_.\-]")


def render_cib(cib: Cib, change: Change, *, with_constraints: bool = False) -> Cib:
    """Return the CIB after the change; `cib` stays as it is.

    Args:
        cib: as read.
        change: what to do.
        with_constraints: a removal takes the constraints that name the resource along.
    """
    if change.action is Action.NONE:
        return cib
    after = _next(cib)
    place = _take_out(after, change.clone)
    if change.action is Action.REMOVE and with_constraints:
        for constraint in after.constraints_on(change.clone.id, change.clone.primitive.id):
            after.constraints.remove(constraint)
    if change.action in {Action.ADD, Action.UPDATE}:
        after.resources.insert(place, _clone(change.clone))
    return after


def render_restored(cib: Cib, before: Cib, clone: Clone) -> Cib:
    """Return `cib` with the clone as it stood in `before`: put back, or gone."""
    after = _next(cib)
    place = _take_out(after, clone)
    for element in before.resources:
        if element.get("id") in {clone.id, clone.primitive.id}:
            after.resources.insert(place, copy.deepcopy(element))
    return after


def _next(cib: Cib) -> Cib:
    """Return a copy to change, one epoch on.

    The patch between the two says from which version to which it leads; Pacemaker refuses it when
    the CIB is no longer the one that we read.
    """
    root = copy.deepcopy(cib.root)
    _, epoch, _ = cib.version
    root.set("epoch", str(epoch + 1))
    root.set("num_updates", "0")
    return Cib(root)


def render_pcs(clone: Clone) -> str:
    """Return today's pcs line (0.10 and newer) that creates the clone."""
    primitive = clone.primitive
    words = ["pcs", "resource", "create", primitive.id, primitive.agent]
    words += [f"{key}={value}" for key, value in primitive.parameters.items()]
    words += ["clone", *(f"{key}={value}" for key, value in clone.meta.items())]
    return shlex.join(words)


def _take_out(cib: Cib, clone: Clone) -> int:
    """Remove clone and primitive; return where they stood, the end if they did not."""
    for place, element in enumerate(cib.resources):
        if element.get("id") in {clone.id, clone.primitive.id}:
            cib.resources.remove(element)
            return place
    return len(cib.resources)


def _clone(clone: Clone) -> etree._Element:
    element = etree.Element("clone", id=clone.id)
    element.append(_primitive(clone.primitive))
    _add_nvset(element, "meta_attributes", clone.meta)
    return element


def _primitive(primitive: Primitive) -> etree._Element:
    parts = primitive.agent.split(":")
    attributes = {"id": primitive.id, "class": parts[0], "type": parts[-1]}
    if len(parts) == 3:  # noqa: PLR2004  # class:provider:type
        attributes["provider"] = parts[1]
    element = etree.Element("primitive", attributes)
    _add_nvset(element, "instance_attributes", primitive.parameters)
    _add_nvset(element, "meta_attributes", primitive.meta)
    operations = etree.SubElement(element, "operations")
    for op in primitive.operations:
        operations.append(_operation(primitive.id, op))
    return element


def _operation(resource: str, op: Operation) -> etree._Element:
    attributes = {"name": op.name, "interval": op.interval, "timeout": op.timeout, **op.others}
    attributes["id"] = _id(f"{resource}-{op.name}-interval-{op.interval}")
    return etree.Element("op", {key: value for key, value in attributes.items() if value})


def _add_nvset(element: etree._Element, kind: str, pairs: Mapping[str, str]) -> None:
    if not pairs:
        return
    set_id = f"{element.get('id')}-{kind}"
    nvset = etree.SubElement(element, kind, id=set_id)
    for name, value in pairs.items():
        etree.SubElement(nvset, "nvpair", id=_id(f"{set_id}-{name}"), name=name, value=value)


def _id(text: str) -> str:
    return _NOT_IN_ID.sub("", text)
