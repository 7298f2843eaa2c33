"""In which order nodes are upgraded, one after the other. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.pacemaker.nouns.status import ClusterStatus


def order(names: Sequence[str], status: ClusterStatus) -> tuple[str, ...]:
    """Return nodes, which are in the cluster's order, in the order that interrupts least.

    Those without a promoted instance first: a replica may be newer than what it follows, and what
    is promoted moves once. The DC last: until then an older Pacemaker leads, which every node
    understands. Else in their own order.
    """
    promoted = {
        node
        for instance in status.all_instances
        if instance.role == "Promoted"
        for node in instance.nodes
    }
    return tuple(sorted(names, key=lambda name: (name in promoted, name == status.dc)))
