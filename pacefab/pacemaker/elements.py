"""Nouns -> CIB elements, built in their tree so that ids stay unique. Pure.

Names, order and ids are those that pcs writes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from lxml import etree

from pacefab.pacemaker.cib import CibDraft
from pacefab.pacemaker.model import (
    Bundle,
    Colocation,
    Constraint,
    Further,
    GroupClone,
    Location,
    Operation,
    Order,
    OwnTerms,
    Primitive,
    Resource,
    Template,
    primitives,
)
from pacefab.pacemaker.naming import unused
from pacefab.pacemaker.nouns.piece import SETS, Piece, has_id, is_mark, marked

_OLD_ROLES = {"Promoted": "Master", "Unpromoted": "Slave"}
_NEW_ROLES_SINCE = (3, 7)  # schema pacemaker-3.7 (Pacemaker 2.1) took today's words


def add(
    cib: CibDraft, parent: etree._Element, tag: str, name: str, **attributes: str
) -> etree._Element:
    """Append an element; its id is `name`, numbered when that is taken; empty values left out."""
    element = cib.add(parent, tag, name)
    for key, value in attributes.items():
        if value:
            element.set(key.strip("_").replace("_", "-"), value)
    return element


def add_resource(cib: CibDraft, parent: etree._Element, resource: Resource) -> etree._Element:
    """Append a resource with everything in it."""
    if isinstance(resource, Primitive):
        return add_primitive(cib, parent, resource)
    if isinstance(resource, Template):
        return add_primitive(cib, parent, resource.primitive, "template")
    made = etree.Element(container_tag(resource), {"id": resource.id, **resource.others})
    element = cib.put(parent, made)
    for part in resource.parts if isinstance(resource, Bundle) else ():
        add_piece(cib, element, part)
    if isinstance(resource, GroupClone):
        add_resource(cib, element, resource.group)
    else:
        for primitive in primitives(resource):
            add_primitive(cib, element, primitive)
    put_sets(cib, element, "meta_attributes", resource.meta, resource.further)
    put_sets(cib, element, "instance_attributes", {}, resource.further)
    if isinstance(resource, Bundle):  # the schema has its parts behind its sets
        for child in [e for e in element.findall("*") if e.tag not in SETS]:
            element.append(child)
    return element


def container_tag(resource: Resource) -> str:
    """Return what a resource's element is called."""
    return "clone" if isinstance(resource, GroupClone) else type(resource).__name__.lower()


def add_piece(cib: CibDraft, parent: etree._Element, piece: Piece) -> etree._Element:
    """Append an element with all that is in it; ids that it does not have follow its parent's."""
    element = etree.Element(piece.tag)
    if has_id(piece):
        around = next((e.get("id") for e in (parent, *parent.iterancestors()) if e.get("id")), "")
        around = f"nodes-{around}" if parent.tag == "node" else around  # an id begins with no digit
        name = piece.id or f"{around}-{_SUFFIXES.get(piece.tag, piece.tag)}"
        if piece.tag == "nvpair":
            name = piece.id or f"{around}-{piece.attributes.get('name', '')}"
        element.set("id", unused(name, cib.ids))
    elif piece.id:
        element.set("id", piece.id)
    for name, value in piece.attributes.items():
        element.set(name, _role(cib, value) if name.endswith("role") else value)
    cib.put(parent, element)
    for child in piece.children:
        add_piece(cib, element, child)
    return element


_SUFFIXES = {"expression": "expr", "date_expression": "expr", "rsc_expression": "rsc-expr",
             "op_expression": "op-expr", "resource_set": "set"}  # fmt: skip


def put_sets(
    cib: CibDraft, element: etree._Element, kind: str, plain: Mapping[str, str], further: Further
) -> None:
    """Append the plain set and the further ones of a kind, in the order that the marks say."""
    for piece in marked(kind, further.get(kind, ()), plain=bool(plain)):
        if not is_mark(piece):
            add_piece(cib, element, piece)
            continue
        nvset = add(cib, element, kind, piece.id or f"{element.get('id')}-{kind}")
        for name, value in sorted(plain.items()):
            add_pair(cib, nvset, name, value)
        mark_set(cib, nvset, piece)


def give_way(cib: CibDraft, nvset: etree._Element, pieces: Iterable[Piece]) -> None:
    """Give the plain set and its values other ids where further sets are to have theirs."""
    ids = frozenset[str]().union(*(piece.ids for piece in pieces if not is_mark(piece)))
    around = nvset.getparent()
    name = "" if around is None else f"{around.get('id', around.tag)}-{nvset.tag}"
    for element in (nvset, *nvset.iterfind("nvpair")):
        if element.get("id") in ids:
            cib.rename(element, "-".join(filter(None, (name, element.get("name")))))


def mark_set(cib: CibDraft, nvset: etree._Element, mark: Piece) -> None:
    """Give the plain set the score that its mark has, and the ids of it and of its values."""
    nvset.attrib.pop("score", "")
    if score := mark.attributes.get("score"):
        nvset.set("score", score)
    cib.rename(nvset, mark.id)
    ids = {child.attributes.get("name", ""): child.id for child in mark.children}
    for pair in nvset.findall("nvpair") if ids else ():
        cib.rename(pair, ids.get(pair.get("name", ""), ""))


def add_primitive(
    cib: CibDraft, parent: etree._Element, primitive: Primitive, tag: str = "primitive"
) -> etree._Element:
    """Append a primitive, or a template, with its attributes and operations."""
    standard, _, rest = primitive.agent.partition(":")
    provider, _, kind = rest.rpartition(":")
    attributes = {"id": primitive.id, "class": standard, "type": kind, "provider": provider,
                  "template": primitive.template, **primitive.others}  # fmt: skip
    found = etree.Element(tag, {k: v for k, v in attributes.items() if v})
    element = cib.put(parent, found)
    for kind, plain in zip(SETS, (primitive.parameters, primitive.meta, {}), strict=True):
        put_sets(cib, element, kind, plain, primitive.further)
    operations = add_operations(cib, element, primitive.further)
    for operation in primitive.operations:
        add_operation(cib, operations, primitive.id, operation)
    return element


def add_operations(cib: CibDraft, element: etree._Element, further: Further) -> etree._Element:
    """Append the element of a primitive's operations, without any."""
    for piece in further.get("operations", ()):
        return add_piece(cib, element, piece)
    return etree.SubElement(element, "operations")


def add_operation(
    cib: CibDraft, operations: etree._Element, resource: str, operation: Operation
) -> None:
    """Append an operation of a resource."""
    if "id-ref" in operation.others:
        cib.put(operations, etree.Element("op", dict(operation.others)))
        return
    name = operation.id or f"{resource}-{operation.name}-interval-{operation.interval}"
    element = add(
        cib, operations, "op", name,
        name_=operation.name, interval=operation.interval, timeout=operation.timeout,
    )  # fmt: skip
    for key, value in operation.others.items():
        element.set(key, _role(cib, value) if key == "role" else value)
    add_pairs(cib, element, "instance_attributes", sorted(operation.parameters.items()))
    for piece in operation.further:
        add_piece(cib, element, piece)


def add_pairs(
    cib: CibDraft, element: etree._Element, kind: str, values: Iterable[tuple[str, str]]
) -> None:
    """Append a set of name-value pairs unless it would be empty."""
    found = list(values)
    if not found:
        return
    nvset = add(cib, element, kind, f"{element.get('id')}-{kind}")
    for name, value in found:
        add_pair(cib, nvset, name, value)


def add_pair(
    cib: CibDraft, nvset: etree._Element, name: str, value: str, letters: int | None = None
) -> None:
    """Append one pair; of its name `letters` go into the id."""
    pair = add(cib, nvset, "nvpair", f"{nvset.get('id')}-{name[:letters]}")
    pair.set("name", name)
    pair.set("value", value)


def set_pair(
    cib: CibDraft, nvset: etree._Element, name: str, value: str, letters: int | None = None
) -> None:
    """Give a pair its value, and append it where it is not yet."""
    for pair in nvset.iterfind("nvpair"):
        if pair.get("name") == name:
            pair.set("value", value)
            return
    add_pair(cib, nvset, name, value, letters)


def remove_pair(cib: CibDraft, nvset: etree._Element, name: str) -> None:
    """Take a pair out, and a set that is empty then."""
    for pair in nvset.findall("nvpair"):
        if pair.get("name") == name:
            cib.remove(pair)
    if not len(nvset):
        cib.remove(nvset)


def add_constraint(cib: CibDraft, parent: etree._Element, constraint: Constraint) -> None:
    """Append a constraint; its id has been chosen."""
    if isinstance(constraint, Order):
        options = {"kind": constraint.kind, **constraint.options}
        add(cib, parent, "rsc_order", constraint.id, first=constraint.first, then=constraint.then,
            first_action=constraint.first_action, then_action=constraint.then_action,
            **options)  # fmt: skip
    elif isinstance(constraint, Colocation):
        _add_colocation(cib, parent, constraint)
    elif isinstance(constraint, OwnTerms):
        add_piece(cib, parent, replace(constraint.piece, id=constraint.id))
    else:
        _add_location(cib, parent, constraint)


def _add_colocation(cib: CibDraft, parent: etree._Element, constraint: Colocation) -> None:
    roles = [constraint.role, constraint.with_role]
    # If one side has a role, pcs writes Started for the other.
    first, second = [role or "Started" for role in roles] if any(roles) else roles
    add(cib, parent, "rsc_colocation", constraint.id, rsc=constraint.resource,
        with_rsc=constraint.with_resource, score=constraint.score,
        rsc_role=_role(cib, first), with_rsc_role=_role(cib, second))  # fmt: skip


def _add_location(cib: CibDraft, parent: etree._Element, constraint: Location) -> None:
    discovery = constraint.resource_discovery
    element = add(cib, parent, "rsc_location", constraint.id, rsc=constraint.resource,
                  resource_discovery=discovery)  # fmt: skip
    if constraint.node:
        element.set("node", constraint.node)
        element.set("score", constraint.score)
        return
    rule = add(cib, element, "rule", f"{constraint.id}-rule", score=constraint.score)
    add(cib, rule, "expression", f"{constraint.id}-rule-expr", operation=constraint.operation,
        attribute=constraint.attribute, value=constraint.value)  # fmt: skip


def _role(cib: CibDraft, role: str) -> str:
    """Return a role in the word that the CIB's schema knows."""
    found = re.fullmatch(r"pacemaker-(\d+)\.(\d+)", cib.root.get("validate-with", ""))
    old = found is not None and (int(found[1]), int(found[2])) < _NEW_ROLES_SINCE
    return _OLD_ROLES.get(role, role) if old else role
