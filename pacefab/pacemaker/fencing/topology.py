"""Fencing levels: whether each names devices that fence its nodes. Pure.

A node that has levels is fenced by their devices alone (Pacemaker Explained, "Fencing topology").
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
        if level.target and not any(level.covers(n, {}) for n in (*scene.nodes, *scene.guests)):
            said = f"level {level.index} is of {level.target}, which is no node"
            yield finding(said, "take it out, or correct it", _about(level), grave=False)
    for node in scene.nodes:
        yield from _unused(scene, node)


def _devices(scene: FencingScene, level: FencingLevel) -> Iterator[FencingFinding]:
    known = {device.id: device for device in scene.devices}
    for name in level.devices:
        if name not in known and not (name == WATCHDOG and scene.watchdog):
            said = f"level {level.index} of {level.nodes} names {name}, which is no fence device"
            yield finding(said, "the level would fail: correct the name", _about(level, name))
    for node in scene.nodes:
        if level.covers(node, scene.configuration.attributes.get(node, {})):
            for name in level.devices:
                if name in known and not known[name].fences(node):
                    yield finding(
                        f"level {level.index} of {node} names {name}, which does not fence {node}",
                        "the level would fail: name the device that does, or correct its hosts",
                        _about(level, name),
                    )


def _unused(scene: FencingScene, node: str) -> Iterator[FencingFinding]:
    """Yield the devices that say that they fence a node, and are in no level of it."""
    levels = scene.levels_of(node)
    named = {name for level in levels for name in level.devices}
    for device in scene.devices if levels else ():
        if device.targets is not None and device.fences(node) and device.id not in named:
            yield finding(
                f"{device.id} fences {node}, and is in no level of {node}",
                "Pacemaker does not use it for that node: put it into a level",
                [device.id, *(one for level in levels for one in _about(level))],
                grave=False,
            )


def _about(level: FencingLevel, *devices: str) -> list[str]:
    return [*devices, level.id, f"{level.nodes} {level.index}"]
