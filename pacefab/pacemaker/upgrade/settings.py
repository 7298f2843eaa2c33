"""Properties, sets, rules, nodes and levels that Pacemaker 3 drops or reads in another way. Pure.

Each rule names the line of Pacemaker's ChangeLog for 3.0.0 that it is from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from lxml import etree

from pacefab.pacemaker.cib import CibDraft
from pacefab.pacemaker.model import is_true
from pacefab.pacemaker.naming import unused
from pacefab.pacemaker.upgrade.findings import Found, Severity, found

_RENAMED: Final = {
    "crmd-finalization-timeout": "join-finalization-timeout",
    "crmd-integration-timeout": "join-integration-timeout",
    "crmd-transition-delay": "transition-delay",
}
_DROPPED_SCHEMAS: Final = frozenset({
    "pacemaker-0.6", "pacemaker-0.7", "pacemaker-1.1", "pacemaker-next", "transitional-0.6",
})  # fmt: skip
_SCHEMA = re.compile(r"pacemaker-(\d+)\.(\d+)")
_OLD_SCHEMA: Final = (3, 0)
_SETS: Final = ("cluster_property_set", "instance_attributes", "meta_attributes", "utilization")
_HIGHEST_LEVEL: Final = 9
_TESTS: Final = frozenset({"lt", "gt", "lte", "gte", "eq", "ne", "defined", "not_defined"})


def schema(cib: CibDraft) -> Iterator[Found]:
    """Find a CIB whose schema is none that Pacemaker 3 knows.

    ChangeLog: "validate-with must be set, case-sensitive, and not pacemaker-0.6, pacemaker-0.7,
    pacemaker-1.1, pacemaker-next, transitional-0.6, or unknown".
    """
    said = str(cib.root.get("validate-with", ""))
    version = _SCHEMA.fullmatch(said)
    if version is None or said in _DROPPED_SCHEMAS:
        yield found(
            "cib",
            f"validate-with is {said or 'not set'}",
            "Pacemaker 3 refuses a CIB of no schema that it knows: it would not start",
            "cibadmin --upgrade --force, when crm_verify --live-check has nothing against it",
        )
    elif (int(version[1]), int(version[2])) < _OLD_SCHEMA:
        yield found(
            "cib",
            f"validate-with is {said}",
            "Pacemaker 3 reads it by way of two transformations each time",
            "cibadmin --upgrade, before or after",
            severity=Severity.NOTICE,
        )


def properties(cib: CibDraft) -> Iterator[Found]:
    """Find properties of the cluster, or values of them, that are dropped.

    ChangeLog: "drop support for deprecated cluster options crmd-finalization-timeout,
    crmd-integration-timeout, and crmd-transition-delay, and remove-after-stop" and "drop support
    for deprecated poweroff value of stonith-action cluster option"; "deprecate concurrent-fencing
    cluster option, which now defaults to true".
    """
    for pair in _properties(cib):
        name, value = str(pair.get("name", "")), str(pair.get("value", ""))
        why = "Pacemaker 3 does not read it, and takes its default"
        if new := _RENAMED.get(name):
            change = partial(_renamed, cib, pair, new)
            yield found(name, f"it is {value}", why, f"call it {new}", change)
        elif name == "remove-after-stop":
            fix = "take it out: a stopped resource is kept"
            yield found(name, f"it is {value}", why, fix, partial(cib.remove, pair))
        elif name == "stonith-action" and value == "poweroff":
            why = (
                "Pacemaker 3 has dropped it: only its conversion of an older schema still reads it"
            )
            change = partial(pair.set, "value", "off")
            yield found(name, f"it is {value}", why, "write off, which means the same", change)
        elif name == "concurrent-fencing" and not is_true(value):
            why = "it is deprecated: a later Pacemaker fences several nodes at once in any case"
            fix = "take it out when the fence devices can be asked side by side"
            yield found(name, f"it is {value}", why, fix, severity=Severity.NOTICE)


def _properties(cib: CibDraft) -> list[etree._Element]:
    return cib.root.findall("configuration/crm_config/cluster_property_set/nvpair")


def _renamed(cib: CibDraft, pair: etree._Element, name: str) -> None:
    if any(other.get("name") == name for other in _properties(cib)):
        cib.remove(pair)
    else:
        pair.set("name", name)


def default_parameters(cib: CibDraft) -> Iterator[Found]:
    """Find parameters of agents among the defaults of resources.

    ChangeLog: "drop support for instance_attributes in rsc_defaults".
    """
    section = cib.section("rsc_defaults")
    for nvset in section.iterfind("instance_attributes") if section is not None else ():
        names = ", ".join(str(pair.get("name")) for pair in nvset.iterfind("nvpair"))
        yield found(
            nvset.get("id"),
            f"the resource defaults have parameters: {names or 'none'}",
            "Pacemaker 3 does not read them: agents would run with their own defaults",
            "give them to the resources themselves, then take them out here",
        )


def shared_pairs(cib: CibDraft) -> Iterator[Found]:
    """Find values that are taken from elsewhere under another name.

    ChangeLog: "drop support for name attribute when id-ref attribute is present".
    """
    for pair in cib.configuration.iter("nvpair"):
        if pair.get("id-ref") is None or pair.get("name") is None:
            continue
        other = _pair(cib, str(pair.get("id-ref")))
        yield found(
            _holder(pair),
            f"{pair.get('name')} takes its value from {pair.get('id-ref')}",
            "Pacemaker 3 takes the other's name too: the setting would be lost",
            "write the value itself",
            None if other is None else partial(_own_value, cib, pair, other),
        )


def _pair(cib: CibDraft, name: str) -> etree._Element | None:
    pairs = cib.configuration.iter("nvpair")
    return next((p for p in pairs if p.get("id") == name and p.get("value") is not None), None)


def _own_value(cib: CibDraft, pair: etree._Element, other: etree._Element) -> None:
    name = str(pair.get("name"))
    nvset = pair.getparent()
    own = unused(f"{'' if nvset is None else nvset.get('id')}-{name}", cib.ids)
    cib.ids.add(own)
    pair.attrib.clear()
    for key, value in (("id", own), ("name", name), ("value", str(other.get("value")))):
        pair.set(key, value)


def moons(cib: CibDraft) -> Iterator[Found]:
    """Find dates by the phase of the moon.

    ChangeLog: "drop support for deprecated moon in date_spec elements of rules".
    """
    for element in cib.configuration.iter("date_spec"):
        if element.get("moon") is not None:
            why = "Pacemaker 3 leaves that out: the rule would hold on other days too"
            fix = "write the days that are meant (yeardays, monthdays), or take the rule out"
            yield found(element.get("id"), f"it has moon={element.get('moon')}", why, fix)


def several_rules(cib: CibDraft) -> Iterator[Found]:
    """Find sets with more than one rule at the top; one of them was enough until now.

    ChangeLog: "drop support for multiple top-level rules in location constraints or name/value
    blocks".
    """
    for nvset in cib.configuration.iter(*_SETS):
        rules = nvset.findall("rule")
        if len(rules) > 1:
            whole = all(rule.get("id-ref") is None for rule in rules)
            yield found(
                nvset.get("id"),
                f"it has {len(rules)} rules side by side",
                "Pacemaker 3 takes one rule in a set",
                "put them into one rule with boolean-op=or",
                partial(_joined, cib, nvset, rules) if whole else None,
            )


def _joined(cib: CibDraft, nvset: etree._Element, rules: list[etree._Element]) -> None:
    place = nvset.index(rules[0])
    attributes = {"boolean-op": "or", "score": str(rules[0].get("score", "INFINITY"))}
    around = etree.Element("rule", {"id": unused(f"{nvset.get('id')}-rule", cib.ids), **attributes})
    for rule in rules:
        cib.remove(rule)
        around.append(rule)
    cib.put(nvset, around, place)


def node_rules(cib: CibDraft) -> Iterator[Found]:
    """Find meta attributes that depend on attributes of nodes.

    ChangeLog: "ignore node expressions for meta-attributes".
    """
    for nvset in cib.configuration.iter("meta_attributes"):
        for expression in nvset.iterfind(".//expression"):
            yield found(
                nvset.get("id"),
                f"it has a rule on the node attribute {expression.get('attribute')}",
                "Pacemaker 3 takes such a rule for one that does not hold",
                "say it with a location constraint, or without that rule",
            )


def broken_rules(cib: CibDraft) -> Iterator[Found]:
    """Find rules that Pacemaker 3 takes for not holding.

    ChangeLog: "treat misconfigured rules and rule expressions as not passing".
    """
    why = "Pacemaker 3 takes such a rule for one that does not hold"
    for rule in cib.configuration.iter("rule"):
        if rule.get("id-ref") is None and rule.find("*") is None:
            fix = "write what it is to test, or take it out"
            yield found(rule.get("id"), "it is a rule without any test", why, fix)
    for expression in cib.configuration.iter("expression"):
        test = str(expression.get("operation", ""))
        if test not in _TESTS:
            fix = f"write one of {', '.join(sorted(_TESTS))}"
            yield found(expression.get("id"), f"its operation is {test!r}", why, fix)


def ping_nodes(cib: CibDraft) -> Iterator[Found]:
    """Find nodes that were none, of Heartbeat's days.

    ChangeLog: "drop support for nodes with type set to deprecated value ping or an invalid value".
    """
    known = {"member", "normal", "remote"}
    for node in cib.root.iterfind("configuration/nodes/node"):
        if (kind := str(node.get("type", "member"))) not in known:
            why = "Pacemaker 3 makes it a member, or refuses it"
            fix = f"crm_node --force --remove {node.get('uname')}"
            yield found(node.get("uname"), f"its type is {kind}", why, fix)


def fencing_levels(cib: CibDraft) -> Iterator[Found]:
    """Find fencing levels that are no level.

    ChangeLog: "invalid fencing level indexes are rejected by schema"; xml/upgrade-3.10-1.xsl drops
    those above 9.
    """
    section = cib.section("fencing-topology")
    for level in section.iterfind("fencing-level") if section is not None else ():
        index = str(level.get("index", ""))
        if not index.isdigit() or not 0 < int(index) <= _HIGHEST_LEVEL:
            why = "Pacemaker 3 leaves it out: its devices would fence nobody"
            yield found(
                level.get("id"), f"its index is {index!r}", why, "number levels from 1 to 9"
            )


def discovery(cib: CibDraft) -> Iterator[Found]:
    """Find nodes on which nothing is looked for by an attribute.

    ChangeLog of 2.1.8: "deprecate resource-discovery-enabled node attribute".
    """
    for node in cib.root.iterfind("configuration/nodes/node"):
        for pair in node.iterfind("instance_attributes/nvpair"):
            if pair.get("name") == "resource-discovery-enabled":
                yield found(
                    node.get("uname"),
                    "it has the attribute resource-discovery-enabled",
                    "it is deprecated, and a later Pacemaker will not read it",
                    "say it with location constraints: resource-discovery=never",
                    severity=Severity.NOTICE,
                )


def _holder(pair: etree._Element) -> str:
    nvset = pair.getparent()
    return str(pair.get("id-ref") if nvset is None else nvset.get("id"))
