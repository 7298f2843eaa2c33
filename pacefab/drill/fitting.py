"""Which faults a cluster can have, and what has to be there for them."""

from __future__ import annotations

from pacefab.drill.faults import Fault
from pacefab.errors import RefusedError
from pacefab.workflows.checks import fencing_scene
from pacefab.workflows.nodes.view import ClusterView

_HOWTO = "nothing was broken; docs/howto/fencing.md says how a cluster gets it"


def why_not(fault: Fault, seen: ClusterView) -> str:
    """Return why a cluster cannot have a fault; empty: it can."""
    nodes = len(seen.membership.names)
    if fault.members and fault.members != nodes:
        return f"it is for a cluster of {fault.members} nodes, and this one has {nodes}"
    if fault.needs_fencing and not seen.status.fencing:
        return "fencing is disabled in this cluster"
    return ""


def check_fits(fault: Fault, seen: ClusterView) -> None:
    """Raise a RefusedError when a cluster cannot have a fault."""
    why = why_not(fault, seen)
    if why:
        advice = (
            _HOWTO
            if fault.needs_fencing and not seen.status.fencing
            else ("nothing was broken; choose another one: --kind")
        )
        raise RefusedError(f"drill --kind {fault.name}", why, advice)


def check_fenced(fault: Fault, seen: ClusterView, node: str) -> None:
    """Raise a RefusedError when a node is to be fenced and no device does that."""
    if not fault.needs_fencing:
        return
    scene = fencing_scene.scene_of(seen, seen.cib)
    if not scene.fencers(node):
        raise RefusedError(
            f"drill --kind {fault.name}", f"{node} is fenced by no device of this cluster", _HOWTO
        )
