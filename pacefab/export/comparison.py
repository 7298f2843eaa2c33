"""Two CIBs -> what one says and the other does not, element by element. Pure.

It knows nothing of nouns and inventories, so that what those leave out is seen. Left aside are ids
that nothing refers to, an order that means nothing, defaults that are written out, and spelling.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lxml import etree

# What Pacemaker writes itself: no one configures it.
VOLATILE = frozenset({"last-lrm-refresh", "dc-version", "have-watchdog", "cluster-infrastructure",
                      "cluster-name"})  # fmt: skip
_OWNER = "pacefab"
_IN_ORDER = {"resource_ref", "obj_ref", "primitive", "instance_attributes", "meta_attributes",
             "utilization", "cluster_property_set"}  # fmt: skip
_REFERENCES = {"resource_ref", "obj_ref", "role"}
# Of attributes that Pacemaker gives a default, what it is (Pacemaker Explained).
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "rsc_order": {"first-action": "start", "kind": "Mandatory"},
    "rsc_colocation": {"score": "0"},  # one that has none is of no effect
    "rsc_location": {"resource-discovery": "always"},
    "rule": {"boolean-op": "and"},
    "op": {"timeout": ""},
}
_BOOLEANS = {"stonith-enabled", "promotable"}  # which are rewritten as true and false
_TRUE, _FALSE = {"true", "on", "yes", "y"}, {"false", "off", "no", "n"}
_INFINITE = {"infinity": "INFINITY", "+infinity": "INFINITY", "1000000": "INFINITY",
             "-infinity": "-INFINITY", "-1000000": "-INFINITY"}  # fmt: skip
_ROLES = {"Master": "Promoted", "master": "Promoted", "Slave": "Unpromoted", "slave": "Unpromoted"}


@dataclass(frozen=True)
class Lost:
    """An element that one CIB has and the other has not; `xml` as it stands there."""

    where: str
    meaning: str
    xml: str


def lost(original: etree._Element, other: etree._Element) -> tuple[list[Lost], list[Lost]]:
    """Return what only the first configuration says, and what only the second one does."""
    sides = [_once(_said(each)) for each in (original, other)]
    counts = [Counter((said.where, said.meaning) for said in side) for side in sides]
    return _only(sides[0], counts[1]), _only(sides[1], counts[0])


def referred_ids(configuration: etree._Element) -> set[str]:
    """Return the ids that something in a configuration refers to: those mean something."""
    return {str(e.get("id-ref")) for e in configuration.iter() if e.get("id-ref")}


def says_same(one: etree._Element, other: etree._Element, referred: set[str]) -> bool:
    """Whether two elements come to the same; ids count where they are `referred` to."""
    said = [_meaning(_without_noise(each), referred) for each in (one, other)]
    return said[0] == said[1]


def _once(said: Iterator[Lost]) -> list[Lost]:
    """Return what is said; an order that is said twice is one."""
    found: dict[tuple[str, str, int], Lost] = {}
    for number, each in enumerate(said):
        same = 0 if each.meaning.startswith("<rsc_order") else number
        found.setdefault((each.where, each.meaning, same), each)
    return list(found.values())


def _only(side: list[Lost], others: Counter[tuple[str, str]]) -> list[Lost]:
    left, found = Counter(others), []
    for said in side:
        if left[said.where, said.meaning] > 0:
            left[said.where, said.meaning] -= 1
        else:
            found.append(said)
    return found


def _said(root: etree._Element) -> Iterator[Lost]:
    """Yield each object of a configuration on its own, in one spelling."""
    configuration = root if root.tag == "configuration" else root.find("configuration")
    if configuration is None:
        return
    referred = referred_ids(configuration)
    for section in configuration.iterfind("*"):
        for element in section.iterfind("*"):
            if element.get("id") == _OWNER or _is_empty(element, referred):
                continue
            parts = _of_node(element) if element.tag == "node" else (element,)
            numbers: Counter[str] = Counter()
            for part in parts:
                where = str(section.tag)
                if element.tag == "node":
                    numbers[str(part.tag)] += 1
                    where += f" {element.get('uname')} {numbers[str(part.tag)]}"
                if part.tag in _PAIRS and not len(_without_noise(part)):
                    continue
                xml = etree.tostring(part, encoding="unicode", with_tail=False)
                meaning = _meaning(_without_noise(part), referred)
                yield Lost(where, meaning, " ".join(xml.split()))


def _of_node(node: etree._Element) -> Iterator[etree._Element]:
    yield from (e for e in node.iterfind("*") if len(e) or e.get("id-ref"))


def _is_empty(element: etree._Element, referred: set[str]) -> bool:
    sets = {"meta_attributes", "cluster_property_set", "instance_attributes", "utilization"}
    return element.tag in sets and not len(element) and element.get("id") not in referred


def _without_noise(element: etree._Element) -> etree._Element:
    """Return a copy of today's words, without what is empty or written by Pacemaker itself."""
    found = copy.deepcopy(element)
    if found.tag == "master":
        found.tag = "clone"
        _promote(found)
    for nvset in [e for e in found.iter() if e.tag in _PAIRS]:
        seen: set[str] = set()  # of two pairs of one name the first one counts
        for pair in nvset.findall("nvpair"):
            name = pair.get("name", "")
            volatile = nvset.tag == "cluster_property_set" and name in VOLATILE
            if name and (volatile or name in seen):
                nvset.remove(pair)
            seen.add(name)
    return found


def _promote(clone: etree._Element) -> None:
    nvset = clone.find("meta_attributes")
    if nvset is None:
        nvset = etree.SubElement(clone, "meta_attributes")
    if not any(pair.get("name") == "promotable" for pair in nvset):
        etree.SubElement(nvset, "nvpair", name="promotable", value="true")


def _meaning(element: etree._Element, referred: set[str]) -> str:
    """Return an element as a text that is the same for all that say the same."""
    tag = str(element.tag)
    attributes = {str(k): _plain(str(k), str(v)) for k, v in element.items()}
    if attributes.get("name") in _BOOLEANS:
        value = attributes.get("value", "")
        attributes["value"] = {"1": "true", "0": "false"}.get(value, value)
    if not _keeps_id(element, attributes.get("id", ""), referred):
        attributes.pop("id", None)
    defaults = dict(_DEFAULTS.get(tag, {}))
    if tag == "rsc_order":
        defaults["then-action"] = attributes.get("first-action", "start")
        defaults["symmetrical"] = "false" if attributes.get("kind") == "Serialize" else "true"
        defaults["require-all"] = "true"
    if tag == "rsc_colocation":
        attributes.pop("rsc-role", "") if attributes.get("rsc-role") == "Started" else None
        attributes.pop("with-rsc-role", "") if attributes.get("with-rsc-role") == "Started" else 0
    if tag == "rule" and len(element.findall("*")) == 1:
        attributes.pop("boolean-op", "")
    said = [f"{k}={v!r}" for k, v in sorted(attributes.items()) if defaults.get(k) != v]
    children = [e for e in element.iterfind("*") if not _means_nothing(e, referred)]
    inside = [_meaning(child, referred) for child in children]
    inside = _sorted(children, inside)
    return f"<{' '.join([tag, *said])}>{''.join(inside)}"


_PAIRS = {"instance_attributes", "meta_attributes", "utilization", "cluster_property_set"}


def _sorted(children: list[etree._Element], inside: list[str]) -> list[str]:
    """Return children in one order, where theirs means nothing: that of sets of a kind does."""
    keyed = [
        ((str(child.tag), "" if child.tag in _IN_ORDER else text), text)
        for child, text in zip(children, inside, strict=True)
    ]
    return [text for _, text in sorted(keyed, key=lambda pair: pair[0])]


def _means_nothing(element: etree._Element, referred: set[str]) -> bool:
    empty = not len(element) and element.get("id") not in referred
    if element.tag in _PAIRS:
        return empty and not element.get("id-ref")
    return element.tag == "operations" and empty and not element.get("id-ref")


def _keeps_id(element: etree._Element, own: str, referred: set[str]) -> bool:
    resources = {"primitive", "group", "clone", "bundle", "template", "tag", "acl_role",
                 "acl_target", "acl_group", "alert", "node"}  # fmt: skip
    return own in referred or element.tag in {*_REFERENCES, *resources}


def _plain(name: str, value: str) -> str:
    lower = value.lower()
    if name == "value" or name in {"symmetrical", "require-all", "sequential", "influence",
                                   "enabled", "record-pending"}:  # fmt: skip
        if lower in _TRUE:
            return "true"
        if lower in _FALSE:
            return "false"
    if name in {"value", "score"} and lower in _INFINITE:
        return _INFINITE[lower]
    return _ROLES.get(value, value) if name == "value" or name.endswith("role") else value
