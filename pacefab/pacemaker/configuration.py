"""CIB -> nouns. What the nouns cannot say is None, and left alone.

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
    OWNER,
    PROPERTIES,
    SECRETS,
    Cib,
    agent_of,
    pairs,
    plain_set,
)
from pacefab.pacemaker.model import (
    Bundle,
    Clone,
    Colocation,
    Configuration,
    Constraint,
    Further,
    Group,
    GroupClone,
    Location,
    Operation,
    Order,
    OwnTerms,
    Primitive,
    Resource,
    Setting,
    Template,
    primitives,
    role_of,
)
from pacefab.pacemaker.nouns.piece import SETS, Piece, is_filled, is_mark, read_piece, read_sets

NounT = TypeVar("NounT")

# What further sets are of, where they stand, what their elements are called.
SETTING_SETS = (
    ("property sets", "crm_config", "cluster_property_set"),
    ("resource default sets", "rsc_defaults", "meta_attributes"),
    ("operation default sets", "op_defaults", "meta_attributes"),
)
NODE_SETS = {"node attribute sets": "instance_attributes", "node utilization sets": "utilization"}

_OPERATION_FIELDS = {"id", "name", "interval", "timeout"}
_ORDER_OPTIONS = {"symmetrical", "require-all"}
_ORDER = {"id", "first", "then", "first-action", "then-action", "kind", *_ORDER_OPTIONS}
_COLOCATION = {"id", "rsc", "with-rsc", "score", "rsc-role", "with-rsc-role"}
_LOCATION = {"id", "rsc", "node", "score", "resource-discovery"}
_EXPRESSION = {"id", "attribute", "operation", "value"}
_PRIMITIVE = {"id", "class", "provider", "type", "template"}


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


def read_settings(cib: Cib, *, ids: bool = False) -> dict[str, Setting]:
    """Return everything in the CIB that is a name with a value; as `settings`."""
    return settings(_values(cib), ids=ids)


def _read(
    section: etree._Element, read: Callable[[etree._Element], NounT | None]
) -> tuple[NounT, ...]:
    return tuple(noun for element in section.iterfind("*") if (noun := read(element)) is not None)


def _values(cib: Cib) -> Configuration:
    """Return what is no resource and no constraint."""
    nodes = {e.get("uname", ""): e for e in cib.root.iterfind("configuration/nodes/node")}
    return Configuration(
        properties=pairs(property_set(cib)),
        defaults=pairs(default_set(cib, "rsc_defaults")),
        operation_defaults=pairs(default_set(cib, "op_defaults")),
        sets=_setting_sets(cib),
        node_sets={name: read_node_sets(node) for name, node in nodes.items()},
        attributes={n: pairs(plain_set(e, "instance_attributes")) for n, e in nodes.items()},
        utilization={n: pairs(plain_set(e, "utilization")) for n, e in nodes.items()},
        notes={n: value for n, value in pairs(cib.own_set).items() if n not in {OWNED, SECRETS}},
    )


def property_set(cib: Cib) -> etree._Element | None:
    """Return the set of the cluster's properties."""
    sets = cib.root.iterfind("configuration/crm_config/cluster_property_set")
    return next((element for element in sets if element.get("id") == PROPERTIES), None)


def default_set(cib: Cib, section: str) -> etree._Element | None:
    """Return the set of the defaults that hold always; `section`: rsc_defaults, op_defaults."""
    found = cib.section(section)
    return None if found is None else plain_set(found, "meta_attributes")


def _setting_sets(cib: Cib) -> Further:
    """Return the further sets of properties and defaults; pacefab's own record is none."""
    found: dict[str, tuple[Piece, ...]] = {}
    for kind, section, tag in SETTING_SETS:
        element = cib.section(section)
        if element is None:
            continue
        plain = property_set(cib) if tag not in SETS else plain_set(element, tag)
        found[kind] = tuple(p for p in read_sets(element, plain, tag) if p.id != OWNER)
    return found


def read_node_sets(node: etree._Element) -> Further:
    """Return the sets that a node has besides the plain ones, and where those stand."""
    return {kind: read_sets(node, plain_set(node, tag), tag) for kind, tag in NODE_SETS.items()}


def settings(configuration: Configuration, *, ids: bool = False) -> dict[str, Setting]:
    """Return everything that is a name with a value, by the key under which it is owned.

    With `ids` also those sets that say no more than ids of the plain one.
    """
    every = [Setting("property", name, value) for name, value in configuration.properties.items()]
    every += [Setting("note", name, value) for name, value in configuration.notes.items()]
    every += [Setting("resource default", n, v) for n, v in configuration.defaults.items()]
    every += [
        Setting("operation default", n, v) for n, v in configuration.operation_defaults.items()
    ]
    for node, attributes in configuration.attributes.items():
        every += [Setting("node attribute", n, v, node) for n, v in attributes.items()]
    for node, utilization in configuration.utilization.items():
        every += [Setting("node utilization", n, v, node) for n, v in utilization.items()]
    kinds = {"": configuration.sets, **configuration.node_sets}
    for node, kind, sets in ((n, k, s) for n, of in kinds.items() for k, s in of.items()):
        if says(sets) or (ids and any(piece.ids for piece in sets)):
            every.append(_of_sets(kind, sets, node))
    return {setting.key: setting for setting in every}


def says(sets: tuple[Piece, ...]) -> bool:
    """Whether sets are more than where the plain one stands by itself: first, without a score."""
    return any(not is_mark(piece) or len(piece.attributes) > 1 for piece in sets)


def _of_sets(kind: str, sets: tuple[Piece, ...], node: str = "") -> Setting:
    return Setting(kind, "", " ".join(piece.meaning for piece in sets), node, sets)


def read_resource(element: etree._Element, secrets: Collection[str] = ()) -> Resource | None:
    """Return a resource; None for one that our nouns cannot say, such as a bundle.

    `secrets` are RESOURCE:PARAMETER of what is a secret and not by its name (`Cib.secrets`).
    """
    if element.tag == "primitive":
        return read_primitive(element, secrets) if _is_primitive(element) else None
    if element.tag == "template":
        primitive = read_primitive(element, secrets)
        return Template(primitive.id, primitive) if primitive.agent else None
    readers = {"group": _group, "bundle": _bundle, "clone": _clone, "master": _clone}
    reader = readers.get(str(element.tag))
    return reader(element, secrets) if reader else None


def _bundle(element: etree._Element, secrets: Collection[str]) -> Bundle:
    inner = element.find("primitive")
    return Bundle(
        element.get("id", ""),
        tuple(read_piece(e) for e in element.iterfind("*") if e.tag not in _OF_BUNDLE),
        None if inner is None else read_primitive(inner, secrets),
        pairs(plain_set(element, "meta_attributes")),
        read_further(element),
        _others(element, {"id"}),
    )


def _clone(element: etree._Element, secrets: Collection[str]) -> Clone | GroupClone | None:
    # A promotable clone was an element of its own, master, until Pacemaker 2.0.
    promotable = {"promotable": "true"} if element.tag == "master" else {}
    meta = {**pairs(plain_set(element, "meta_attributes")), **promotable}
    name, further, others = element.get("id", ""), read_further(element), _others(element, {"id"})
    members = element.findall("primitive")
    if len(members) == 1 and _is_primitive(members[0]):
        return Clone(name, read_primitive(members[0], secrets), meta, further, others)
    inner = element.find("group")
    group = None if inner is None else _group(inner, secrets)
    return GroupClone(name, group, meta, further, others) if group else None


_OF_BUNDLE = {"primitive", *SETS}


def _group(element: etree._Element, secrets: Collection[str]) -> Group | None:
    members = element.findall("primitive")
    if not all(map(_is_primitive, members)):
        return None
    return Group(
        element.get("id", ""),
        tuple(read_primitive(member, secrets) for member in members),
        pairs(plain_set(element, "meta_attributes")),
        read_further(element),
        _others(element, {"id"}),
    )


def _is_primitive(element: etree._Element) -> bool:
    return bool(agent_of(element) or element.get("template"))


def _others(element: etree._Element, known: Collection[str]) -> dict[str, str]:
    return {str(k): str(v) for k, v in element.items() if k not in known}


def own_set(element: etree._Element, kind: str) -> etree._Element | None:
    """Return the set that a noun has the pairs of; parameters have primitives and templates."""
    parameters = kind == SETS[0] and element.tag in {"primitive", "template"}
    return plain_set(element, kind) if parameters or kind == SETS[1] else None


def read_further(element: etree._Element) -> Further:
    """Return the sets that an element has besides the plain ones, and where those stand."""
    tags = {child.tag for child in element}
    found = {
        kind: read_sets(element, own_set(element, kind), kind) if kind in tags else ()
        for kind in SETS
    }
    operations = element.find("operations")
    if operations is not None:
        own = [read_piece(e) for e in operations.iterfind("*") if e.tag != "op"]
        name = Piece(
            "operations", _others(operations, {"id"}), tuple(own), operations.get("id", "")
        )
        found["operations"] = (name,)
    return found


def map_primitives(change: Callable[[Primitive], Primitive], resource: Resource) -> Resource:
    """Return a resource with each primitive that it is, or is made of, changed; a template too."""
    inner = tuple(map(change, primitives(resource)))
    if isinstance(resource, Group):
        return replace(resource, primitives=inner)
    if isinstance(resource, GroupClone):
        return replace(resource, group=replace(resource.group, primitives=inner))
    if isinstance(resource, Template):
        return replace(resource, primitive=change(resource.primitive))
    if isinstance(resource, Bundle):
        return replace(resource, primitive=inner[0]) if inner else resource
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
        hidden=frozenset(
            key.removeprefix(f"{name}:") for key in secrets if key.startswith(f"{name}:")
        ),
        template=element.get("template", ""),
        further=read_further(element),
        others=_others(element, _PRIMITIVE),
    )


def read_operation(element: etree._Element) -> Operation:
    """Return an operation of its element, the role in today's word."""
    others = {str(k): str(v) for k, v in element.items() if k not in _OPERATION_FIELDS}
    if "role" in others:
        others["role"] = role_of(others["role"])
    plain = plain_set(element, "instance_attributes") if len(element) else None
    plain = None if plain is None or plain.get("score") else plain
    return Operation(
        name=element.get("name", ""),
        interval=element.get("interval", "0"),
        timeout=element.get("timeout", ""),
        others=others,
        parameters=pairs(plain),
        further=tuple(
            read_piece(e) for e in element.iterchildren("*") if e is not plain and is_filled(e)
        ),
        id=element.get("id", ""),
    )


def read_constraint(element: etree._Element) -> Constraint | None:
    """Return a constraint; None for one that our nouns cannot say."""
    readers = {"rsc_order": _order, "rsc_colocation": _colocation, "rsc_location": _location}
    reader = readers.get(str(element.tag))
    simple = reader(element) if reader else None
    return simple or OwnTerms(replace(read_piece(element), id=""), element.get("id", ""))


def _order(element: etree._Element) -> Order | None:
    if not _only(element, _ORDER) or not element.get("first") or element.find("*") is not None:
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
    if not _only(element, _COLOCATION) or not element.get("rsc") or element.find("*") is not None:
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
    if element.get("node") and element.find("*") is None:
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
