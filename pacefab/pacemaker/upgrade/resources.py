"""Resources that Pacemaker 3 drops or reads in another way. Pure.

Each rule names the line of Pacemaker's ChangeLog for 3.0.0 that it is from (ChangeLog.md, "Features
added since Pacemaker-2.1.9"). What is dropped there is what the schema pacemaker-4.0 has no more,
and what the transformation to it (xml/upgrade-3.10-*.xsl) leaves out or rewrites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import Final

from lxml import etree

from pacefab.pacemaker import elements
from pacefab.pacemaker.cib import CibDraft, agent_of, pairs, plain_set
from pacefab.pacemaker.upgrade.findings import Found, Severity, found

_CLASSES: Final = {
    "upstart": "make it one of systemd: pcs resource create NAME systemd:UNIT",
    "nagios": "make it an ocf resource, or take it out and watch that from elsewhere",
}
_AGENTS: Final = {
    "ocf:pacemaker:o2cb": "take it out, or keep the agent of today in a provider of your own",
}
_LEGACY_META: Final = {"master-max": "promoted-max", "master-node-max": "promoted-node-max"}
_OPERATION: Final = ("can-fail", "can_fail", "role_after_failure")
_NEGATIVE = re.compile(r"-\s*(\d+|INFINITY)", re.IGNORECASE)


def removed_classes(cib: CibDraft) -> Iterator[Found]:
    """Find resources of a class that is no more.

    ChangeLog: "drop support for deprecated nagios and upstart resource classes".
    """
    for element in cib.resources.iter("primitive", "template"):
        if fix := _CLASSES.get(str(element.get("class", ""))):
            why = "Pacemaker 3 has no such class and leaves the resource out: it would run nowhere"
            yield found(element.get("id"), f"it is of {agent_of(element)}", why, fix)


def removed_agents(cib: CibDraft) -> Iterator[Found]:
    """Find resources whose agent is no more.

    ChangeLog: "agents: drop ocf:pacemaker:o2cb resource agent". Of resource-agents 4.12 (Debian 12)
    all are in 4.16 (Debian 13).
    """
    for element in cib.resources.iter("primitive", "template"):
        if fix := _AGENTS.get(agent_of(element)):
            why = "the agent is not in Pacemaker 3: the resource would fail on each upgraded node"
            yield found(element.get("id"), f"it is of {agent_of(element)}", why, fix)


def masters(cib: CibDraft) -> Iterator[Found]:
    """Find promotable clones in the form of Pacemaker 1.

    ChangeLog: "drop support for deprecated master resources".
    """
    for element in cib.resources.iter("master"):
        yield found(
            element.get("id"),
            "it is an element master",
            "Pacemaker 3 has dropped it, and pcs of that generation cannot change it",
            "make it a clone with the meta attribute promotable=true; nothing restarts",
            partial(_promotable, cib, element),
        )


def _promotable(cib: CibDraft, element: etree._Element) -> None:
    element.tag = "clone"
    elements.set_pair(cib, _meta(cib, element), "promotable", "true")


def _meta(cib: CibDraft, element: etree._Element) -> etree._Element:
    """Return the plain meta attributes of an element, made where it has none."""
    nvset = plain_set(element, "meta_attributes")
    name = f"{element.get('id')}-meta_attributes"
    return elements.add(cib, element, "meta_attributes", name) if nvset is None else nvset


def legacy_meta(cib: CibDraft) -> Iterator[Found]:
    """Find meta attributes of clones under their names of Pacemaker 1.

    Deprecated since Pacemaker 2.0.0 (its ChangeLog), and still read by 3.0.
    """
    clones = cib.resources.iter("clone", "master")  # of a primitive they have no effect
    for pair in chain.from_iterable(e.iterfind("meta_attributes/nvpair") for e in clones):
        if new := _LEGACY_META.get(str(pair.get("name", ""))):
            yield found(
                _owner(pair),
                f"it has the meta attribute {pair.get('name')}",
                "Pacemaker 3 still reads it, and a later one will not",
                f"call it {new}",
                partial(pair.set, "name", new),
                Severity.NOTICE,
            )


def bundles(cib: CibDraft) -> Iterator[Found]:
    """Find bundles that Pacemaker 3 leaves out, and their option of an old name.

    ChangeLog: "drop support for deprecated bundles using rkt containers" and "drop support for
    deprecated masters bundle option".
    """
    for element in cib.resources.iter("bundle"):
        if element.find("rkt") is not None:
            why = "Pacemaker 3 has no rkt and leaves the bundle out: it would run nowhere"
            yield found(
                element.get("id"), "its containers are of rkt", why, "make it one of podman"
            )
        for technology in element.iterfind("*[@masters]"):
            yield found(
                element.get("id"),
                f"{technology.tag} has masters={technology.get('masters')}",
                "Pacemaker 3 does not read it: no instance would be promoted",
                "call it promoted-max",
                partial(_rename, technology, "masters", "promoted-max"),
            )


def _rename(element: etree._Element, old: str, new: str) -> None:
    value = str(element.attrib.pop(old))
    if new not in element.attrib:
        element.set(new, value)


def dropped_options(cib: CibDraft) -> Iterator[Found]:
    """Find options of resources and operations that are no longer read.

    ChangeLog: "drop support for deprecated restart-type resource option" and "… can-fail, can_fail,
    and role_after_failure operation options".
    """
    for pair in _meta_pairs(cib):
        name = str(pair.get("name", ""))
        if name == "restart-type" or (name in _OPERATION and _of_operation(pair)):
            yield _dropped(_owner(pair), name, partial(_take_pair, cib, pair))
    for operation in cib.resources.iter("op"):
        for name in (option for option in _OPERATION if option in operation.attrib):
            where = f"{_owner(operation)} {operation.get('name')}"
            yield _dropped(where, name, partial(operation.attrib.__delitem__, name))


def _dropped(where: str, name: str, change: partial[None]) -> Found:
    why = "Pacemaker 3 does not read it: what it did would be gone without a word"
    fix = "take it out, and see in the simulation below what that changes"
    return found(where, f"it has {name}", why, fix, change)


def _of_operation(pair: etree._Element) -> bool:
    return any(parent.tag in {"op", "op_defaults"} for parent in pair.iterancestors())


def _take_pair(cib: CibDraft, pair: etree._Element) -> None:
    nvset = pair.getparent()
    cib.remove(pair)
    if nvset is not None and not len(nvset):
        cib.remove(nvset)


def unique_instances(cib: CibDraft) -> Iterator[Found]:
    """Find clones of several instances a node that do not say whether those differ.

    ChangeLog: "globally-unique clone option defaults to true if clone-node-max is greater than 1".
    """
    for element in cib.resources.iter("clone", "master"):
        nvset = plain_set(element, "meta_attributes")
        meta = pairs(nvset)
        most = meta.get("clone-node-max", "1")
        if nvset is not None and most.isdigit() and int(most) > 1 and "globally-unique" not in meta:
            yield found(
                element.get("id"),
                f"clone-node-max is {most}, and globally-unique is not set",
                "until now that meant false, and one instance a node; with Pacemaker 3 it means "
                "true, and more instances",
                "take clone-node-max out, which keeps what runs today; or set globally-unique=true",
                partial(elements.remove_pair, cib, nvset, "clone-node-max"),
            )


def negative_thresholds(cib: CibDraft) -> Iterator[Found]:
    """Find migration thresholds below zero.

    ChangeLog: "treat negative migration-threshold as invalid and use default". Before, it was 1
    (Pacemaker 3.0 Behavioral Changes, ClusterLabs' wiki).
    """
    for pair in _meta_pairs(cib):
        value = str(pair.get("value", ""))
        if pair.get("name") == "migration-threshold" and _NEGATIVE.fullmatch(value):
            yield found(
                _owner(pair),
                f"migration-threshold is {value}",
                "until now it meant 1: one failure moves the resource; Pacemaker 3 takes the "
                "default, and no failure moves it",
                "write 1, which keeps what it means today",
                partial(pair.set, "value", "1"),
            )


def record_pending(cib: CibDraft) -> Iterator[Found]:
    """Find the operation option record-pending.

    ChangeLog: "deprecate record-pending operation option".
    """
    named = (p for p in _meta_pairs(cib) if p.get("name") == "record-pending" and _of_operation(p))
    for pair in named:
        yield _pending(_owner(pair), partial(_take_pair, cib, pair))
    for operation in cib.resources.iter("op"):
        if "record-pending" in operation.attrib:
            where = f"{_owner(operation)} {operation.get('name')}"
            yield _pending(where, partial(operation.attrib.__delitem__, "record-pending"))


def _pending(where: str, change: partial[None]) -> Found:
    why = "it is deprecated, and will be dropped: Pacemaker records pending operations by default"
    return found(where, "it has record-pending", why, "take it out", change, Severity.NOTICE)


def _meta_pairs(cib: CibDraft) -> Iterator[etree._Element]:
    """Yield every pair of meta attributes, of resources, operations and defaults."""
    sections = (cib.section(name) for name in ("resources", "rsc_defaults", "op_defaults"))
    sets = chain.from_iterable(s.iter("meta_attributes") for s in sections if s is not None)
    for nvset in sets:
        yield from nvset.iterfind("nvpair")


def _owner(element: etree._Element) -> str:
    """Return the id of the resource that something is of, or the section's name."""
    kinds = {"primitive", "template", "group", "clone", "master", "bundle"}
    for parent in element.iterancestors():
        if parent.tag in kinds:
            return str(parent.get("id"))
        if parent.tag in {"rsc_defaults", "op_defaults"}:
            return str(parent.tag)
    return str(element.get("id"))
