"""Back to an earlier CIB, in whole or in what one plan changed. Pure."""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator

from lxml import etree

from pacefab.pacemaker.cib import Cib, CibDraft, pairs
from pacefab.pacemaker.compare import constraint_differences, differences, setting_difference
from pacefab.pacemaker.configuration import (
    property_set,
    read_constraint,
    read_resource,
    read_settings,
)
from pacefab.pacemaker.elements import set_pair
from pacefab.pacemaker.model import (
    Constraint,
    Difference,
    Resource,
    Setting,
    primitive_ids,
)
from pacefab.pacemaker.plan import ConfigurationPlan, kind_of
from pacefab.pacemaker.render import put_setting, record
from pacefab.pacemaker.sections.change import Action, Noun, ObjectChange
from pacefab.pacemaker.sections.kinds import SECTIONS, kind_of_word
from pacefab.pacemaker.sections.planning import restored_objects
from pacefab.pacemaker.sections.rendering import put_back

# Taken whole from the earlier CIB.
_SECTIONS = (
    "crm_config", "resources", "constraints", "rsc_defaults", "op_defaults", *SECTIONS,
)  # fmt: skip
_BY_OBJECT = ("resources", "constraints")
# Properties that Pacemaker writes itself: what it says now stays.
_PACEMAKERS = ("have-watchdog", "dc-version", "cluster-infrastructure", "cluster-name")


def plan_restore(now: Cib, before: Cib) -> ConfigurationPlan:
    """Return what makes the configuration of `now` what it was in `before`, object by object."""
    changes = [
        *_settings(now, before),
        *(change for name in _BY_OBJECT for change in _objects(now, before, name)),
        *restored_objects(now, before),
    ]
    return ConfigurationPlan(tuple(changes), before.owned)


def render_restored(now: Cib, before: Cib) -> Cib:
    """Return `now` with the configuration of `before`, one epoch on."""
    after = now.next()
    for name in _SECTIONS:
        _replace(after, after.configuration, after.section(name), before.section(name))
    properties, present = property_set(after), pairs(property_set(now))
    for name in _PACEMAKERS:
        if properties is not None and name in present:
            set_pair(after, properties, name, present[name])
    earlier = {node.get("uname"): node for node in _nodes(before)}
    for node in _nodes(after):
        if (was := earlier.get(node.get("uname"))) is not None:
            for kind in ("instance_attributes", "utilization"):
                _replace_all(after, node, was, kind)
    return after


def _replace_all(after: CibDraft, node: etree._Element, was: etree._Element, kind: str) -> None:
    """Give a node the sets of a kind that it had, where its own stand."""
    own = node.findall(kind)
    place = node.index(own[0]) if own else len(node)
    for element in own:
        after.remove(element)
    for number, element in enumerate(was.findall(kind)):
        after.put(node, copy.deepcopy(element), place + number)


def render_undone(now: Cib, before: Cib, plan: ConfigurationPlan) -> Cib:
    """Return `now` with each object that the plan changed as it stood in `before`.

    What others have changed since then stays.
    """
    after, earlier = now.next(), read_settings(before)
    was = {(setting.kind, setting.id): setting for setting in earlier.values()}
    # Further sets first: one without a rule would be the plain one, once that is gone.
    for change in sorted(plan.changes, key=lambda change: not change.kind.endswith(" sets")):
        noun = change.desired or change.present
        if isinstance(noun, Setting):
            old = was.get((noun.kind, noun.id))
            put_setting(after, old or noun, remove=old is None)
        elif kind := kind_of_word(change.kind):
            put_back(after, before, kind, change.id)
        else:
            _put_back(after, before, change.id, noun)
    others = [key for key in now.owned if key not in {*plan.owned, *before.owned}]
    record(after, (*before.owned, *others))
    return after


def _put_back(after: CibDraft, before: Cib, name: str, noun: Noun | None) -> None:
    ids = {name}
    if isinstance(noun, Resource):
        ids |= primitive_ids([noun])
    for now, was in ((after.resources, before.resources), (after.constraints, before.constraints)):
        places = [place for place, e in enumerate(now) if e.get("id") in ids]
        for element in [e for e in now if e.get("id") in ids]:
            after.remove(element)
        for place, element in enumerate(was):
            if element.get("id") in ids:
                where = min(places[0] if places else place, len(now))
                after.put(now, copy.deepcopy(element), where)


def _nodes(cib: Cib) -> list[etree._Element]:
    return cib.root.findall("configuration/nodes/node")


def _replace(
    after: CibDraft, parent: etree._Element, now: etree._Element | None, was: etree._Element | None
) -> None:
    place = len(parent) if now is None else parent.index(now)
    if now is not None:
        after.remove(now)
    if was is not None:
        after.put(parent, copy.deepcopy(was), place)


def _settings(now: Cib, before: Cib) -> Iterator[ObjectChange]:
    present, desired = (read_settings(cib) for cib in (now, before))
    for key in {**present, **desired}:
        old, new = present.get(key), desired.get(key)
        setting = new or old
        if setting is None or old == new or setting.name in _PACEMAKERS:
            continue
        found = setting_difference(old, new)
        yield ObjectChange(_action(old, new), setting.kind, setting.id, (found,), old, new)


def _objects(now: Cib, before: Cib, section: str) -> Iterator[ObjectChange]:
    present, desired = (_by_id(cib.section(section)) for cib in (now, before))
    secrets = {*now.secrets, *before.secrets}
    for name in {**present, **desired}:
        old, new = present.get(name), desired.get(name)
        if _text(old) == _text(new):
            continue
        had, has = _noun(old, secrets), _noun(new, secrets)
        yield ObjectChange(
            _action(old, new), _kind(old, new), name, _differences(had, has), had, has
        )


def _by_id(section: etree._Element | None) -> dict[str, etree._Element]:
    return {str(e.get("id")): e for e in section} if section is not None else {}


def _noun(element: etree._Element | None, secrets: Collection[str] = ()) -> Noun | None:
    if element is None:
        return None
    return read_resource(element, secrets) or read_constraint(element)


def _kind(old: etree._Element | None, new: etree._Element | None) -> str:
    every = [element for element in (new, old) if element is not None]
    nouns = [noun for element in every if (noun := _noun(element)) is not None]
    return kind_of(nouns[0]) if nouns else str(every[0].tag)


def _differences(old: Noun | None, new: Noun | None) -> tuple[Difference, ...]:
    if old is None or new is None or type(old) is not type(new):
        return ()
    if isinstance(old, Constraint) and isinstance(new, Constraint):
        return constraint_differences(old, new)
    if isinstance(old, Resource) and isinstance(new, Resource):
        return differences(old, new)
    return ()


def _action(old: object | None, new: object | None) -> Action:
    if old is None:
        return Action.ADD
    return Action.REMOVE if new is None else Action.UPDATE


def _text(element: etree._Element | None) -> str:
    """Return an element so that equal ones have equal texts; an absent section is an empty one."""
    if element is None or (not len(element) and not element.attrib):
        return ""
    return etree.tostring(element, method="c14n").decode()
