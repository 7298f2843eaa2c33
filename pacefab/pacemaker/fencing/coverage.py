"""Who is fenced by what: every node, by a device that means it and can run elsewhere. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from pacefab.pacemaker.fencing import boards, hosts, topology
from pacefab.pacemaker.fencing.devices import UNFENCING, WATCHDOG, FenceDevice
from pacefab.pacemaker.fencing.findings import (
    ENABLED,
    WATCHDOG_TIME,
    FencingFinding,
    FencingScene,
    finding,
)
from pacefab.pacemaker.fencing.places import placing, runs_on
from pacefab.pacemaker.metadata import Metadata

_SWITCHES_NOTHING_OFF = {"list", "list-status", "metadata", "monitor", "on", "status"}


def find(scene: FencingScene, agents: Mapping[str, Metadata]) -> Iterator[FencingFinding]:
    """Yield what is wrong with who is fenced by what; `agents` is what agents say of themselves."""
    yield from _unfenced(scene)
    for device in scene.devices:
        yield from _disabled(device)
        yield from hosts.find(scene, device, agents.get(device.primitive.agent))
        yield from _watchdog(scene, device)
        yield from _unfencing(device)
        yield from _other_action(device)
        yield from _places(scene, device)
    yield from boards.find(scene)
    yield from topology.find(scene)


def _unfenced(scene: FencingScene) -> Iterator[FencingFinding]:
    common = [*(device.id for device in scene.devices), *ENABLED, *WATCHDOG_TIME]
    advice = (
        "the cluster would wait for ever for its fencing, and start nothing of it "
        "elsewhere; give it a device"
    )
    for node in scene.nodes:
        fencers = scene.used(node)
        levels = chain.from_iterable(topology.about(level) for level in scene.levels_of(node))
        about = [*common, node, *levels]
        names = " and ".join(device.id for device in fencers)
        if not fencers:
            yield finding(f"{node} is fenced by no device", advice, about)
        elif not any(device.switches for device in fencers):
            said = f"{node} is fenced by {names} alone, which switches nothing off"
            yield finding(said, "give it a device that does", about)


def _disabled(device: FenceDevice) -> Iterator[FencingFinding]:
    if device.disabled:
        said = f"{device.id} is disabled (target-role Stopped), so Pacemaker does not use it"
        advice = f"pcs stonith enable {device.id}"
        if "target-role" not in device.primitive.meta:
            what = f"{device.within[0]} or the default" if device.within else "the default"
            advice = f"it has that from {what}: correct it there"
        yield finding(said, advice, [device.id, *device.within])


def _watchdog(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield why Pacemaker passes over a device of fence_watchdog."""
    if not device.is_watchdog:
        return
    if device.id != WATCHDOG:
        said = f"{device.id} is of fence_watchdog, and is not called {WATCHDOG}"
        yield finding(said, f"Pacemaker does not use it: call it {WATCHDOG}", [device.id])
    elif not scene.watchdog:
        said = f"{device.id} is of fence_watchdog, and no stonith-watchdog-timeout is set"
        advice = "Pacemaker does not use it: set it to twice SBD's time"
        yield finding(said, advice, [device.id, *WATCHDOG_TIME])


def _unfencing(device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield that nothing gives a node its disks back (Pacemaker Explained, "Unfencing")."""
    if device.agent in UNFENCING and device.primitive.meta.get("provides") != "unfencing":
        yield finding(
            f"{device.id} takes nodes their disks, and has no meta attribute provides=unfencing",
            "no node would register with the disks when it starts, so none could write: give it "
            "meta provides=unfencing, as fab deploy does",
            [device.id],
        )


def _other_action(device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield that a device would look, or switch on, where it is to switch off."""
    for action in ("reboot", "off"):
        name = f"pcmk_{action}_action"
        done = device.parameter(name)
        if done in _SWITCHES_NOTHING_OFF:
            said = f"{device.id} does {done} in place of {action} ({name})"
            advice = "no node would be switched off, and each taken for off: take it out"
            yield finding(said, advice, [device.id])


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
    others = [d for d in scene.used(node) if d.is_watchdog or set(runs_on(scene, d)) - {node}]
    only = {name.casefold() for name in device.targets or ()} == {node.casefold()}
    if others and only:
        said = f"{device.id} may run on {node} alone, the node that it fences"
        advice = "it is never used, as no node fences itself: allow it on another one"
        yield finding(said, advice, _placing(scene, device), grave=False)
    elif device.fences(node) and not others:
        which = "the node that it fences" if only else "which it is to fence as well"
        said = f"{device.id} may run on {node} alone, {which}"
        advice = "nothing could fence that node when it is lost: allow it on another one"
        yield finding(said, advice, _placing(scene, device))


def _placing(scene: FencingScene, device: FenceDevice) -> list[str]:
    """Return a device, what it is in, and the constraints that place it, by their ids."""
    ids = [device.id, *device.within]
    found = chain.from_iterable(placing(scene, name) for name in ids)
    return [*ids, "symmetric-cluster", *(one.id for one in found)]
