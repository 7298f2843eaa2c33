"""Conflicts of a desired resource with a CIB: its id or its unit is already in use. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from lxml import etree

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, agent_of
from pacefab.pacemaker.configuration import read_resource
from pacefab.pacemaker.model import Primitive, Resource, primitive_ids, primitives
from pacefab.pacemaker.ownership import Runner, desired_runner, runners


def check_place(cib: Cib, desired: Resource) -> None:
    """Raise a RefusedError when an id of the resource belongs to something else."""
    for primitive in primitives(desired):
        _check_primitive(cib, primitive, desired)
    if isinstance(desired, Primitive):
        return
    attempted = f"look for the resource {primitives(desired)[0].id}"
    container = cib.element(desired.id)
    if container is None:
        return
    inside = any(cib.element(name) is not None for name in primitive_ids([desired]))
    if type(read_resource(container)) is not type(desired) or not inside:
        seen = f"the id {desired.id} is {_describe(container)}"
        raise RefusedError(attempted, seen, _advice(primitives(desired)[0]))


def _check_primitive(cib: Cib, primitive: Primitive, desired: Resource) -> None:
    element = cib.element(primitive.id)
    if element is None:
        return
    attempted = f"look for the resource {primitive.id}"
    if element.tag != "primitive" or agent_of(element) != primitive.agent:
        raise RefusedError(attempted, f"that id is {_describe(element)}", _advice(primitive))
    parent = element.getparent()
    own = "" if isinstance(desired, Primitive) else desired.id
    if parent is not None and parent.tag != "resources" and parent.get("id") != own:
        inside = f"it is inside {_describe(parent)}"
        raise RefusedError(attempted, inside, "take it out there by hand, then run again")


def check_units(cib: Cib, desired: Iterable[Resource]) -> None:
    """Raise a RefusedError when a new resource has the unit of another one.

    That may be of any class and id: two resources on one unit stop each other's process.
    """
    present = runners(cib)
    there = {runner.id for runner in present}
    earlier: list[Runner] = []
    for primitive in chain.from_iterable(map(primitives, desired)):
        own = desired_runner(primitive)
        others = [*earlier, *(() if own.id in there else present)]
        for other in others:
            if other.id != own.id and own.fights(other):
                unit = min(own.units & other.units, default=own.agent)
                raise RefusedError(
                    f"create the resource {own.id}",
                    f"{unit} is already managed by the resource {other}",
                    f"two resources on one unit fight each other: {_ways_out(other)}",
                )
        earlier.append(own)


def _ways_out(other: Runner) -> str:
    return (
        f"keep {other.top}, take the service out of the inventory and describe {other.top} under "
        f"its resources (fab export writes it); or remove {other.top} in a maintenance window"
    )


def _advice(primitive: Primitive) -> str:
    return f"see it with: pcs resource config; it is not {primitive.agent}, so we leave it"


def _describe(element: etree._Element) -> str:
    said = f"a {element.tag} {element.get('id')}"
    if agent := agent_of(element):
        return f"{said} of {agent}"
    inner = [_describe(primitive) for primitive in element.iter("primitive")]
    return f"{said} around {', '.join(inner)}" if inner else said
