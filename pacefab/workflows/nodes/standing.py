"""Whether nodes stand as one cluster."""

from __future__ import annotations

from collections.abc import Sequence

from pacefab.pacemaker.nouns.status import ClusterStatus


def missing(status: ClusterStatus, names: Sequence[str]) -> str:
    """Return what these nodes lack to be a cluster; empty when they are one."""
    online = {node.name for node in status.nodes if node.online and not node.pending}
    if absent := [name for name in names if name not in online]:
        return f"not online: {', '.join(absent)}"
    if not status.quorum:
        return "there is no quorum"
    return "" if status.dc else "no DC was elected"
