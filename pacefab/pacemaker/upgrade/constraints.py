"""Constraints that Pacemaker 3 ignores or reads in another way. Pure.

Each rule names the line of Pacemaker's ChangeLog for 3.0.0 that it is from.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import partial
from typing import Final

from lxml import etree

from pacefab.pacemaker.cib import CibDraft
from pacefab.pacemaker.naming import unused
from pacefab.pacemaker.upgrade.findings import Found, Severity, found

_SCORE = re.compile(r"[+-]?(\d+|INFINITY)|red|yellow|green", re.IGNORECASE)
_ROLES: Final = frozenset({"started", "stopped", "promoted", "unpromoted", "master", "slave"})
_OLD_ROLES: Final = {"master": "Promoted", "slave": "Unpromoted"}
_ROLE_KEYS: Final = ("role", "rsc-role", "with-rsc-role")
_NEW_ROLES_SINCE: Final = (3, 7)
_SCHEMA = re.compile(r"pacemaker-(\d+)\.(\d+)")
_INSTANCES: Final = ("rsc-instance", "with-rsc-instance", "first-instance", "then-instance")
_BOTH: Final = frozenset({"and", "or"})
_IGNORED: Final = (
    "Pacemaker 3 ignores the whole constraint then; until now it took a value by default"
)


def lifetimes(cib: CibDraft) -> Iterator[Found]:
    """Find constraints with an element lifetime.

    ChangeLog: "drop support for deprecated lifetime elements in constraints". Of a location
    constraint its rules become a part of the constraint's own rule, as in the transformation to
    pacemaker-4.0 (xml/upgrade-3.10-3.xsl); of others they are lost there. That transformation gives
    the new rule no score, and Pacemaker 3.0.0 then says "Ignoring location constraint rule …
    because neither score nor score-attribute was specified" (crm_verify, tried on Debian 13).
    """
    for constraint in cib.all_constraints:
        if constraint.find("lifetime") is None:
            continue
        why = "Pacemaker 3 makes a rule without a score of it, and ignores the constraint"
        fix = "write its times as a part of the constraint's own rule"
        if constraint.tag != "rsc_location":
            why = "Pacemaker 3 does not read it: the constraint would hold at any time"
            fix = "take lifetime out, and the constraint away when it is not to hold any more"
        yield found(
            constraint.get("id"),
            "it has an element lifetime",
            why,
            fix,
            partial(_as_rule, cib, constraint) if _convertible(constraint) else None,
        )


def _convertible(constraint: etree._Element) -> bool:
    """Whether a lifetime can be written as a rule without looking elsewhere."""
    own, life = constraint.findall("rule"), constraint.findall("lifetime/rule")
    whole = all(rule.get("id-ref") is None for rule in (*own, *life))
    places = len(own) == 1 or (not own and bool(constraint.get("node")))
    return constraint.tag == "rsc_location" and whole and places and bool(life)


def _as_rule(cib: CibDraft, constraint: etree._Element) -> None:
    """Make one rule of what a location constraint says and of when it holds."""
    lifetime, own = constraint.findall("lifetime")[0], constraint.find("rule")
    times = lifetime.findall("rule")
    outer = etree.Element("rule", id=unused(f"{constraint.get('id')}-rule", cib.ids))
    _move(constraint if own is None else own, outer, ("score", "score-attribute", "role"))
    outer.set("boolean-op", "and")
    inner = _any_of(cib, f"{constraint.get('id')}-lifetime", times)
    for old in (lifetime, own):
        if old is not None:
            cib.remove(old)
    outer.append(_place(cib, outer, constraint) if own is None else own)
    outer.append(inner)
    for rule in outer.iterdescendants("rule"):
        for name in ("role", "score", "score-attribute"):  # the outer rule's alone are read
            rule.attrib.pop(name, "")
    cib.put(constraint, outer)


def _place(cib: CibDraft, rule: etree._Element, constraint: etree._Element) -> etree._Element:
    """Return the test that a node is the one which a constraint names, and take it from there."""
    name = unused(f"{rule.get('id')}-expr", cib.ids)
    test = {"attribute": "#uname", "operation": "eq", "value": str(constraint.attrib.pop("node"))}
    return etree.Element("expression", {"id": name, **test})


def _move(source: etree._Element, target: etree._Element, names: tuple[str, ...]) -> None:
    for name in names:
        if name in source.attrib:
            target.set(name, str(source.attrib.pop(name)))


def _any_of(cib: CibDraft, name: str, rules: list[etree._Element]) -> etree._Element:
    """Return one rule that holds where one of several does."""
    if len(rules) == 1:
        return rules[0]
    around = etree.Element("rule", {"id": unused(name, cib.ids), "boolean-op": "or"})
    around.extend(rules)
    return around


def several_rules(cib: CibDraft) -> Iterator[Found]:
    """Find location constraints with more than one rule at the top.

    ChangeLog: "drop support for multiple top-level rules in location constraints or name/value
    blocks". Each becomes a constraint of its own, as in xml/upgrade-3.10-2.xsl.
    """
    for constraint in cib.constraints.iterfind("rsc_location"):
        rules = constraint.findall("rule")
        if len(rules) > 1:
            simple = constraint.find("lifetime") is None
            yield found(
                constraint.get("id"),
                f"it has {len(rules)} rules side by side",
                "Pacemaker 3 takes one rule in a constraint",
                "make a constraint of each",
                partial(_part, cib, constraint) if simple else None,
            )


def _part(cib: CibDraft, constraint: etree._Element) -> None:
    place = cib.constraints.index(constraint)
    for number, rule in enumerate(constraint.findall("rule")[1:], 2):
        other = etree.Element("rsc_location", {str(k): str(v) for k, v in constraint.items()})
        other.set("id", unused(f"{constraint.get('id')}-{number}", cib.ids))
        cib.remove(rule)
        for piece in constraint.iterfind("resource_set"):
            other.append(_renamed(cib, piece, number))
        other.append(rule)
        cib.put(cib.constraints, other, place + number - 1)


def _renamed(cib: CibDraft, piece: etree._Element, number: int) -> etree._Element:
    made = copy.deepcopy(piece)
    made.set("id", unused(f"{piece.get('id')}-{number}", cib.ids))
    return made


def invalid_scores(cib: CibDraft) -> Iterator[Found]:
    """Find scores that are no numbers.

    ChangeLog: "location constraints with an invalid score, boolean-op, or role, colocation
    constraints with an invalid score, rsc-role, or with-rsc-role, and ticket constraints with an
    invalid rsc-role are now ignored (previously, default values would be used)".
    """
    for constraint in _of_places(cib):
        for element in constraint.iter("rsc_location", "rsc_colocation", "rule", "resource_set"):
            score = element.get("score")
            if score is not None and not _SCORE.fullmatch(score):
                fix = "write a whole number, INFINITY or -INFINITY"
                yield found(constraint.get("id"), f"the score is {score!r}", _IGNORED, fix)


def invalid_operators(cib: CibDraft) -> Iterator[Found]:
    """Find rules that join their parts by neither and nor or. ChangeLog as of `invalid_scores`."""
    for constraint in _of_places(cib):
        for rule in constraint.iter("rule"):
            joined = str(rule.get("boolean-op", "and"))
            if joined.lower() not in _BOTH:
                fix = "write and, or or"
                yield found(constraint.get("id"), f"boolean-op is {joined!r}", _IGNORED, fix)


def invalid_roles(cib: CibDraft) -> Iterator[Found]:
    """Find roles that there are not. ChangeLog as of `invalid_scores`."""
    for constraint, _, name, role in _roles(cib):
        if role.lower() not in _ROLES:
            fix = "write Started, Promoted or Unpromoted"
            yield found(constraint.get("id"), f"{name} is {role!r}", _IGNORED, fix)


def old_roles(cib: CibDraft) -> Iterator[Found]:
    """Find the roles Master and Slave, of constraints and of operations.

    Deprecated since Pacemaker 2.1.0 (its ChangeLog); pacemaker-4.0 still has them. The schema knows
    today's words since pacemaker-3.7: where the CIB's is older, it has to be raised first.
    """
    operations = ((op, op, "role", str(op.get("role", ""))) for op in cib.resources.iter("op"))
    for where, element, name, role in (*_roles(cib), *operations):
        if new := _OLD_ROLES.get(role.lower()):
            yield found(
                where.get("id"),
                f"{name} is {role}",
                "Pacemaker 3 still reads it, and a later one will not",
                f"write {new}" if _knows_new(cib) else f"cibadmin --upgrade, then write {new}",
                partial(element.set, name, new) if _knows_new(cib) else None,
                Severity.NOTICE,
            )


def _knows_new(cib: CibDraft) -> bool:
    schema = _SCHEMA.fullmatch(str(cib.root.get("validate-with", "")))
    return schema is not None and (int(schema[1]), int(schema[2])) >= _NEW_ROLES_SINCE


def _roles(cib: CibDraft) -> list[tuple[etree._Element, etree._Element, str, str]]:
    return [
        (constraint, element, name, str(element.get(name)))
        for constraint in cib.all_constraints
        for element in constraint.iter("*")
        for name in _ROLE_KEYS
        if element.get(name)
    ]


def instances(cib: CibDraft) -> Iterator[Found]:
    """Find constraints on one instance of a clone.

    ChangeLog: "drop support for deprecated rsc-instance, with-rsc-instance, first-instance, and
    then-instance constraint options".
    """
    for constraint in cib.all_constraints:
        for name in (option for option in _INSTANCES if option in constraint.attrib):
            yield found(
                constraint.get("id"),
                f"it has {name}={constraint.get(name)}",
                "Pacemaker 3 does not read it: the constraint would be on every instance",
                "take the constraint out, or make that instance a resource of its own",
            )


def _of_places(cib: CibDraft) -> Iterator[etree._Element]:
    yield from (e for e in cib.all_constraints if e.tag in {"rsc_location", "rsc_colocation"})
