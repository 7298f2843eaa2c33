"""Pacemaker's word for what should run where, and why something should not. Pure.

Where: what runs now, and what the scheduler's graph says that Pacemaker is about to do. Why: the
CIB and crm_mon of the same moment (`causes`).
"""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.pacemaker.placement import galera
from pacefab.pacemaker.placement.causes import Causes
from pacefab.pacemaker.placement.graph import Graph
from pacefab.pacemaker.placement.remote import CONNECTION, Kept, able, read_kept
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
    kept, against = read_kept(cib), dict[str, dict[str, Cause]]()
    for primitive, nodes in running.items():
        found = {node: causes.unmanaged(primitive, node) for node in sorted(unmanaged[primitive])}
        if as_clone(cib, primitive) is not None or not nodes:
            may = [name for name in _able(cib, status, primitive, kept) if name not in nodes]
            found |= {name: causes.of(primitive, name) for name in may}
        against[primitive] = {node: cause for node, cause in found.items() if cause}
    unpromoted = galera.waits(cib, status, lambda name, node: against.get(name, {}).get(node))
    named = [
        *causes.general(),
        *(cause for name in running for cause in causes.demoted(name)),
        *unpromoted.values(),
        *(cause for nodes in against.values() for cause in nodes.values()),
    ]
    remote = {node.name for node in status.nodes if node.remote}
    placed = ((name, able(cib, name, status.nodes, kept)) for name in running if remote and kept)
    beside = (name for name, nodes in placed if remote & set(nodes or ()))
    every = tuple(dict.fromkeys(named))
    return Placement(running, unmanaged, against, every, unpromoted, frozenset(beside))


def _able(cib: Cib, status: ClusterStatus, primitive: str, every: Kept) -> Sequence[str]:
    """Return the nodes that a primitive is not kept off; a connection runs on members."""
    element = cib.element(primitive)
    if element is None or cib.agent(element) == CONNECTION:
        return [node.name for node in status.nodes if not node.remote]
    kept = able(cib, primitive, status.nodes, every)
    return [node.name for node in status.nodes] if kept is None else kept


def _unmanaged(status: ClusterStatus, primitive: str) -> frozenset[str]:
    """Return the nodes where a primitive runs and Pacemaker leaves it alone."""
    instances = status.instances(primitive)
    return frozenset(node for one in instances if not one.managed for node in one.nodes)
