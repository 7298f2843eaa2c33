"""What constraints say of where a primitive may run, and of what it needs. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Ban
from pacefab.pacemaker.placement.settings import ancestors

UPDATE_BAN = "pacefab-update-"
"""How the ids begin of the bans with which `update-NAME` stops an instance."""
LEFT_OUT = "pacefab-without-"
"""How the ids begin of the bans of nodes without which `start-galera` started Galera."""
_CLI = ("cli-ban-", "cli-prefer-")  # made by pcs resource ban, move; crm_resource --ban


def needed(cib: Cib, primitive: str) -> Iterator[tuple[str, bool]]:
    """Yield the resources without which a primitive cannot run; whether promoted, too."""
    inside = list(ancestors(cib, primitive))
    names = {str(e.get("id")) for e in inside}
    if len(inside) > 1 and inside[1].tag == "group":
        members = [str(e.get("id")) for e in inside[1].iterfind("primitive")]
        yield from ((name, False) for name in members[: members.index(primitive)])
    for constraint in cib.all_constraints:
        together = constraint.get("score") in {"INFINITY", "+INFINITY"}
        if together and constraint.get("rsc") in names:
            role = constraint.get("with-rsc-role", "")
            yield constraint.get("with-rsc", ""), role in {"Promoted", "Master"}
        ordered = constraint.get("kind", "Mandatory") == "Mandatory"
        if ordered and constraint.get("then") in names:
            yield constraint.get("first", ""), constraint.get("first-action") == "promote"


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
