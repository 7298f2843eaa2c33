"""What in a CIB forbids a desired resource: another one has its id or runs its unit. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from lxml import etree

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, agent_of
from pacefab.pacemaker.configuration import read_resource
from pacefab.pacemaker.model import Primitive, Resource, primitive_ids, primitives

# Classes whose agent is one program on the node: systemd units and init scripts.
_ONE_PROCESS = ("systemd:", "service:", "lsb:", "upstart:")


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
    """Raise a RefusedError when a new resource has the unit of another one."""
    users: dict[str, str] = {}
    for primitive in chain.from_iterable(map(primitives, desired)):
        if not primitive.agent.startswith(_ONE_PROCESS):
            continue
        others = [str(e.get("id")) for e in cib.primitives_of(primitive.agent)]
        other = users.setdefault(primitive.agent, primitive.id)
        if other == primitive.id and others and primitive.id not in others:
            other = others[0]
        if other != primitive.id:
            raise RefusedError(
                f"create the resource {primitive.id}",
                f"{primitive.agent} is already managed by the resource {other}",
                "two resources on one unit fight each other: keep that one, or remove it first",
            )


def _advice(primitive: Primitive) -> str:
    return f"see it with: pcs resource config; it is not {primitive.agent}, so we leave it"


def _describe(element: etree._Element) -> str:
    said = f"a {element.tag} {element.get('id')}"
    if agent := agent_of(element):
        return f"{said} of {agent}"
    inner = [_describe(primitive) for primitive in element.iter("primitive")]
    return f"{said} around {', '.join(inner)}" if inner else said
