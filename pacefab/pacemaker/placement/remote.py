"""Nodes by Pacemaker Remote: corosync does not know them, a resource is the way to each. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from lxml import etree

from pacefab.pacemaker.cib import Cib, pairs, plain_set
from pacefab.pacemaker.model import (
    Configuration,
    Location,
    Member,
    Primitive,
    Resource,
    primitives,
)
from pacefab.pacemaker.nouns.status import NodeStatus

CONNECTION = "ocf:pacemaker:remote"
_KIND, _MEMBER = "#kind", "cluster"
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


@dataclass(frozen=True)
class ServicePlace:
    """Where a service is to run: on the nodes, remote ones too, that have all these attributes.

    `nodes` are these, with the addresses that an inventory gives them.
    """

    attributes: Mapping[str, str]
    nodes: tuple[Member, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes' names."""
        return tuple(node.name for node in self.nodes)

    def constraints(self, resource: Resource) -> tuple[Location, ...]:
        """Return what keeps a resource, and the look for it, off all other nodes."""
        return tuple(_kept_to(resource, name, value) for name, value in self.attributes.items())


def kept_to_members(resource: Resource) -> Location:
    """Return the constraint that keeps a resource, and the look for it, off remote nodes.

    `#kind` is Pacemaker's own attribute: cluster, remote, or container of a guest node (Pacemaker
    Explained, "Rules").
    """
    return _kept_to(resource, _KIND, _MEMBER)


def _kept_to(resource: Resource, attribute: str, value: str) -> Location:
    return Location(
        resource.id,
        "-INFINITY",
        attribute=attribute,
        operation="ne",
        value=value,
        resource_discovery="never",
    )


Kept = Mapping[str, Sequence[tuple[str, str]]]
"""By resource: the attributes, with their values, of the nodes to which constraints keep it."""


def able(
    cib: Cib, primitive: str, nodes: Iterable[NodeStatus], kept: Kept | None = None
) -> tuple[str, ...] | None:
    """Return the nodes to which such constraints keep a primitive, or what it is in.

    None: there is none. `kept` is for whoever asks of many: `read_kept` of the CIB.
    """
    every = read_kept(cib) if kept is None else kept
    element = cib.element(primitive) if every else None
    if element is None:
        return None
    names = (one.get("id", "") for one in (element, *element.iterancestors()))
    known = [pair for name in names for pair in every.get(name, ())]
    if not known:
        return None
    return tuple(
        node.name
        for node in nodes
        if all(_attributes(cib, node).get(name) == value for name, value in known)
    )


def read_kept(cib: Cib) -> Kept:
    """Return what constraints as of `ServicePlace` or `kept_to_members` keep where."""
    found: dict[str, list[tuple[str, str]]] = {}
    for constraint in cib.all_constraints:
        said, resource = _expression(constraint), constraint.get("rsc")
        if said is not None and resource:
            pair = (str(said.get("attribute")), str(said.get("value")))
            found.setdefault(resource, []).append(pair)
    return found


def keeping(cib: Cib, *resources: str) -> frozenset[str]:
    """Return the ids of constraints on resources, as of `ServicePlace` or `kept_to_members`."""
    own = (c for c in cib.constraints_on(*resources) if _expression(c) is not None)
    return frozenset(str(constraint.get("id")) for constraint in own)


def _expression(constraint: etree._Element) -> etree._Element | None:
    """Return the expression of a constraint that is one of ours.

    One by another attribute than the node's kind, with a look there all the same, is an operator's.
    """
    rule = constraint.find("rule")
    if rule is None or rule.get("score") != "-INFINITY" or len(rule) != 1:
        return None
    (said,) = rule
    looks = constraint.get("resource-discovery") != "never"
    if said.get("operation") != "ne" or (looks and said.get("attribute") != _KIND):
        return None
    return said if said.get("attribute") and said.get("value") else None


def _attributes(cib: Cib, node: NodeStatus) -> dict[str, str]:
    kind = "container" if node.guest else "remote" if node.remote else _MEMBER
    entries = cib.root.iterfind("configuration/nodes/node")
    own = next((entry for entry in entries if entry.get("uname") == node.name), None)
    known = {} if own is None else pairs(plain_set(own, "instance_attributes"))
    return {**known, _KIND: kind}


@dataclass(frozen=True)
class Beside:
    """A node by Pacemaker Remote, as a CIB knows it: its role and how the members reach it."""

    name: str
    role: str  # remote, guest
    address: str  # or a host name


def beside(cib: Cib) -> Iterator[Beside]:
    """Yield the remote and the guest nodes that resources of a CIB make."""
    yield from (Beside(name, "remote", at) for name, at in addresses(cib).items())
    for element in cib.resources.iter("primitive"):
        meta = pairs(plain_set(element, "meta_attributes"))
        if name := meta.get("remote-node"):
            yield Beside(name, "guest", meta.get("remote-addr") or name)


def addresses(cib: Cib) -> dict[str, str]:
    """Return by what address or host name the members reach each remote node."""
    return {
        name: cib.parameters(element).get("server") or name
        for element in cib.primitives_of(CONNECTION)
        if (name := str(element.get("id")))
    }
