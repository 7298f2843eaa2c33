"""Contradictions between entries of an inventory that are each valid alone. Pure."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator

from pacefab.inventory.cluster import Inventory
from pacefab.inventory.configuration import device_ids
from pacefab.inventory.constraints import Constraints
from pacefab.inventory.document import Path
from pacefab.inventory.fencing import Device
from pacefab.inventory.nouns.resources import clone_id
from pacefab.inventory.object_references import (
    object_contradictions,
    object_ids,
    unknown_name,
)
from pacefab.inventory.sections.corosync_links import corosync_contradictions
from pacefab.pacemaker.placement.remote import CONNECTION

Found = Iterator[tuple[Path, str]]


def contradictions(inventory: Inventory) -> Found:
    """Yield each place that does not fit, and why, in the words of an error message."""
    nodes = [node.name for node in inventory.nodes]
    if not inventory.members:
        yield ("nodes",), "all are remote nodes: a cluster needs members, which connect to them"
        return
    yield from _unmade_guests(inventory)
    yield from _taken_ids(inventory)
    yield from corosync_contradictions(inventory.members, inventory.corosync)
    if inventory.fencing:
        yield from _fenced_nodes(inventory.fencing.devices, nodes)
        sbd = inventory.fencing.sbd
        if not inventory.fencing.disabled and (sbd is None or sbd.devices):
            fenced = [node.name for node in inventory.nodes if node.role != "guest"]
            yield from _unfenced_nodes(inventory.fencing.devices, fenced)
    yield from _unknown_resources(inventory)
    yield from _unknown_nodes(inventory, nodes)
    yield from _repeated(inventory.constraints)
    yield from object_contradictions(inventory)
    yield from inventory.misfits()


def _unmade_guests(inventory: Inventory) -> Found:
    """Yield guest nodes that no resource makes; Pacemaker fences them with their resource."""
    made = {entry.meta.texts().get("remote-node") for entry in inventory.resources.values()}
    for place, node in enumerate(inventory.nodes):
        if node.role == "guest" and node.name not in made:
            why = f"no resource makes this guest: one needs meta: {{remote-node: {node.name}}}"
            yield ("nodes", place), why


def _taken_ids(inventory: Inventory) -> Found:
    """Yield ids that two objects of the CIB would have."""
    owners = {id_: f"service {service}" for id_, service in inventory.service_ids().items()}
    for path, id_ in _own_ids(inventory):
        owner = owners.setdefault(id_, ".".join(map(str, path)))
        if owner != ".".join(map(str, path)):
            yield path, f"the id {id_} is taken by {owner}"


def _own_ids(inventory: Inventory) -> Iterator[tuple[Path, str]]:
    """Yield ids of what no service describes, and where each comes from."""
    for place, node in enumerate(inventory.nodes):
        if not node.member:
            yield ("nodes", place), node.name
    for name, device in inventory.fencing.devices.items() if inventory.fencing else ():
        for id_ in device_ids(name, device):
            yield ("fencing", "devices", name), id_
    groups = set()
    for name, entry in inventory.resources.items():
        yield ("resources", name), name
        if entry.copied:
            yield ("resources", name), clone_id(name, entry)
        if entry.group and entry.group not in groups:
            groups.add(entry.group)
            yield ("resources", name, "group"), entry.group
    for name, group in inventory.groups.items():
        if group.copied:
            yield ("groups", name), clone_id(name, group)
    for section, entries in (("bundles", inventory.bundles), ("templates", inventory.templates)):
        yield from (((section, name), name) for name in entries)
    yield from object_ids(inventory)


def _fenced_nodes(devices: dict[str, Device], nodes: Collection[str]) -> Found:
    for name, device in devices.items():
        named: list[tuple[Path, str]] = [
            (("nodes", i), node) for i, node in enumerate(device.nodes)
        ]
        named += [(("per_node", node), node) for node in device.per_node]
        for where, node in named:
            if node not in nodes:
                yield ("fencing", "devices", name, *where), unknown_name("node", node, nodes)


def _unfenced_nodes(devices: dict[str, Device], nodes: Iterable[str]) -> Found:
    """Yield what no device reaches; one with parameters of Pacemaker's for that may reach all."""
    known = [{*device.nodes, *device.per_node} for device in devices.values()]
    left = [node for node in nodes if not any(node in fenced for fenced in known)]
    if known and all(known) and left:
        yield ("fencing", "devices"), f"no device fences {', '.join(left)}"


def _unknown_resources(inventory: Inventory) -> Found:
    known = {*inventory.service_ids(), *(node.name for node in inventory.remotes)}
    for name, entry in inventory.resources.items():
        known.add(clone_id(name, entry) if entry.copied else name)
        known.update([entry.group] if entry.group else [])
    known.update(clone_id(n, group) for n, group in inventory.groups.items() if group.copied)
    devices = inventory.fencing.devices.items() if inventory.fencing else ()
    known.update(id_ for name, device in devices for id_ in device_ids(name, device))
    known.update([*inventory.bundles, *inventory.templates, *inventory.tags])
    for path, id_ in _named_resources(inventory.constraints):
        if id_ not in known:
            yield path, unknown_name("resource", id_, known)


def _named_resources(constraints: Constraints) -> Iterator[tuple[Path, str]]:
    for i, order in enumerate(constraints.order):
        for key, name in (("first", order.first), ("then", order.then)):
            if name is not None and not order.absent:
                yield ("constraints", "order", i, key), name
    for i, colocation in enumerate(constraints.colocation):
        pair = (("resource", colocation.resource), ("with", colocation.with_resource))
        for key, name in pair:
            if name is not None and not colocation.absent:
                yield ("constraints", "colocation", i, key), name
    for i, location in enumerate(constraints.location):
        if location.resource is not None and not location.absent:
            yield ("constraints", "location", i, "resource"), location.resource


def _unknown_nodes(inventory: Inventory, nodes: Iterable[str]) -> Found:
    """Yield locations on nodes that are none; a remote node is a resource too."""
    remote = [name for name, entry in inventory.resources.items() if entry.agent == CONNECTION]
    known = [*nodes, *remote]
    for i, location in enumerate(inventory.constraints.location):
        if location.node is not None and location.node not in known and not location.absent:
            path = ("constraints", "location", i, "node")
            yield path, unknown_name("node", location.node, known)


def _repeated(constraints: Constraints) -> Found:
    """Yield constraints that another one of the list already is, or contradicts."""
    keys: dict[str, list[Hashable]] = {
        "order": [
            (c.first, c.first_action, c.then, c.then_action, c.sets, c.id)
            for c in constraints.order
        ],
        "colocation": [
            (c.resource, c.role, c.with_resource, c.with_role, c.sets, c.id)
            for c in constraints.colocation
        ],
        "location": [
            (c.resource, c.node, c.attribute, c.operation, c.value, c.role, c.rules, c.id)
            for c in constraints.location
        ],
    }
    for kind, entries in keys.items():
        for i, key in enumerate(entries):
            if (before := entries.index(key)) < i:
                yield ("constraints", kind, i), f"entry [{before}] is about the same already"
