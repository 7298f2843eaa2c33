"""Pacemaker's word for what should run where, and why something should not. Pure.

Where: what runs now, and what the scheduler's graph says that Pacemaker is about to do. Why: the
CIB and crm_mon of the same moment (`causes`).
"""

from __future__ import annotations

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.placement import galera
from pacefab.pacemaker.placement.causes import Causes
from pacefab.pacemaker.placement.graph import Graph
from pacefab.pacemaker.placement.remote import CONNECTION, is_kept_to_members
from pacefab.pacemaker.placement.settings import as_clone
from pacefab.pacemaker.word import Cause, Placement


def read(cib: Cib, status: ClusterStatus, graph: Graph) -> Placement:
    """Return what runs where once Pacemaker has nothing left to do, and why the rest does not.

    Args:
        cib: the live CIB, or a planned one.
        status: what crm_mon says of that CIB.
        graph: what Pacemaker would do then.
    """
    running = graph.running(status)
    unmanaged = {
        primitive: _unmanaged(status, primitive) & running[primitive] for primitive in running
    }
    causes = Causes(cib, status, running)
    every = [node.name for node in status.nodes]
    members = [node.name for node in status.nodes if not node.remote]
    remotes = len(members) < len(every)
    against: dict[str, dict[str, Cause]] = {}
    for primitive, nodes in running.items():
        found = {node: causes.unmanaged(primitive, node) for node in sorted(unmanaged[primitive])}
        if as_clone(cib, primitive) is not None or not nodes:
            able = members if remotes and _members_only(cib, primitive) else every
            found |= {name: causes.of(primitive, name) for name in able if name not in nodes}
        against[primitive] = {node: cause for node, cause in found.items() if cause}
    unpromoted = galera.waits(cib, status, lambda name, node: against.get(name, {}).get(node))
    named = [
        *causes.general(),
        *(cause for name in running for cause in causes.demoted(name)),
        *unpromoted.values(),
        *(cause for nodes in against.values() for cause in nodes.values()),
    ]
    return Placement(running, unmanaged, against, tuple(dict.fromkeys(named)), unpromoted)


def _members_only(cib: Cib, primitive: str) -> bool:
    """Whether a primitive is kept off remote nodes, or is the connection to one."""
    element = cib.element(primitive)
    connects = element is None or cib.agent(element) == CONNECTION
    return connects or is_kept_to_members(cib, primitive)


def _unmanaged(status: ClusterStatus, primitive: str) -> frozenset[str]:
    """Return the nodes where a primitive runs and Pacemaker leaves it alone."""
    instances = status.instances(primitive)
    return frozenset(node for one in instances if not one.managed for node in one.nodes)
