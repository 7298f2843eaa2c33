"""In which order nodes are upgraded, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.pacemaker.nouns.status import ClusterStatus
from pacefab.workflows.upgrade.node_findings import UpgradeNode


def order(nodes: Sequence[UpgradeNode], status: ClusterStatus) -> tuple[str, ...]:
    """Return the nodes that are still to be upgraded, in the order that interrupts least.

    Those without a promoted instance first: a replica may be newer than what it follows, and what
    is promoted moves once. The DC last: until then an older Pacemaker leads, which every node
    understands. Else in the cluster's order.
    """
    promoted = {
        node
        for instance in status.all_instances
        if instance.role == "Promoted"
        for node in instance.nodes
    }
    left = [node.name for node in nodes if node.steps > 0]
    return tuple(sorted(left, key=lambda name: (name in promoted, name == status.dc)))
