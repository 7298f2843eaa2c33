"""What constraints say of where a primitive may run, and of what it needs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise, product

from lxml import etree

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import role_of
from pacefab.pacemaker.nouns.status import Ban
from pacefab.pacemaker.placement.settings import ancestors

UPDATE_BAN = "pacefab-update-"
"""How the ids begin of the bans with which `update-NAME` stops an instance."""
LEFT_OUT = "pacefab-without-"
"""How the ids begin of the bans of nodes without which `start-galera` started Galera."""
_INFINITY = 1_000_000
_CLI = ("cli-ban-", "cli-prefer-")  # made by pcs resource ban, move; crm_resource --ban


def may_include(cib: Cib, location: etree._Element, node: str) -> bool:
    """Whether a location may be about a node: it names it, or its attributes fit a rule."""
    if location.get("node") is not None:
        return location.get("node") == node
    return any(_may_fit(cib, rule, node) for rule in location.iterfind("rule"))


def _may_fit(cib: Cib, rule: etree._Element, node: str) -> bool:
    """Whether a rule may hold on a node; of what no attribute of nodes says, it may."""
    known = node_attributes(cib, node)
    every = any if rule.get("boolean-op") == "or" else all
    return every(e.tag != "expression" or _may_hold(e, known) for e in rule)


def _may_hold(expression: etree._Element, known: Mapping[str, str]) -> bool:
    name, operation = expression.get("attribute", ""), expression.get("operation")
    if name.startswith("#") and name not in known:
        return True
    value = known.get(name)
    if operation == "eq":
        return value == expression.get("value")
    if operation in {"defined", "not_defined"}:
        return (value is not None) is (operation == "defined")
    return operation != "ne" or value != expression.get("value")


def node_attributes(cib: Cib, node: str) -> dict[str, str]:
    """Return a node's attributes: its name, those that are noted for good, and until it leaves."""
    path = f"node[@uname='{node}']/instance_attributes/nvpair"
    transient = f"status/node_state[@uname='{node}']/transient_attributes/*/nvpair"
    found = [*cib.root.iterfind(transient), *cib.root.iterfind(f"configuration/nodes/{path}")]
    return {"#uname": node, **{str(e.get("name")): str(e.get("value")) for e in found}}


def needed(cib: Cib, primitive: str) -> Iterator[tuple[str, bool]]:
    """Yield the resources without which a primitive cannot run; whether promoted, too."""
    inside = list(ancestors(cib, primitive))
    names = {str(e.get("id")) for e in inside}
    if len(inside) > 1 and inside[1].tag == "group":
        members = [str(e.get("id")) for e in inside[1].iterfind("primitive")]
        yield from ((name, False) for name in members[: members.index(primitive)])
    for constraint in cib.all_constraints:
        needs = _needs(constraint)
        yield from ((other, promoted) for name, other, promoted in needs if name in names)


def _needs(constraint: etree._Element) -> Iterator[tuple[str, str, bool]]:
    """Yield who needs whom by a mandatory constraint, and whether promoted."""
    if constraint.tag == "rsc_colocation" and _is_infinite(constraint.get("score", "")):
        role = role_of(constraint.get("with-rsc-role", ""))
        yield constraint.get("rsc", ""), constraint.get("with-rsc", ""), role == "Promoted"
        for name, other, of in _needs_in_sets(constraint.findall("resource_set"), reverse=True):
            yield name, other, role_of(of.get("role", "")) == "Promoted"
    if constraint.tag == "rsc_order" and constraint.get("kind", "Mandatory") == "Mandatory":
        promoted = constraint.get("first-action") == "promote"
        yield constraint.get("then", ""), constraint.get("first", ""), promoted
        for name, other, of in _needs_in_sets(constraint.findall("resource_set")):
            yield name, other, of.get("action") == "promote"


def _is_infinite(score: str) -> bool:
    """Whether a score is INFINITY, which Pacemaker has at a million."""
    number = score.removeprefix("+")
    return number == "INFINITY" or (number.isdecimal() and int(number) >= _INFINITY)


def _needs_in_sets(
    sets: list[etree._Element], *, reverse: bool = False
) -> Iterator[tuple[str, str, etree._Element]]:
    """Yield who needs whom by the sets of a constraint, and in which set that one is.

    In a sequential set each needs the one before it. A set needs the one before it; of a colocation
    the one behind it (Pacemaker Explained, resource sets).
    """
    for one in sets:
        if _is_sequential(one):
            yield from ((after, before, one) for before, after in pairwise(_members(one)))
    for one, other in pairwise(reversed(sets) if reverse else sets):
        last, first = _members(one), _members(other)
        last = last[-1:] if _is_sequential(one) else last
        first = first[:1] if _is_sequential(other) else first
        yield from ((after, before, one) for before, after in product(last, first))


def _members(resource_set: etree._Element) -> list[str]:
    return [str(each.get("id")) for each in resource_set.iterfind("resource_ref")]


def _is_sequential(resource_set: etree._Element) -> bool:
    return resource_set.get("sequential", "true").lower() in {"true", "on", "yes", "y", "1"}


def primitives_in(cib: Cib, resource: str) -> list[str]:
    """Return the ids of the primitives that a resource is, or holds."""
    element = cib.element(resource)
    every = element.iter("primitive") if element is not None else ()
    return [str(primitive.get("id")) for primitive in every]


def is_positive(constraint: etree._Element) -> bool:
    """Whether a location constraint is for its node, not against it."""
    return not constraint.get("score", "").startswith("-")


def describe_rule(constraint: etree._Element | None) -> str:
    """Return what a constraint's rule says, as far as an operator has to know it."""
    if constraint is None:
        return ""
    ends = [str(e.get("end")) for e in constraint.iter("date_expression") if e.get("end")]
    tests = [
        " ".join(filter(None, (e.get("attribute"), e.get("operation"), e.get("value"))))
        for e in constraint.iter("expression")
        if e.get("attribute") != "#uname"
    ]
    return "".join([f" until {end}" for end in ends] + [f" ({test})" for test in tests])


def lift(name: str, ban: Ban) -> str:
    """Return the way to end a ban by the constraint of that name, whoever made it."""
    if name.startswith(LEFT_OUT):
        return (
            f"fab start-galera starts Galera without {ban.node}; where it runs, it lets "
            f"{ban.node} in again, with a whole copy"
        )
    if name.startswith(_CLI):
        return f"pcs resource clear {ban.resource} {ban.node}"
    delete = f"pcs constraint delete {name}"
    if name.startswith(UPDATE_BAN):
        return f"an update was cut off; run it again, or: {delete}"
    return delete
