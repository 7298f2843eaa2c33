"""Which faults a cluster can have, and what has to be there for them."""

from __future__ import annotations

from pacefab.drill.boots import sides_of
from pacefab.drill.faults import Fault
from pacefab.errors import RefusedError
from pacefab.pacemaker.fencing import timing
from pacefab.workflows.checks import fencing_scene
from pacefab.workflows.nodes.view import ClusterView

_UNBROKEN = "nothing was broken"
_HOWTO = "docs/howto/drill.md says which kinds are for which clusters"
_DEVICES = "docs/howto/fencing.md says how a node gets one"


def why_not(fault: Fault, seen: ClusterView) -> str:
    """Return why a cluster cannot have a fault; empty: it can."""
    nodes = len(seen.membership.names)
    if fault.members and fault.members != nodes:
        return f"it is for a cluster of {fault.members} nodes, and this one has {nodes}"
    if fault.needs_fencing and not seen.status.fencing:
        return "fencing is disabled in this cluster (docs/howto/fencing.md)"
    return ""


def check_fits(fault: Fault, seen: ClusterView) -> None:
    """Raise a RefusedError when a cluster cannot have a fault."""
    why = why_not(fault, seen)
    if why:
        raise RefusedError(f"drill --kind {fault.name}", why, f"{_UNBROKEN}; {_HOWTO}")


def stays_off(seen: ClusterView, node: str) -> bool:
    """Whether the power of a node that is fenced is switched off, and not on again."""
    scene = fencing_scene.scene_of(seen, seen.cib)
    return any(timing.done_by(scene, device) == "off" for device in scene.used(node))


def check_fenced(fault: Fault, seen: ClusterView, node: str) -> None:
    """Raise a RefusedError when a node is to be fenced, or may be, and no device does that."""
    if not fault.needs_fencing:
        return
    scene = fencing_scene.scene_of(seen, seen.cib)
    for side in sides_of(fault, node, seen.membership.names):
        if not any(device.switches for device in scene.used(side)):
            why = f"{side} is fenced by no device of this cluster"
            raise RefusedError(f"drill --kind {fault.name}", why, f"{_UNBROKEN}; {_DEVICES}")
