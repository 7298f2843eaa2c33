"""Take a node out of service by Pacemaker's own means: in standby, which is also the walk's mark.

The standby is a set of node attributes with an id of ours, in the configuration: it outlives a
restart of the node, which comes back without its resources, and the others know of it meanwhile.
The next run finds a node that an earlier one left by that id. Pure but for `take` and `bring_back`.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from lxml import etree

from pacefab.pacemaker import readiness
from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.waiting import Waits, unheard
from pacefab.workflows.nodes import apply_cib
from pacefab.workflows.nodes.doorway import Asked

PREFIX: Final = "pacefab-walk-"
"""Of the ids of the sets that put a node into standby; the rest is the node's name."""


def found(cib: Cib) -> tuple[str, ...]:
    """Return the nodes that a walk has put into standby."""
    return tuple(
        str(node.get("uname"))
        for node, nvset in _sets(cib)
        if nvset.find("nvpair[@name='standby']") is not None
    )


def put(cib: Cib, node: str) -> Cib | None:
    """Return the CIB with a node in standby; None: it is."""
    if node in found(cib):
        return None
    after = lift(cib, node) or cib.next()
    place = next(n for n in _nodes(after) if n.get("uname") == node)
    name = f"{PREFIX}{node}"
    # Whatever other sets say of standby: of a higher score is what counts (Pacemaker Explained).
    nvset = etree.SubElement(place, "instance_attributes", id=name, score="INFINITY")
    etree.SubElement(nvset, "nvpair", id=f"{name}-standby", name="standby", value="on")
    return after


def lift(cib: Cib, node: str) -> Cib | None:
    """Return the CIB without a node's mark; None: it has none."""
    if not any(place.get("uname") == node for place, _ in _sets(cib)):
        return None
    after = cib.next()
    for place, nvset in list(_sets(after)):
        if place.get("uname") == node:
            place.remove(nvset)
    return after


def take(host: Asked, node: str, seconds: float, waits: Waits = unheard) -> None:
    """Put a node into standby; return when nothing runs there, and all that moved is Started.

    Raises:
        PacefabError: the CIB could not be changed, or that was not so after `seconds`.
    """
    apply_cib.patch(host, apply_cib.query_cib(host), partial(put, node=node))
    apply_cib.settle(host, partial(still_there, node), seconds, waits=waits)


def bring_back(host: Asked, node: str) -> bool:
    """Take a node out of standby; return whether it was in it.

    Raises:
        PacefabError: the CIB could not be changed.
    """
    cib = apply_cib.query_cib(host)
    if lift(cib, node) is None:
        return False
    apply_cib.patch(host, cib, partial(lift, node=node))
    return True


def still_there(node: str, status: ClusterStatus) -> str:
    """Return what still runs on a node, or is being done elsewhere; empty: nothing."""
    here = [i.id for i in status.all_instances if node in i.nodes and i.managed]
    if here:
        return f"{', '.join(sorted(here))} still runs on {node}"
    return readiness.unfinished(status, status.primitives)


def _nodes(cib: Cib) -> Iterator[etree._Element]:
    yield from cib.configuration.iterfind("nodes/node")


def _sets(cib: Cib) -> Iterator[tuple[etree._Element, etree._Element]]:
    """Yield each node with the set that is its mark."""
    for node in _nodes(cib):
        name = f"{PREFIX}{node.get('uname')}"
        for nvset in node.iterfind("instance_attributes"):
            if nvset.get("id") == name:
                yield node, nvset
