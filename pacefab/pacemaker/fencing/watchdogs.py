"""Whether the times of SBD add up, and whether a watchdog alone is enough. Pure.

Each rule says where it comes from. None was proven on a node with a watchdog.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pacefab.pacemaker.fencing.devices import IMPLIED_WATCHDOG, FenceDevice
from pacefab.pacemaker.fencing.findings import (
    WATCHDOG_TIME,
    FencingFinding,
    FencingScene,
    finding,
)
from pacefab.pacemaker.fencing.sbd import AGENTS, DiskHeader, SbdSettings
from pacefab.pacemaker.fencing.times import seconds
from pacefab.pacemaker.fencing.timing import switching_limit

_DISKS: Final = ("devices", "sbd_device")
_TWO: Final = 2
_MARGIN: Final = 1.2
_SBD: Final = "SBD"


def find(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield what does not fit: times of Pacemaker, of SBD and of its disks, and quorum."""
    yield from _quorum(scene)
    if scene.sbd is None:
        return
    if scene.sbd.devices:
        yield from _disks(scene, scene.sbd)
        for header in scene.headers:
            yield from _header(scene, header)
    else:
        yield from _diskless(scene, scene.sbd)


def _alone(scene: FencingScene) -> list[str]:
    """Return the members that nothing but their watchdog fences."""
    fencers = {node: scene.fencers(node) for node in scene.members}
    return [n for n, every in fencers.items() if every and all(d.is_watchdog for d in every)]


def _quorum(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield that two nodes keep their quorum when they lose each other, so no watchdog acts.

    sbd(8): without disks a node is reset when it loses quorum; crmsh (SBDManager) wants three nodes
    or a quorum device for it; votequorum(5): with two_node one node alone has quorum.
    """
    alone = _alone(scene)
    if alone and len(scene.members) == _TWO and not scene.quorum_device:
        yield finding(
            f"{' and '.join(alone)} are fenced by their own watchdog alone, and two nodes without "
            "a quorum device both keep quorum when they lose each other",
            "both would go on, and each would take the other for off: add a quorum device, a "
            "third node or another fence device",
            [*WATCHDOG_TIME, _SBD],
        )


def _diskless(scene: FencingScene, sbd: SbdSettings) -> Iterator[FencingFinding]:
    """Yield what does not fit the watchdog's time.

    Pacemaker shuts down where its time is less than SBD's, and takes twice SBD's where it may
    choose (pcmk__valid_sbd_timeout, pcmk__auto_watchdog_timeout). With a quorum device SBD's has to
    be more than the device's sync_timeout, in which a node has no quorum and would be reset (crmsh,
    SBDTimeout). The fencing may take 1.2 times what Pacemaker waits (the same).
    """
    name = next((n for n in WATCHDOG_TIME if n in scene.configuration.properties), "")
    given = seconds(scene.property(*WATCHDOG_TIME)) if name else None
    about = [*WATCHDOG_TIME, _SBD]
    if given and given < sbd.timeout:
        yield finding(
            f"{name} is {given:g} s, and SBD's watchdog resets a node after {sbd.timeout} s",
            f"Pacemaker would shut down on every node: set it to {sbd.wait} s",
            about,
        )
    elif given and given < sbd.wait:
        yield finding(
            f"{name} is {given:g} s, less than twice the {sbd.timeout} s of SBD's watchdog",
            f"a node may still run when it is taken for off: set it to {sbd.wait} s or more",
            about,
        )
    sync = scene.device_sync / 1000
    if scene.quorum_device and sbd.timeout <= sync:
        yield finding(
            f"SBD's watchdog waits {sbd.timeout} s, and the quorum device may take {sync:g} s to "
            "vote (sync_timeout)",
            f"nodes would be reset meanwhile: give it {sync + 5:g} s, or lower sync_timeout",
            [_SBD],
            grave=False,
        )
    limit = switching_limit(scene, IMPLIED_WATCHDOG)[1]
    waits = max(given or 0.0, sbd.wait)
    if limit < _MARGIN * waits:
        yield finding(
            f"Pacemaker waits {waits:g} s for a watchdog, and stonith-timeout is {limit:g} s",
            f"raise stonith-timeout to {_MARGIN * waits:.0f} s or more",
            ["stonith-timeout", "fencing-timeout", _SBD],
            grave=False,
        )


def _disks(scene: FencingScene, sbd: SbdSettings) -> Iterator[FencingFinding]:
    """Yield where SBD has disks and Pacemaker does not use them, or others.

    A message is written by the fence device alone (sbd(8), "Configure the fencing resource"). One
    that names no disks takes SBD's own.
    """
    used = [device for device in scene.devices if device.agent in AGENTS]
    if not used:
        yield finding(
            f"SBD has disks ({', '.join(sbd.devices)}), and no device is of the agent fence_sbd",
            "nothing would write to them: add such a device",
            [_SBD],
        )
    for device in used:
        named = set(re.findall(r"[^\s,;]+", device.parameter(*_DISKS)))
        if named and named != set(sbd.devices):
            yield finding(
                f"{device.id} writes to {', '.join(sorted(named))}, and SBD reads "
                f"{', '.join(sbd.devices)}",
                "a node would not see its message: name the same disks",
                [device.id, _SBD],
            )


def _header(scene: FencingScene, header: DiskHeader) -> Iterator[FencingFinding]:
    """Yield what does not fit the times of a disk.

    A message counts as delivered after msgwait, which is twice the watchdog's time (sbd(8), option
    -4); the device has to be given more than that (SUSE and crmsh: 1.2 times).
    """
    if header.watchdog and header.msgwait and header.msgwait < _TWO * header.watchdog:
        yield finding(
            f"{header.device}: msgwait is {header.msgwait} s, less than twice the "
            f"{header.watchdog} s of the watchdog",
            "a node may still run when it is taken for off: write the header again (sbd -1 -4 "
            "create), with the cluster stopped",
            [_SBD],
        )
    for device in scene.devices:
        if device.agent in AGENTS and header.msgwait:
            yield from _delivered(scene, device, header.msgwait)


def _delivered(scene: FencingScene, device: FenceDevice, msgwait: int) -> Iterator[FencingFinding]:
    name, limit = switching_limit(scene, device)
    if limit <= msgwait:
        yield finding(
            f"{device.id}: a message takes {msgwait} s (msgwait), and {name} ends it after "
            f"{limit:g} s",
            f"it would never succeed: raise {name} to {_MARGIN * msgwait:.0f} s or more",
            [device.id, name, _SBD],
        )
    elif limit < _MARGIN * msgwait:
        yield finding(
            f"{device.id}: a message takes {msgwait} s (msgwait), and {name} is {limit:g} s",
            f"raise {name} to {_MARGIN * msgwait:.0f} s or more",
            [device.id, name, _SBD],
            grave=False,
        )
