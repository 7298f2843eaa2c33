"""Fencing levels: whether each names devices that fence its nodes. Pure.

A node that has levels is fenced by their devices alone (Pacemaker Explained, "Fencing topology"),
and has those of one kind: of its name, or of one pattern, or of one attribute.
"""

from __future__ import annotations

from collections.abc import Iterator

from pacefab.pacemaker.fencing.devices import WATCHDOG
from pacefab.pacemaker.fencing.findings import FencingFinding, FencingScene, finding
from pacefab.pacemaker.sections.levels import FencingLevel


def find(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield what is wrong with levels."""
    for level in scene.levels:
        yield from _devices(scene, level)
        yield from _nodes(scene, level)
    for node in scene.nodes:
        yield from _several(scene, node)
        yield from _unused(scene, node)


def _nodes(scene: FencingScene, level: FencingLevel) -> Iterator[FencingFinding]:
    """Yield that a level is of no node, or not the one that Pacemaker takes for its nodes."""
    guests = any(level.covers(guest, {}) for guest in scene.guests)
    covered = [node for node in scene.nodes if level in scene.covering(node)]
    if level.is_read and not covered and not guests:
        none = "which is no node" if level.target else "which no node has"
        said = f"level {level.index} is of {level.nodes}, {none}"
        yield finding(said, "take it out, or correct it", about(level), grave=False)
    passed = [node for node in covered if level not in scene.levels_of(node)]
    if passed:
        own = f"{' and '.join(passed)} {'has levels' if len(passed) == 1 else 'have levels'}"
        yield finding(
            f"level {level.index} of {level.nodes} is not used: {own} by name",
            "Pacemaker takes no others for a node then: write this level for each by its name",
            about(level),
            grave=False,
        )


def _several(scene: FencingScene, node: str) -> Iterator[FencingFinding]:
    """Yield that a node has levels in two ways, of which Pacemaker takes the one it finds first."""
    levels = scene.levels_of(node)
    ways = tuple(dict.fromkeys(level.nodes.casefold() for level in levels))
    if len(ways) > 1:
        yield finding(
            f"{node} has levels of {' and of '.join(ways)}",
            "Pacemaker takes one of these, and does not say which: write all of them in one way",
            [one for level in levels for one in about(level)],
            grave=False,
        )


def _devices(scene: FencingScene, level: FencingLevel) -> Iterator[FencingFinding]:
    known = {device.id: device for device in scene.devices}
    for name in level.devices:
        if name not in known and not (name == WATCHDOG and scene.watchdog):
            said = f"level {level.index} of {level.nodes} names {name}, which is no fence device"
            yield finding(said, "the level would fail: correct the name", about(level, name))
    for node in scene.nodes:
        if level in scene.levels_of(node):
            for name in level.devices:
                if name in known and not known[name].fences(node):
                    yield finding(
                        f"level {level.index} of {node} names {name}, which does not fence {node}",
                        "the level would fail: name the device that does, or correct its hosts",
                        about(level, name),
                    )


def _unused(scene: FencingScene, node: str) -> Iterator[FencingFinding]:
    """Yield the devices that say that they fence a node, and are in no level of it."""
    levels = scene.levels_of(node)
    named = {name for level in scene.covering(node) for name in level.devices}
    for device in scene.devices if levels else ():
        if device.targets is not None and device.fences(node) and device.id not in named:
            yield finding(
                f"{device.id} fences {node}, and is in no level of {node}",
                "Pacemaker does not use it for that node: put it into a level",
                [device.id, *(one for level in levels for one in about(level))],
                grave=False,
            )


def about(level: FencingLevel, *devices: str) -> list[str]:
    """Return the ids by which a plan knows a level, and those of devices."""
    return [*devices, level.id, f"{level.nodes} {level.index}"]
