"""A remote node leaves: the CIB in which its connection stops, and the one without it. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from pacefab.pacemaker import elements
from pacefab.pacemaker.cib import Cib, CibDraft, named_by, plain_set
from pacefab.pacemaker.configuration import read_settings
from pacefab.pacemaker.placement.remote import connected
from pacefab.pacemaker.render import record


def is_known(cib: Cib, node: str) -> bool:
    """Whether a CIB has a remote node, or an entry that is left of one."""
    return node in connected(cib) or any(True for _ in _entries(cib, node))


def guest_of(cib: Cib, node: str) -> str:
    """Return the resource whose meta attribute remote-node makes a guest node; empty: none."""
    for pair in cib.resources.iter("nvpair"):
        if pair.get("name") == "remote-node" and pair.get("value") == node:
            return next((str(e.get("id")) for e in pair.iterancestors("primitive")), "")
    return ""


def apart(cib: Cib, node: str) -> Cib:
    """Return the CIB in which the connection to a remote node is to stop."""
    after = cib.next()
    element = after.element(node)
    if element is None:
        return cib
    nvset = plain_set(element, "meta_attributes")
    if nvset is None:
        nvset = elements.add(after, element, "meta_attributes", f"{node}-meta_attributes")
    elements.set_pair(after, nvset, "target-role", "Stopped")
    return after


def without(cib: Cib, node: str) -> Cib | None:
    """Return the CIB without a remote node and all that names it; None: it has nothing of it."""
    found = [*leftovers(cib, node)]
    if not found and not is_known(cib, node):
        return None
    after = cib.next()
    gone = {node, *found, *(k for k, s in read_settings(cib).items() if s.node == node)}
    for element in [*_naming(after, node)]:
        after.remove(element)
    for element in [e for e in after.all_resources if e.get("id") == node]:
        after.remove(element)
    for element in [*_entries(after, node)]:
        after.remove(element)
    record(after, tuple(key for key in cib.owned if key not in gone))
    return after


def leftovers(cib: Cib, node: str) -> tuple[str, ...]:
    """Return the ids of constraints and fencing levels that are about a remote node."""
    return tuple(str(element.get("id")) for element in _naming(cib, node))


def _naming(cib: Cib, node: str) -> Iterator[etree._Element]:
    for constraint in cib.all_constraints:
        rules = constraint.iter("expression")
        pinned = any(e.get("attribute") == "#uname" and e.get("value") == node for e in rules)
        if pinned or constraint.get("node") == node or node in named_by(constraint):
            yield constraint
    levels = cib.section("fencing-topology")
    for level in levels.iterfind("fencing-level") if levels is not None else ():
        if level.get("target") == node:
            yield level


def _entries(cib: Cib | CibDraft, node: str) -> Iterator[etree._Element]:
    for entry in cib.root.iterfind("configuration/nodes/node"):
        if entry.get("type") == "remote" and entry.get("uname") == node:
            yield entry
