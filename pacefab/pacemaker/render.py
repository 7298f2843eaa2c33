"""A plan -> the CIB it makes. What the plan does not name stays to the byte. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from pacefab.pacemaker import elements
from pacefab.pacemaker.cib import OWNED, OWNER, PROPERTIES, SECRETS, Cib, CibDraft, pairs, plain_set
from pacefab.pacemaker.compare import key, same_value, terms
from pacefab.pacemaker.configuration import default_set, property_set, read_operation
from pacefab.pacemaker.model import (
    Colocation,
    Constraint,
    Location,
    Order,
    Primitive,
    Resource,
    Setting,
    primitives,
)
from pacefab.pacemaker.naming import SETTING_LETTERS
from pacefab.pacemaker.plan import Action, ConfigurationPlan, ObjectChange


def render_configuration(cib: Cib, plan: ConfigurationPlan) -> Cib:
    """Return the CIB after the plan, one epoch on; `cib` stays as it is."""
    if not plan and plan.owned == cib.owned:
        return cib
    after = cib.next()
    for change in plan.changes:
        _apply(after, change)
    record(after, plan.owned)
    _record_secrets(after, plan.secrets)
    return after


def _apply(cib: CibDraft, change: ObjectChange) -> None:
    noun = change.desired or change.present
    if isinstance(noun, Setting):
        put_setting(cib, noun, remove=change.action is Action.REMOVE)
    elif change.action is Action.REMOVE:
        _take_out(cib, change.id)
    elif isinstance(noun, Order | Colocation | Location):
        _put_constraint(cib, noun)
    elif noun is not None:
        _put_resource(cib, noun)


def _take_out(cib: CibDraft, name: str) -> None:
    for section in (cib.resources, cib.constraints):
        for element in [child for child in section if child.get("id") == name]:
            cib.remove(element)


def _put_constraint(cib: CibDraft, constraint: Constraint) -> None:
    """Append a constraint; one of that id is replaced where it stands."""
    place = next((n for n, e in enumerate(cib.constraints) if e.get("id") == constraint.id), None)
    if place is not None:
        cib.remove(cib.constraints[place])
    elements.add_constraint(cib, cib.constraints, constraint)
    if place is not None:
        cib.constraints.insert(place, cib.constraints[-1])


def _put_resource(cib: CibDraft, resource: Resource) -> None:
    """Append a resource, or change the one that is there where it differs."""
    names = [primitive.id for primitive in primitives(resource)]
    there = [element for name in names if (element := cib.element(name)) is not None]
    if not there and cib.element(resource.id) is None:
        elements.add_resource(cib, cib.resources, resource)
        return
    container = cib.element(resource.id)
    if container is None:
        container = _contain(cib, resource, there[0])
    if isinstance(resource, Primitive):
        _change_primitive(cib, container, resource)
        return
    container.tag = elements.container_tag(resource)  # of old, a promotable clone was a master
    _change_pairs(cib, container, "meta_attributes", resource.meta)
    _change_members(cib, container, resource)


def _contain(cib: CibDraft, resource: Resource, first: etree._Element) -> etree._Element:
    """Put a container where its first primitive has stood alone."""
    container = etree.Element(elements.container_tag(resource), id=resource.id)
    cib.put(cib.resources, container, cib.resources.index(first))
    container.append(first)
    return container


def _change_members(cib: CibDraft, container: etree._Element, resource: Resource) -> None:
    """Make the container hold the desired primitives in their order, and no others."""
    desired = primitives(resource)
    for element in container.findall("primitive"):
        if element.get("id") not in {member.id for member in desired}:
            cib.remove(element)
    for place, primitive in enumerate(desired):
        present = cib.element(primitive.id)
        element = elements.add_primitive(cib, container, primitive) if present is None else present
        _change_primitive(cib, element, primitive)
        container.insert(place + _before_members(container), element)


def _before_members(container: etree._Element) -> int:
    """Return how many other elements stand before the primitives."""
    places = [n for n, child in enumerate(container) if child.tag == "primitive"]
    return places[0] if places else 0


def _change_primitive(cib: CibDraft, element: etree._Element, primitive: Primitive) -> None:
    _change_pairs(cib, element, "instance_attributes", primitive.parameters)
    _change_pairs(cib, element, "meta_attributes", primitive.meta)
    operations = element.find("operations")
    if operations is None:
        operations = etree.SubElement(element, "operations")
    equal = {}
    for present in operations.findall("op"):
        found = read_operation(present)
        equal[key(found), terms(found)] = present
        cib.remove(present)
    for desired in primitive.operations:
        if (same := equal.get((key(desired), terms(desired)))) is not None:
            cib.put(operations, same)
        else:
            elements.add_operation(cib, operations, primitive.id, desired)


def _change_pairs(
    cib: CibDraft, element: etree._Element, kind: str, desired: Mapping[str, str]
) -> None:
    """Make a set hold the desired pairs and no others; it comes first where it is new."""
    nvset = plain_set(element, kind)
    if nvset is None:
        elements.add_pairs(cib, element, kind, sorted(desired.items()))
        if desired:
            element.insert(0, element[-1])
        return
    present = pairs(nvset)
    exact = kind == "instance_attributes"
    for name, value in sorted(desired.items()):
        if present.get(name) != value if exact else not same_value(present.get(name), value):
            elements.set_pair(cib, nvset, name, value)
    for name in present.keys() - desired.keys():
        elements.remove_pair(cib, nvset, name)


def put_setting(cib: CibDraft, setting: Setting, *, remove: bool) -> None:
    """Set a property, default or node attribute of a CIB that may be changed, or take it away."""
    nvset, letters = _set_of(cib, setting)
    if remove:
        elements.remove_pair(cib, nvset, setting.name)
    else:
        elements.set_pair(cib, nvset, setting.name, setting.value, letters)


def _set_of(cib: CibDraft, setting: Setting) -> tuple[etree._Element, int | None]:
    """Return the set of a setting, made where there is none, and how its nvpairs' ids are cut."""
    if setting.kind == "property":
        return _properties(cib), SETTING_LETTERS
    if setting.kind == "note":
        return _own_set(cib), None
    if setting.kind == "resource default":
        return _defaults(cib), SETTING_LETTERS
    nodes = cib.root.iterfind("configuration/nodes/node")
    node = next((element for element in nodes if element.get("uname") == setting.node), None)
    if node is None:
        node = _add_remote(cib, setting.node)
    nvset = plain_set(node, "instance_attributes")
    if nvset is None:
        nvset = elements.add(cib, node, "instance_attributes", f"nodes-{node.get('id')}")
    return nvset, None


def _add_remote(cib: CibDraft, name: str) -> etree._Element:
    """Add the entry of a remote node, as crm_attribute does where it has none yet.

    Its id is the one of its connection too: ids of nodes are apart from those of all else.
    """
    section = cib.section("nodes")
    if section is None:
        section = etree.SubElement(cib.configuration, "nodes")
    return etree.SubElement(section, "node", id=name, type="remote", uname=name)


def _properties(cib: CibDraft) -> etree._Element:
    found = property_set(cib)
    return found if found is not None else _add_set(cib, PROPERTIES)


def _add_set(cib: CibDraft, name: str) -> etree._Element:
    section = cib.section("crm_config")
    if section is None:
        section = etree.SubElement(cib.configuration, "crm_config")
    return elements.add(cib, section, "cluster_property_set", name)


def _defaults(cib: CibDraft) -> etree._Element:
    found = default_set(cib)
    if found is not None:
        return found
    section = cib.section("rsc_defaults")
    if section is None:
        section = etree.SubElement(cib.configuration, "rsc_defaults")
    return elements.add(cib, section, "meta_attributes", "rsc_defaults-meta_attributes")


def _own_set(cib: CibDraft) -> etree._Element:
    found = cib.own_set
    return found if found is not None else _add_set(cib, OWNER)


def record(cib: CibDraft, owned: tuple[str, ...]) -> None:
    """Write into a CIB that may be changed what is ours; no record where nothing is."""
    if owned:
        elements.set_pair(cib, _own_set(cib), OWNED, " ".join(owned))
    elif cib.own_set is not None:
        elements.remove_pair(cib, _own_set(cib), OWNED)


def _record_secrets(cib: CibDraft, secrets: tuple[str, ...]) -> None:
    """Write which parameters are secrets that do not look it; no record where none is."""
    if secrets:
        elements.set_pair(cib, _own_set(cib), SECRETS, " ".join(secrets))
    elif SECRETS in pairs(cib.own_set):
        elements.remove_pair(cib, _own_set(cib), SECRETS)
