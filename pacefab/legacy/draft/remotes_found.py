"""Remote nodes among the replayed resources: a connection to each is one of them."""

from __future__ import annotations

from collections.abc import Collection

from pacefab.addresses import is_address
from pacefab.inventory.nodes import Node
from pacefab.legacy.cluster.model import ReplayedCluster, ReplayedResource
from pacefab.legacy.draft.parts import Draft, InventoryData, InventoryParts, places_of, scalar
from pacefab.legacy.pcs.remote_nodes import REMOTE_NODE
from pacefab.pacemaker.placement.remote import CONNECTION

_GIVES_UP = 0  # what Pacemaker does without a reconnect_interval: after a few attempts
_OPTIONS = {"server", "port", "reconnect_interval"}


def add_remotes(
    made: Draft, cluster: ReplayedCluster, parts: InventoryParts, members: Collection[str]
) -> set[str]:
    """Add the remote nodes to a draft; return their names.

    A connection that an inventory cannot have so stays a resource: one that is cloned, in a group
    or disabled, one with options besides those of `Connection`, or with a member's name.
    """
    found: set[str] = set()
    for resource in cluster.resources.values():
        fits = set(resource.parameters) <= _OPTIONS and not cluster.group_of(resource.id)
        if resource.agent != CONNECTION or not fits or resource.id in members:
            continue
        if resource.copies or resource.disabled:
            continue
        if _put(made, cluster, parts, resource, _node(resource, parts)):
            made.written.update({resource.by, *(number for number, _ in resource.touched)})
            found.add(resource.id)
    return found


def add_guests(
    made: Draft, cluster: ReplayedCluster, parts: InventoryParts, members: Collection[str]
) -> set[str]:
    """Add the guest nodes, which meta attributes of resources make; return their names."""
    found: set[str] = set()
    for resource in cluster.resources.values():
        name = resource.meta.get(REMOTE_NODE, "")
        if not name or name in {*members, *found, *cluster.resources}:
            continue
        if _put(made, cluster, parts, resource, {"name": name, "role": "guest"}):
            found.add(name)
    return found


def _put(
    made: Draft,
    cluster: ReplayedCluster,
    parts: InventoryParts,
    resource: ReplayedResource,
    node: InventoryData,
) -> bool:
    """Add a node that a resource makes, with its attributes; return whether it is one."""
    attributes = cluster.attributes.get(node["name"], {})
    if attributes:
        node["attributes"] = {name: value.text for name, value in attributes.items()}
    if not parts.valid(Node, node, resource, f"{node['role']} node {node['name']}"):
        return False
    path = ("nodes", len(made.data["nodes"]))
    places = [places_of(resource), *(str(value.place) for value in attributes.values())]
    made.places[path] = ", ".join(dict.fromkeys(places))
    made.numbers[path] = resource.by
    made.data["nodes"].append(node)
    return True


def _node(resource: ReplayedResource, parts: InventoryParts) -> InventoryData:
    """Return the node without attributes; without a server its own name is the way to it."""
    given = {name: scalar(value) for name, value in resource.parameters.items()}
    connection: InventoryData = {"reconnect_interval": _GIVES_UP, **given}
    connection |= parts.meta_and_operations(resource)
    made: InventoryData = {"name": resource.id}
    if is_address(str(given.get("server", ""))):
        made["address"] = connection.pop("server")
    return {**made, "role": "remote", "connection": connection}
