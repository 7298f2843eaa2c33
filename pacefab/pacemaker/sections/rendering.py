"""Objects of the smaller sections into a CIB that may be changed, and back. Pure."""

from __future__ import annotations

import copy

from lxml import etree

from pacefab.pacemaker.cib import Cib, CibDraft
from pacefab.pacemaker.sections.change import ObjectChange
from pacefab.pacemaker.sections.kinds import Kind


def put_object(cib: CibDraft, kind: Kind, change: ObjectChange) -> None:
    """Append an object, replace the one of its id where it stands, or take it out."""
    place = _take_out(cib, kind, change.id)
    if change.desired is None:
        return
    section = _section(cib, kind)
    element = kind.write(cib, section, change.desired)
    if place is not None:
        section.insert(place, element)


def put_back(after: CibDraft, before: Cib, kind: Kind, name: str) -> None:
    """Make an object what it was in an earlier CIB."""
    place = _take_out(after, kind, name)
    for element in kind.elements(before):
        if element.get("id") == name:
            section = _section(after, kind)
            earlier = 0 if (parent := element.getparent()) is None else parent.index(element)
            where = min(earlier if place is None else place, len(section))
            after.put(section, copy.deepcopy(element), where)


def _take_out(cib: CibDraft, kind: Kind, name: str) -> int | None:
    """Take an object out; return where it has stood, None where it was not."""
    for element in kind.elements(cib):
        section = element.getparent()
        if element.get("id") == name and section is not None:
            place = section.index(element)
            cib.remove(element)
            return place
    return None


def _section(cib: CibDraft, kind: Kind) -> etree._Element:
    found = cib.section(kind.section)
    return etree.SubElement(cib.configuration, kind.section) if found is None else found
