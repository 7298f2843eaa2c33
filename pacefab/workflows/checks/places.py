"""Where a cluster's own constraints keep its services: on which nodes, at which addresses. Pure."""

from __future__ import annotations

from itertools import chain
from typing import Any

from pacefab.pacemaker.model import Member, Membership
from pacefab.pacemaker.placement import remote
from pacefab.services.service import Service
from pacefab.workflows.nodes.view import ClusterView


def able(seen: ClusterView, primitive: str) -> tuple[str, ...] | None:
    """Return the nodes that a primitive may run on; None: nothing places it."""
    return remote.able(seen.cib, primitive, seen.status.nodes)


def find(seen: ClusterView, service: Service[Any]) -> Membership | None:
    """Return the nodes of a service that is not on every member alone; None: it is, or is absent.

    Members have the addresses that the cluster knows, remote nodes those by which they are
    connected to.
    """
    found = [able(seen, primitive) for primitive in service.primitives(seen.cib)]
    if not found or None in found:
        return None
    own = set(chain.from_iterable(nodes or () for nodes in found))
    if own == {node.name for node in seen.status.nodes if not node.remote}:
        return None
    known = {member.name: member for member in seen.membership.members}
    reached = remote.addresses(seen.cib)
    nodes = (node.name for node in seen.status.nodes if node.name in own)
    every = (known.get(name) or Member(name, (reached.get(name, name),)) for name in nodes)
    return Membership(seen.membership.cluster, tuple(every))
