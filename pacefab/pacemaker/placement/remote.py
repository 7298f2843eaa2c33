"""Nodes by Pacemaker Remote: corosync does not know them, a resource is the way to each. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from lxml import etree

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import Configuration, Location, Primitive, Resource, primitives

CONNECTION = "ocf:pacemaker:remote"
PORT = 3121  # TCP, of the daemon there, unless it is given another one


def connections(configuration: Configuration) -> frozenset[str]:
    """Return the remote nodes that a configuration connects to: a resource of each name does."""
    return frozenset(
        resource.id
        for resource in configuration.resources
        if isinstance(resource, Primitive) and resource.agent == CONNECTION
    )


def connected(cib: Cib) -> frozenset[str]:
    """Return the remote nodes that a CIB connects to."""
    return frozenset(str(element.get("id")) for element in cib.primitives_of(CONNECTION))


def known_nodes(cib: Cib, desired: Configuration) -> frozenset[str]:
    """Return the nodes that may have attributes; none where the CIB does not say which there are.

    A remote or guest node has an entry among the nodes once it was connected to, or has an
    attribute.
    """
    nodes = {str(node.get("uname")) for node in cib.root.iterfind("configuration/nodes/node")}
    made = connected(cib) | connections(desired) | guests(desired)
    return frozenset(nodes | made if nodes else ())


def guests(configuration: Configuration) -> frozenset[str]:
    """Return the guest nodes that resources of a configuration make."""
    every = chain.from_iterable(map(primitives, configuration.resources))
    return frozenset(one.meta["remote-node"] for one in every if "remote-node" in one.meta)


def kept_to_members(resource: Resource) -> Location:
    """Return the constraint that keeps a resource, and the look for it, off remote nodes.

    `#kind` is Pacemaker's own attribute: cluster, remote, or container of a guest node (Pacemaker
    Explained, "Rules").
    """
    return Location(
        resource.id,
        "-INFINITY",
        attribute="#kind",
        operation="ne",
        value="cluster",
        resource_discovery="never",
    )


def is_kept_to_members(cib: Cib, primitive: str) -> bool:
    """Whether a constraint as of `kept_to_members` is about a primitive or what it is in."""
    element = cib.element(primitive)
    if element is None:
        return False
    names = [primitive, *(str(above.get("id")) for above in element.iterancestors())]
    said = {"attribute": "#kind", "operation": "ne", "value": "cluster"}
    return any(
        rule.get("score") == "-INFINITY" and len(rule) == 1 and _says(rule[0], said)
        for constraint in cib.constraints_on(*names)
        for rule in constraint.iterfind("rule")
    )


def _says(expression: etree._Element, said: Mapping[str, str]) -> bool:
    return all(expression.get(key) == value for key, value in said.items())
