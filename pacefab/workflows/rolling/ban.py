"""Stop one node's memcached by Pacemaker's own means: a ban, which is also what remembers it.

The ban is a location constraint with an id of ours. While it is there that node is being changed;
one that a run left behind, killed in the middle, is found by its id and lifted by the next run.
"""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.model import ClusterStatus
from pacefab.pacemaker.placement.causes import UPDATE_BAN
from pacefab.services.memcached import memcached
from pacefab.transport.connection import Host
from pacefab.waiting import Waits, unheard
from pacefab.workflows.nodes import apply_cib


def bans(cib: Cib) -> Mapping[str, str]:
    """Return the banned nodes, by the ids of their constraints."""
    found = {c.get("id", ""): c.get("node", "") for c in cib.all_constraints}
    return {name: node for name, node in found.items() if name.startswith(UPDATE_BAN)}


def stop(host: Host, node: str, seconds: float, waits: Waits = unheard) -> None:
    """Ban memcached from a node; return when it has stopped there.

    Raises:
        PacefabError: it could not be banned, or did not stop in time.
    """
    apply_cib.patch(host, apply_cib.query_cib(host), lambda cib: _banned(cib, node))
    apply_cib.settle(host, lambda status: _running(status, node), seconds, waits=waits)


def lift(host: Host, *nodes: str) -> bool:
    """Lift the nodes' bans; return whether there were any.

    Raises:
        PacefabError: the CIB could not be changed.
    """
    cib = apply_cib.query_cib(host)
    if not set(bans(cib).values()) & set(nodes):
        return False
    apply_cib.patch(host, cib, lambda cib: _lifted(cib, nodes))
    return True


def _banned(cib: Cib, node: str) -> Cib | None:
    if node in bans(cib).values():
        return None
    after = cib.next()
    etree.SubElement(
        after.constraints, "rsc_location", id=f"{UPDATE_BAN}{node}", rsc=memcached.CLONE, node=node,
        score="-INFINITY",
    )  # fmt: skip
    return after


def _lifted(cib: Cib, nodes: tuple[str, ...]) -> Cib | None:
    names = {name for name, node in bans(cib).items() if node in nodes}
    if not names:
        return None
    after = cib.next()
    for constraint in [c for c in after.all_constraints if c.get("id") in names]:
        after.constraints.remove(constraint)
    return after


def _running(status: ClusterStatus, node: str) -> str:
    here = [copy for copy in status.instances(memcached.RESOURCE) if node in copy.nodes]
    return f"memcached still runs on {node}" if here else ""
