"""Every check of fencing that needs no node. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pacefab.pacemaker.fencing import coverage, timing, watchdogs
from pacefab.pacemaker.fencing.findings import FencingFinding, FencingScene
from pacefab.pacemaker.metadata import Metadata


def find(scene: FencingScene, agents: Mapping[str, Metadata]) -> Iterator[FencingFinding]:
    """Yield what is wrong with fencing that is on; of what is off, nothing.

    `agents` is what agents say of themselves, by their name.
    """
    if scene.enabled:
        yield from coverage.find(scene, agents)
        yield from timing.find(scene, agents)
        yield from watchdogs.find(scene)
