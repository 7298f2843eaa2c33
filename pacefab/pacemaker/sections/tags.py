"""Tags: names for several objects of a CIB, which constraints may refer to. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from lxml import etree

from pacefab.pacemaker.cib import CibDraft
from pacefab.pacemaker.elements import add
from pacefab.pacemaker.model import SectionObject


@dataclass(frozen=True)
class Tag(SectionObject):
    """A name for the objects with these ids."""

    references: tuple[str, ...] = ()


def read(element: etree._Element, _: Collection[str] = ()) -> Tag:
    """Return a tag."""
    references = tuple(each.get("id", "") for each in element.iterfind("obj_ref"))
    return Tag(references, id=element.get("id", ""))


def write(cib: CibDraft, section: etree._Element, tag: Tag) -> etree._Element:
    """Append a tag."""
    element = add(cib, section, "tag", tag.id)
    for name in tag.references:
        etree.SubElement(element, "obj_ref", id=name)
    return element


def meaning(tag: Tag) -> Mapping[str, str]:
    """Return what a tag says; the order of what it names means nothing."""
    return {f"object {name}": "there" for name in tag.references}


def pcs_lines(tag: Tag, *, remove: bool) -> list[list[str]]:
    """Return the line with which pcs makes or removes it."""
    if remove:
        return [["pcs", "tag", "delete", tag.id]]
    return [["pcs", "tag", "create", tag.id, *tag.references]]
