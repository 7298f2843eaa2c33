"""CIB -> nouns. What the nouns cannot say (bundles, resource sets, rules) is None, and left alone.

Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from functools import partial
from typing import TypeVar

from lxml import etree

from pacefab.pacemaker.cib import (
    OWNED,
    PROPERTIES,
    SECRETS,
    Cib,
    agent_of,
    pairs,
    plain_set,
)
from pacefab.pacemaker.model import (
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Group,
    Location,
    Operation,
    Order,
    Primitive,
    Resource,
    Setting,
    primitives,
    role_of,
)

NounT = TypeVar("NounT")

_OPERATION_FIELDS = {"id", "name", "interval", "timeout"}
_ORDER_OPTIONS = {"symmetrical", "require-all"}
_ORDER = {"id", "first", "then", "first-action", "then-action", "kind", *_ORDER_OPTIONS}
_COLOCATION = {"id", "rsc", "with-rsc", "score", "rsc-role", "with-rsc-role"}
_LOCATION = {"id", "rsc", "node", "score", "resource-discovery"}
_EXPRESSION = {"id", "attribute", "operation", "value"}


def read_configuration(cib: Cib) -> Configuration:
    """Return everything in the CIB that our nouns can say."""
    return replace(
        _values(cib),
        resources=_read(cib.resources, partial(read_resource, secrets=cib.secrets)),
        constraints=read_constraints(cib),
    )


def read_constraints(cib: Cib) -> tuple[Constraint, ...]:
    """Return the constraints in the CIB that our nouns can say."""
    return _read(cib.constraints, read_constraint)


def read_settings(cib: Cib) -> dict[str, Setting]:
    """Return everything in the CIB that is a name with a value, by the key it is owned under."""
    return settings(_values(cib))


def _read(
    section: etree._Element, read: Callable[[etree._Element], NounT | None]
) -> tuple[NounT, ...]:
    return tuple(noun for element in section.iterfind("*") if (noun := read(element)) is not None)


def _values(cib: Cib) -> Configuration:
    """Return what is no resource and no constraint."""
    return Configuration(
        properties=pairs(property_set(cib)),
        defaults=pairs(default_set(cib)),
        attributes={
            node.get("uname", ""): pairs(plain_set(node, "instance_attributes"))
            for node in cib.root.iterfind("configuration/nodes/node")
        },
        utilization={
            node.get("uname", ""): pairs(plain_set(node, "utilization"))
            for node in cib.root.iterfind("configuration/nodes/node")
        },
        notes={n: value for n, value in pairs(cib.own_set).items() if n not in {OWNED, SECRETS}},
    )


def property_set(cib: Cib) -> etree._Element | None:
    """Return the set of the cluster's properties."""
    sets = cib.root.iterfind("configuration/crm_config/cluster_property_set")
    return next((element for element in sets if element.get("id") == PROPERTIES), None)


def default_set(cib: Cib) -> etree._Element | None:
    """Return the set of the resource defaults that hold always."""
    section = cib.section("rsc_defaults")
    return None if section is None else plain_set(section, "meta_attributes")


def settings(configuration: Configuration) -> dict[str, Setting]:
    """Return everything that is a name with a value, by the key under which it is owned."""
    every = [Setting("property", name, value) for name, value in configuration.properties.items()]
    every += [Setting("note", name, value) for name, value in configuration.notes.items()]
    every += [Setting("resource default", n, v) for n, v in configuration.defaults.items()]
    for node, attributes in configuration.attributes.items():
        every += [Setting("node attribute", n, v, node) for n, v in attributes.items()]
    for node, utilization in configuration.utilization.items():
        every += [Setting("node utilization", n, v, node) for n, v in utilization.items()]
    return {setting.key: setting for setting in every}


def read_resource(element: etree._Element, secrets: Collection[str] = ()) -> Resource | None:
    """Return a resource; None for one that our nouns cannot say, such as a bundle.

    `secrets` are RESOURCE:PARAMETER of what is a secret and not by its name (`Cib.secrets`).
    """
    name, meta = element.get("id", ""), pairs(plain_set(element, "meta_attributes"))
    inner = [read_primitive(e, secrets) for e in element.iterfind("primitive") if agent_of(e)]
    if element.tag == "primitive" and agent_of(element):
        return read_primitive(element, secrets)
    if element.tag == "group" and len(inner) == len(element.findall("primitive")):
        return Group(name, tuple(inner), meta)
    if element.tag in {"clone", "master"} and len(inner) == 1:
        # A promotable clone was an element of its own, master, until Pacemaker 2.0.
        promotable = {"promotable": "true"} if element.tag == "master" else {}
        return Clone(name, inner[0], {**meta, **promotable})
    return None


def map_primitives(change: Callable[[Primitive], Primitive], resource: Resource) -> Resource:
    """Return a resource with each primitive that it is, or is made of, changed."""
    inner = tuple(map(change, primitives(resource)))
    if isinstance(resource, Group):
        return replace(resource, primitives=inner)
    return replace(resource, primitive=inner[0]) if isinstance(resource, Clone) else inner[0]


def read_primitive(element: etree._Element, secrets: Collection[str] = ()) -> Primitive:
    """Return the primitive of its element; `secrets` as in `read_resource`."""
    name = element.get("id", "")
    parameters = pairs(plain_set(element, "instance_attributes"))
    return Primitive(
        id=name,
        agent=agent_of(element),
        parameters=parameters,
        meta=pairs(plain_set(element, "meta_attributes")),
        operations=tuple(read_operation(op) for op in element.iterfind("operations/op")),
        hidden=frozenset(p for p in parameters if f"{name}:{p}" in secrets)
        if secrets
        else frozenset(),
    )


def read_operation(element: etree._Element) -> Operation:
    """Return an operation of its element, the role in today's word."""
    others = {str(k): str(v) for k, v in element.items() if k not in _OPERATION_FIELDS}
    if "role" in others:
        others["role"] = role_of(others["role"])
    return Operation(
        name=element.get("name", ""),
        interval=element.get("interval", "0"),
        timeout=element.get("timeout", ""),
        others=others,
        parameters=pairs(plain_set(element, "instance_attributes")),
    )


def read_constraint(element: etree._Element) -> Constraint | None:
    """Return a constraint; None for one that our nouns cannot say."""
    readers = {"rsc_order": _order, "rsc_colocation": _colocation, "rsc_location": _location}
    reader = readers.get(str(element.tag))
    return reader(element) if reader else None


def _order(element: etree._Element) -> Order | None:
    if not _only(element, _ORDER) or not element.get("first") or len(element):
        return None
    action = element.get("first-action", "start")
    return Order(
        first=element.get("first", ""),
        then=element.get("then", ""),
        first_action=action,
        then_action=element.get("then-action", action),  # Pacemaker's own default
        kind=element.get("kind", ""),
        options={str(k): str(v) for k, v in element.items() if k in _ORDER_OPTIONS},
        id=element.get("id", ""),
    )


def _colocation(element: etree._Element) -> Colocation | None:
    if not _only(element, _COLOCATION) or not element.get("rsc") or len(element):
        return None
    return Colocation(
        resource=element.get("rsc", ""),
        with_resource=element.get("with-rsc", ""),
        score=element.get("score", "0"),
        role=role_of(element.get("rsc-role", "")),
        with_role=role_of(element.get("with-rsc-role", "")),
        id=element.get("id", ""),
    )


def _location(element: etree._Element) -> Location | None:
    if not _only(element, _LOCATION) or not element.get("rsc"):
        return None
    named, discovery = element.get("rsc", ""), element.get("resource-discovery", "")
    if element.get("node") and not len(element):
        return Location(
            named, element.get("score", "0"), element.get("node", ""),
            resource_discovery=discovery, id=element.get("id", ""),
        )  # fmt: skip
    for score, expression in _simple_rule(element):
        return Location(
            named, score,
            attribute=expression.get("attribute", ""), operation=expression.get("operation", ""),
            value=expression.get("value", ""),
            resource_discovery=discovery, id=element.get("id", ""),
        )  # fmt: skip
    return None


def _simple_rule(element: etree._Element) -> Iterator[tuple[str, etree._Element]]:
    """Return score and expression when the constraint is one rule of one expression."""
    rules = element.findall("*")
    for rule in rules if len(rules) == 1 else ():
        tests = rule.findall("*")
        simple = len(tests) == 1 and tests[0].tag == "expression" and _only(tests[0], _EXPRESSION)
        if simple and _only(rule, {"id", "score", "boolean-op"}):
            yield rule.get("score", "0"), tests[0]


def _only(element: etree._Element, known: set[str]) -> bool:
    return set(map(str, element.keys())) <= known
