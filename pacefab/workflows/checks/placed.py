"""What Pacemaker's word for what should run where means for health: reasons, notices, neither.

What an operator has set (standby, maintenance, unmanaged, disabled, banned, an opt-in cluster,
stop-all-resources) is a notice: such a cluster is as its operators want it. What is so by accident
is a reason. Whatever runs unmanaged is asked all the same, and degraded when it does not answer.
"""

from __future__ import annotations

from collections.abc import Collection

from pacefab.pacemaker.nouns.status import ClusterStatus, Instance, ResourceStatus
from pacefab.pacemaker.word import Placement, sentences


def reasons(placement: Placement) -> list[str]:
    """Return the accidents that no other word of Pacemaker's names, with the way out."""
    causes = placement.causes
    return sentences(c for c in causes if not c.deliberate and not c.named)


def notices(placement: Placement) -> list[str]:
    """Return what operators have set, with the way out."""
    return sentences(cause for cause in placement.causes if cause.deliberate)


def node_troubles(status: ClusterStatus, left_out: Collection[str] = ()) -> list[str]:
    """Return the nodes that do not run by accident ("c2 is offline"), but for those left out."""
    fine = {"online", "standby", "maintenance"}
    nodes = (node for node in status.nodes if node.name not in left_out)
    return [f"{node.called} is {node.word}" for node in nodes if node.word not in fine]


def is_missed(placement: Placement, status: ClusterStatus, primitive: str, node: str) -> bool:
    """Whether an instance that does not run on a node is to run there, or does not by accident.

    A node that does not run itself is another matter.
    """
    online = {n.name for n in status.nodes if n.online}
    if node not in online or not primitive:
        return node in online
    cause = placement.against.get(primitive, {}).get(node)
    known = primitive in placement.running
    to_run = node in placement.running.get(primitive, ()) or not known
    return to_run or (cause is not None and not cause.deliberate)


def is_stopped(placement: Placement, item: ResourceStatus) -> bool:
    """Whether a resource runs nowhere, and that by accident."""
    members = (item,) if isinstance(item, Instance) else item.instances
    if any(instance.nodes for instance in members):
        return False
    names = {instance.id.partition(":")[0] for instance in members}
    against = [cause for name in names for cause in placement.against.get(name, {}).values()]
    return not against or any(not cause.deliberate for cause in against)
