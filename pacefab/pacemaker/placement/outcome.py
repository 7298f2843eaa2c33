"""Pacemaker's word for what should run where, and why something should not. Pure.

Where: what `crm_simulate` says would run once Pacemaker has done all that it is about to do. Why:
the CIB and crm_mon of the same moment (`causes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lxml import etree

from pacefab.pacemaker import monitor
from pacefab.pacemaker.cib import Cib, agent_of
from pacefab.pacemaker.model import ClusterStatus, Instance
from pacefab.pacemaker.placement import galera
from pacefab.pacemaker.placement.causes import Causes
from pacefab.pacemaker.placement.settings import as_clone
from pacefab.pacemaker.word import Cause, Placement

_ACTIVE = {"Started", "Promoted", "Unpromoted"}


def read(cib: Cib, status: ClusterStatus, simulation: str) -> Placement:
    """Return what runs where once Pacemaker has nothing left to do, and why the rest does not.

    Args:
        cib: the live CIB, or a planned one.
        status: what crm_mon says of that CIB.
        simulation: what `crm_simulate --simulate --output-as=xml` says of it.

    Raises:
        ValueError: this is no such simulation.
    """
    after = _after(simulation)
    running, unmanaged = _nodes(after, managed=None), _nodes(after, managed=False)
    causes = Causes(cib, status, running)
    against: dict[str, dict[str, Cause]] = {}
    for primitive, nodes in running.items():
        found = {node: causes.unmanaged(primitive, node) for node in sorted(unmanaged[primitive])}
        if as_clone(cib, primitive) is not None or not nodes:
            connects = _connects(cib, primitive)
            able = [node.name for node in status.nodes if not (connects and node.remote)]
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


def _connects(cib: Cib, primitive: str) -> bool:
    """Whether a primitive is the connection to a remote node, which only members can run."""
    element = cib.element(primitive)
    return element is None or agent_of(element) == "ocf:pacemaker:remote"


def _after(simulation: str) -> dict[str, list[Instance]]:
    """Return the instances of every primitive as they would be."""
    try:
        root = etree.fromstring(simulation.encode())
    except etree.XMLSyntaxError as error:
        raise ValueError(f"not XML: {error}") from error
    state = root.find("revised_cluster_status")
    if state is None:
        raise ValueError("no state after the simulation")
    found: dict[str, list[Instance]] = {}
    for instance in _instances(state):
        found.setdefault(instance.id.partition(":")[0], []).append(instance)
    return found


def _instances(state: etree._Element) -> Iterator[Instance]:
    for item in monitor.parse_resources(state):
        yield from (item,) if isinstance(item, Instance) else item.instances


def _nodes(
    after: Mapping[str, list[Instance]], *, managed: bool | None
) -> dict[str, frozenset[str]]:
    """Return the nodes of each primitive's active instances: all, or those that are (un)managed."""
    return {
        primitive: frozenset(
            node
            for instance in instances
            if instance.role in _ACTIVE and managed in {None, instance.managed}
            for node in instance.nodes
        )
        for primitive, instances in after.items()
    }
