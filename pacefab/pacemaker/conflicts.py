"""Conflicts of a desired resource with a CIB: its id or its unit is already in use. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import Any

from lxml import etree

from pacefab.errors import RefusedError
from pacefab.pacemaker.cib import Cib, agent_of
from pacefab.pacemaker.configuration import read_resource
from pacefab.pacemaker.model import (
    Constraint,
    GroupClone,
    Location,
    Primitive,
    Resource,
    primitive_ids,
    primitives,
)
from pacefab.pacemaker.ownership import Runner, desired_runner, runners

Read = Callable[[Any], Resource | None]  # an element


def check_place(cib: Cib, desired: Resource, read: Read = read_resource) -> None:
    """Raise a RefusedError when an id of the resource belongs to something else.

    `read` is for whoever reads the same elements again.
    """
    for primitive in primitives(desired):
        _check_primitive(cib, primitive, desired)
    if isinstance(desired, Primitive):
        return
    container = cib.element(desired.id)
    if container is None:
        return
    first = next(iter(primitives(desired)), None)
    attempted = f"look for the resource {first.id if first else desired.id}"
    inside = first is None or any(
        cib.element(name) is not None for name in primitive_ids([desired])
    )
    if type(read(container)) is not type(desired) or not inside:
        seen = f"the id {desired.id} is {_describe(cib, container)}"
        advice = _advice(first) if first else "see it with: pcs resource config"
        raise RefusedError(attempted, seen, advice)


def _check_primitive(cib: Cib, primitive: Primitive, desired: Resource) -> None:
    element = cib.element(primitive.id)
    if element is None:
        return
    attempted = f"look for the resource {primitive.id}"
    if element.tag != "primitive" or agent_of(element) != primitive.agent:
        seen = f"that id is {_describe(cib, element)}"
        raise RefusedError(attempted, seen, _advice(primitive, element))
    parent = element.getparent()
    own = "" if isinstance(desired, Primitive) else desired.id
    own = desired.group.id if isinstance(desired, GroupClone) else own
    if parent is not None and parent.tag != "resources" and parent.get("id") != own:
        inside = f"it is inside {_describe(cib, parent)}"
        raise RefusedError(attempted, inside, "take it out there by hand, then run again")


def check_units(
    cib: Cib, desired: Iterable[Resource], constraints: Iterable[Constraint] = ()
) -> None:
    """Raise a RefusedError when a new resource has the unit of another one.

    That may be of any class and id: two resources on one unit stop each other's process. Two that
    the constraints keep on different nodes do not.
    """
    desired = list(desired)
    present, made, apart = _Users(), _Users(), _Domains(desired, constraints)
    for runner in runners(cib):
        present.add(runner)
    for primitive in chain.from_iterable(map(primitives, desired)):
        own = desired_runner(primitive)
        known = [made] if own.id in present.ids else [made, present]
        rivals = (other for users in known for other in users.rivals(own))
        other = next((other for other in rivals if not apart.keep(own.id, other.id)), None)
        if other is not None:
            unit = min(own.units & other.units, default=own.agent)
            raise RefusedError(
                f"create the resource {own.id}",
                f"{unit} is already managed by the resource {other}",
                f"two resources on one unit fight each other: {_ways_out(other)}",
            )
        made.add(own)


class _Domains:
    """On which nodes each primitive may run at all: those that exclusive locations name.

    Pacemaker runs a resource with locations whose resource-discovery is exclusive on no other node.
    """

    def __init__(self, resources: Iterable[Resource], constraints: Iterable[Constraint]) -> None:
        names = {one.id: {one.id, *primitive_ids([one])} for one in resources}
        names |= {id_: {id_} for ids in list(names.values()) for id_ in ids if id_ not in names}
        self._found: dict[str, dict[str, set[str]]] = {}
        for one in constraints:
            if isinstance(one, Location) and one.resource_discovery == "exclusive":
                key, value = ("", one.node) if one.node else (one.attribute, one.value)
                if one.operation not in {"eq", ""}:
                    key, value = f"{one.attribute} {one.operation}", one.value
                for id_ in names.get(one.resource, ()):
                    self._found.setdefault(id_, {}).setdefault(key, set()).add(value)

    def keep(self, first: str, second: str) -> bool:
        """Return whether two primitives can never be on one node."""
        left, right = self._found.get(first, {}), self._found.get(second, {})
        if len(left) != 1 or left.keys() != right.keys() or " " in next(iter(left)):
            return False
        return not set.intersection(*left.values(), *right.values())


class _Users:
    """Which primitives run a unit or are of an agent, found at once among many."""

    def __init__(self) -> None:
        self.ids: set[str] = set()
        self._found: dict[tuple[str, bool], list[Runner]] = {}

    def add(self, runner: Runner) -> None:
        self.ids.add(runner.id)
        for key in (*runner.units, runner.agent):
            self._found.setdefault((key, runner.sole), []).append(runner)

    def rivals(self, own: Runner) -> Iterator[Runner]:
        """Yield those that cannot be beside it; two of which neither is sole can."""
        for key in (*sorted(own.units), own.agent):
            for sole in (True, False) if own.sole else (True,):
                for other in self._found.get((key, sole), ()):
                    if other.id != own.id and own.fights(other):
                        yield other


def _ways_out(other: Runner) -> str:
    return (
        f"keep {other.top}, take the service out of the inventory and describe {other.top} under "
        f"its resources (fab export writes it); or remove {other.top} in a maintenance window"
    )


def _advice(primitive: Primitive, element: etree._Element | None = None) -> str:
    """Return what an operator can look at; `element` is what has the primitive's id."""
    made = element is not None and element.get("template")
    why = "a template makes it" if made else f"it is not {primitive.agent}"
    return f"see it with: pcs resource config; {why}, so we leave it"


def _describe(cib: Cib, element: etree._Element) -> str:
    said = f"a {element.tag} {element.get('id')}"
    if template := element.get("template"):
        return f"{said} of the template {template} ({cib.agent(element) or 'which is not there'})"
    if agent := agent_of(element):
        return f"{said} of {agent}"
    inner = [_describe(cib, primitive) for primitive in element.iterdescendants("primitive")]
    return f"{said} around {', '.join(inner)}" if inner else said
