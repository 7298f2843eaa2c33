"""A plan -> the CIB it makes. What the plan does not name stays to the byte. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from pacefab.pacemaker import elements
from pacefab.pacemaker.cib import OWNED, OWNER, PROPERTIES, SECRETS, Cib, CibDraft, pairs, plain_set
from pacefab.pacemaker.compare import key, same_sets, same_value, terms
from pacefab.pacemaker.configuration import (
    NODE_SETS,
    SETTING_SETS,
    default_set,
    own_set,
    property_set,
    read_further,
    read_operation,
)
from pacefab.pacemaker.model import (
    Bundle,
    Constraint,
    Further,
    GroupClone,
    Primitive,
    Resource,
    SectionObject,
    Setting,
    Template,
    primitives,
)
from pacefab.pacemaker.naming import SETTING_LETTERS
from pacefab.pacemaker.nouns.piece import (
    SETS,
    Piece,
    is_mark,
    marked,
    read_sets,
    same_pieces,
)
from pacefab.pacemaker.plan import ConfigurationPlan
from pacefab.pacemaker.sections.change import Action, ObjectChange
from pacefab.pacemaker.sections.kinds import kind_of_word
from pacefab.pacemaker.sections.rendering import put_object


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
    elif kind := kind_of_word(change.kind):
        put_object(cib, kind, change)
    elif change.action is Action.REMOVE:
        _take_out(cib, change.id)
    elif isinstance(noun, Constraint):
        _put_constraint(cib, noun)
    elif noun is not None and not isinstance(noun, SectionObject):
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
    if isinstance(resource, GroupClone | Bundle | Template):
        _put_whole(cib, resource, there if container is None else [container])
        return
    if container is None:
        container = _contain(cib, resource, there[0])
    if isinstance(resource, Primitive):
        _change_primitive(cib, container, resource)
        return
    container.tag = elements.container_tag(resource)  # of old, a promotable clone was a master
    _change_sets(cib, container, "meta_attributes", resource.meta, resource.further)
    _change_sets(cib, container, "instance_attributes", {}, resource.further)
    _change_others(container, resource.others)
    _change_members(cib, container, resource)


def _put_whole(cib: CibDraft, resource: Resource, there: list[etree._Element]) -> None:
    """Put a resource in the place of what is there of it."""
    tops = {id(top): top for e in there for top in (e, *e.iterancestors()) if _is_top(cib, top)}
    place = min(cib.resources.index(top) for top in tops.values())
    for top in tops.values():
        cib.remove(top)
    cib.resources.insert(place, elements.add_resource(cib, cib.resources, resource))


def _is_top(cib: CibDraft, element: etree._Element) -> bool:
    return element.getparent() is cib.resources


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
    for kind, plain in zip(SETS, (primitive.parameters, primitive.meta, {}), strict=True):
        _change_sets(cib, element, kind, plain, primitive.further)
    _change_others(element, {"template": primitive.template, **primitive.others})
    operations = element.find("operations")
    equal = {}
    for present in operations.findall("op") if operations is not None else ():
        found = read_operation(present)
        equal[key(found), terms(found)] = present
        cib.remove(present)
    own = read_further(element).get("operations", ())
    if operations is not None and not same_pieces(own, primitive.further.get("operations", own)):
        cib.remove(operations)
        operations = None
    if operations is None:
        operations = elements.add_operations(cib, element, primitive.further)
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


def _change_others(element: etree._Element, others: Mapping[str, str]) -> None:
    """Give an element the attributes that are said; of others nothing is said."""
    for name, value in others.items():
        if value:
            element.set(name, value)


def _change_sets(
    cib: CibDraft, element: etree._Element, kind: str, plain: Mapping[str, str], further: Further
) -> None:
    """Make an element have its plain set and the further ones; of those not said none changes."""
    _let_be_plain(cib, element, kind, further)
    if plain or own_set(element, kind) is not None:
        _change_pairs(cib, element, kind, plain)
    if kind not in further:
        return
    # Once the plain set is empty, another one would be read as the plain one: that is none of ours.
    nvset = own_set(element, kind) if plain else None
    desired = marked(kind, further[kind], plain=bool(plain))
    if same_sets(read_sets(element, nvset, kind), desired):
        return
    if nvset is not None:
        elements.give_way(cib, nvset, desired)
    place = next((n for n, e in enumerate(element) if e.tag == kind), 0)
    for old in [e for e in element.findall(kind) if e is not nvset]:
        cib.remove(old)
    for number, piece in enumerate(desired):
        if is_mark(piece) and nvset is not None:
            made = nvset
            elements.mark_set(cib, made, piece)
        else:
            made = elements.add_piece(cib, element, piece)
        element.insert(place + number, made)


def _let_be_plain(cib: CibDraft, element: etree._Element, kind: str, further: Further) -> None:
    """Take out the plain set where another one that is there, by its id, is to be the plain one."""
    name = next((piece.id for piece in further.get(kind, ()) if is_mark(piece)), "")
    nvset = own_set(element, kind)
    others = [each.get("id") for each in element.iterfind(kind) if each is not nvset]
    if nvset is not None and name in others:
        cib.remove(nvset)


def put_setting(cib: CibDraft, setting: Setting, *, remove: bool) -> None:
    """Set a property, default or node attribute of a CIB that may be changed, or take it away."""
    if setting.pieces:
        _put_setting_sets(cib, setting, () if remove else setting.pieces)
        return
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
    if setting.kind in _DEFAULTS:
        return _defaults(cib, _DEFAULTS[setting.kind]), SETTING_LETTERS
    node = _node(cib, setting)
    named = "utilization" if setting.kind == "node utilization" else "instance_attributes"
    nvset = plain_set(node, named)
    if nvset is None:
        name = f"nodes-{node.get('id')}" + ("-utilization" if named == "utilization" else "")
        nvset = elements.add(cib, node, named, name)
    return nvset, None


def _node(cib: CibDraft, setting: Setting) -> etree._Element:
    nodes = cib.root.iterfind("configuration/nodes/node")
    for node in nodes:
        if node.get("uname") == setting.node:
            return node
    return _add_remote(cib, setting.node)


def _add_remote(cib: CibDraft, name: str) -> etree._Element:
    """Add the entry of a remote node, as crm_attribute does where it has none yet.

    Its id is the one of its connection too: ids of nodes are apart from those of all else.
    """
    section = cib.section("nodes")
    if section is None:
        section = etree.SubElement(cib.configuration, "nodes")
    return etree.SubElement(section, "node", id=name, type="remote", uname=name)


def _put_setting_sets(cib: CibDraft, setting: Setting, pieces: tuple[Piece, ...]) -> None:
    """Make a section, or a node, have these further sets and no others."""
    if setting.node:
        section, tag = _node(cib, setting), NODE_SETS[setting.kind]
        plain = plain_set(section, tag)
    else:
        _, name, tag = next(row for row in SETTING_SETS if row[0] == setting.kind)
        section = _section(cib, name)
        plain = property_set(cib) if tag not in SETS else plain_set(section, tag)
    for old in section.findall(tag):
        if old is not plain and old.get("id") != OWNER:
            cib.remove(old)
    if plain is not None:
        elements.give_way(cib, plain, pieces)
    for piece in marked(tag, pieces, plain=plain is not None):
        if is_mark(piece) and plain is not None:
            elements.mark_set(cib, plain, piece)
            section.append(plain)
        else:
            elements.add_piece(cib, section, piece)


def _section(cib: CibDraft, name: str) -> etree._Element:
    section = cib.section(name)
    return etree.SubElement(cib.configuration, name) if section is None else section


_DEFAULTS = {"resource default": "rsc_defaults", "operation default": "op_defaults"}


def _properties(cib: CibDraft) -> etree._Element:
    found = property_set(cib)
    return found if found is not None else _add_set(cib, PROPERTIES)


def _add_set(cib: CibDraft, name: str) -> etree._Element:
    return elements.add(cib, _section(cib, "crm_config"), "cluster_property_set", name)


def _defaults(cib: CibDraft, section: str) -> etree._Element:
    found = default_set(cib, section)
    if found is not None:
        return found
    place = _section(cib, section)
    return elements.add(cib, place, "meta_attributes", f"{section}-meta_attributes")


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
