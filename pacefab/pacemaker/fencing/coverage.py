"""Who is fenced by what: every node, by a device that means it and can run elsewhere. Pure.

Where a device runs is Pacemaker's rule (cib_device_update of daemons/fenced): where neither its
score nor that of its group is below 0. Constraints by rules are not read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

from pacefab.pacemaker.fencing import hosts, topology
from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.fencing.findings import ENABLED, FencingFinding, FencingScene, finding
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.model import Location, is_true

_INFINITY = 1_000_000


def find(scene: FencingScene, agents: Mapping[str, Metadata]) -> Iterator[FencingFinding]:
    """Yield what is wrong with who is fenced by what; `agents` is what agents say of themselves."""
    yield from _unfenced(scene)
    for device in scene.devices:
        yield from _disabled(device)
        yield from hosts.find(scene, device, agents.get(device.primitive.agent))
        yield from _places(scene, device)
    yield from _same_board(scene)
    yield from topology.find(scene)


def runs_on(scene: FencingScene, device: FenceDevice) -> tuple[str, ...]:
    """Return the members on which location constraints let a device run; others are not read."""
    whole = [_scores(scene, name) for name in (device.id, *device.within)]
    if is_true(scene.property("symmetric-cluster", default="true")):
        return tuple(n for n in scene.members if all(s.get(n, 0) >= 0 for s in whole))
    return tuple(n for n in scene.members if any(n in s and s[n] >= 0 for s in whole))


def _scores(scene: FencingScene, resource: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in scene.configuration.constraints:
        if isinstance(one, Location) and one.resource == resource and one.node:
            found[one.node] = found.get(one.node, 0) + _score(one.score)
    return found


def _score(text: str) -> float:
    """Return a score as Pacemaker adds it: minus infinity outweighs all."""
    sign, name = text[:1], text.lstrip("+-")
    if name.upper() == "INFINITY":
        return float("-inf") if sign == "-" else _INFINITY
    return float(text) if name.isdigit() else 0


def _unfenced(scene: FencingScene) -> Iterator[FencingFinding]:
    about = [*(device.id for device in scene.devices), *ENABLED]
    advice = (
        "the cluster would wait for ever for its fencing, and start nothing of it "
        "elsewhere; give it a device"
    )
    for node in scene.nodes:
        fencers = scene.used(node)
        names = " and ".join(device.id for device in fencers)
        if not fencers:
            yield finding(f"{node} is fenced by no device", advice, about)
        elif not any(device.switches for device in fencers):
            said = f"{node} is fenced by {names} alone, which switches nothing off"
            yield finding(said, "give it a device that does", about)


def _disabled(device: FenceDevice) -> Iterator[FencingFinding]:
    if device.disabled:
        said = f"{device.id} is disabled (target-role Stopped), so Pacemaker does not use it"
        about = [device.id, *device.within]
        yield finding(said, f"pcs stonith enable {device.id}", about)


def _places(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield where a device can run on no node, or on none but one that it fences."""
    places = runs_on(scene, device)
    if not places:
        said = f"{device.id} may run on no node, by its location constraints"
        advice = "Pacemaker does not use it then: allow it on a node"
        yield finding(said, advice, _placing(scene, device))
    elif len(scene.members) > 1 and len(places) == 1 and not device.is_watchdog:
        yield from _alone(scene, device, places[0])


def _alone(scene: FencingScene, device: FenceDevice, node: str) -> Iterator[FencingFinding]:
    """Yield that a device may run on a single node, where it is to fence that one."""
    advice = "nothing could fence that node when it is lost: allow it on another one"
    if {name.casefold() for name in device.targets or ()} == {node.casefold()}:
        said = f"{device.id} may run on {node} alone, the node that it fences"
        yield finding(said, advice, _placing(scene, device))
    elif device.fences(node) and not any(
        other.is_watchdog or set(runs_on(scene, other)) - {node} for other in scene.fencers(node)
    ):
        said = f"{device.id} may run on {node} alone, which it is to fence as well"
        yield finding(said, advice, _placing(scene, device))


def _placing(scene: FencingScene, device: FenceDevice) -> list[str]:
    """Return a device, what it is in, and the constraints that place it, by their ids."""
    ids = [device.id, *device.within]
    found = (one for one in scene.configuration.constraints if isinstance(one, Location))
    return [*ids, "symmetric-cluster", *(one.id for one in found if one.resource in ids)]


def _same_board(scene: FencingScene) -> Iterator[FencingFinding]:
    boards = [d for d in scene.devices if d.is_board and d.address and d.targets]
    for one, other in combinations(boards, 2):
        nodes = [next(iter(each.targets or ())) for each in (one, other)]
        if one.address == other.address and nodes[0] != nodes[1]:
            yield finding(
                f"{one.id} and {other.id} are one board ({one.where}), "
                f"and are to fence {nodes[0]} and {nodes[1]}",
                "to fence one would switch the other off: correct the address",
                [one.id, other.id],
            )
