"""Whether the times of fencing add up, and what keeps two nodes from fencing each other. Pure.

Limits and delays are Pacemaker's (pacemaker-fenced(7), pacemaker-schedulerd(7)), the agents' own
times are those of the library that all fence agents have (fence-agents, lib/fencing.py.py): delay,
then for each change of power power_wait and up to power_timeout; a reboot is two changes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from pacefab.pacemaker.fencing.devices import FenceDevice
from pacefab.pacemaker.fencing.findings import (
    WATCHDOG_TIME,
    FencingFinding,
    FencingScene,
    finding,
)
from pacefab.pacemaker.fencing.times import leading, seconds
from pacefab.pacemaker.metadata import Metadata
from pacefab.pacemaker.model import primitives

_LIMIT: Final = ("stonith-timeout", "fencing-timeout")
_ACTION: Final = ("stonith-action", "fencing-action")
# One decides before the other devices of its level; disks let the first of two nodes win.
_DECIDES: Final = frozenset({"fence_heuristics_ping", "fence_mpath", "fence_scsi"})
_LIMITS: Final = re.compile(r"pcmk_(?:reboot|off|on|monitor|list|status)_timeout")
_PRIORITY_DELAY: Final = "priority-fencing-delay"
_DEFAULT_LIMIT: Final = 60.0
_DEFAULT_MONITOR: Final = 20.0
_TWO: Final = 2
Agents = Mapping[str, Metadata]


def find(scene: FencingScene, agents: Agents) -> Iterator[FencingFinding]:
    """Yield the times that do not fit; `agents` is what agents say of themselves, by their name."""
    for device in scene.devices:
        times = _AgentTimes(device, agents.get(device.primitive.agent))
        yield from _switching(scene, device, times)
        yield from _asking(scene, device, times)
        yield from _delays(device)
        yield from _units(scene, device)
    if len(scene.members) == _TWO and not scene.quorum_device and scene.devices:
        yield from _race(scene)


@dataclass(frozen=True)
class _AgentTimes:
    """The seconds that a device's agent takes, by its parameters and their defaults."""

    device: FenceDevice
    metadata: Metadata | None

    def of(self, name: str) -> float:
        return seconds(self.text(name)) or 0.0

    def text(self, name: str) -> str:
        defaults = self.metadata.parameters if self.metadata else ()
        default = next((p.default for p in defaults if p.name == name and p.default), "")
        return self.device.parameter(name, default=default)

    @property
    def change(self) -> float:
        return self.of("power_wait") + self.of("power_timeout")

    @property
    def delay(self) -> float:
        return self.of("delay")


def done_by(scene: FencingScene, device: FenceDevice) -> str:
    """Return what a device is asked to do to a node that is to be fenced: reboot, or off."""
    action = scene.property(*_ACTION, default="reboot")
    return device.parameter(f"pcmk_{action}_action", default=action)


def switching_limit(scene: FencingScene, device: FenceDevice) -> tuple[str, float]:
    """Return the name and the seconds of what ends the fencing of a node by a device.

    A reboot by several devices of one level is an off of each, and then an on (Pacemaker Explained,
    "Fencing topology").
    """
    action = scene.property(*_ACTION, default="reboot")
    action = "off" if action == "reboot" and _is_one_of_several(scene, device) else action
    name = f"pcmk_{action}_timeout"
    if (own := seconds(device.parameter(name))) is not None:
        return name, own
    common = next((key for key in _LIMIT if key in scene.configuration.properties), _LIMIT[0])
    return common, seconds(scene.property(*_LIMIT)) or _DEFAULT_LIMIT


def _is_one_of_several(scene: FencingScene, device: FenceDevice) -> bool:
    """Whether other devices have to succeed with it."""
    return any(device.id in one.devices and len(one.devices) > 1 for one in scene.levels)


def monitor_limit(scene: FencingScene, device: FenceDevice) -> float:
    """Return the seconds within which Pacemaker wants the answer of a device's monitor."""
    own = seconds(device.parameter("pcmk_monitor_timeout"))
    operations = [o for o in device.primitive.operations if o.name == "monitor" and o.timeout]
    given = seconds(operations[0].timeout) if operations else None
    common = seconds(scene.configuration.operation_defaults.get("timeout", ""))
    return own or given or common or _DEFAULT_MONITOR


def until_off(scene: FencingScene, node: str) -> float | None:
    """Return after how many seconds a lost node is known to be off at the latest; None: never.

    By the first device that fences it, or all of its first level one after the other: corosync's
    token and consensus, delays, the limit. By a watchdog: its time, where Pacemaker is not to find
    that out itself (a negative one).
    """
    devices = _first(scene, node)
    if not devices:
        return None
    lost = sum(scene.corosync) / 1000 + (seconds(scene.property(_PRIORITY_DELAY)) or 0.0)
    if devices[0].is_watchdog:
        own = seconds(scene.property(*WATCHDOG_TIME))
        return None if own is None else lost + own
    every = devices if scene.levels_of(node) else devices[:1]
    return lost + sum(delay_of(d, node) + switching_limit(scene, d)[1] for d in every)


def _switching(
    scene: FencingScene, device: FenceDevice, times: _AgentTimes
) -> Iterator[FencingFinding]:
    done = done_by(scene, device)
    once = done != "reboot" or _is_one_of_several(scene, device) or times.text("method") == "cycle"
    needed = times.delay + times.change * (1 if once else 2)
    name, limit = switching_limit(scene, device)
    if times.change and needed > limit:
        yield finding(
            f"{device.id} may take {needed:g} s for {done} (delay {times.delay:g}, "
            f"{'' if once else 'twice '}power_wait {times.of('power_wait'):g} and power_timeout "
            f"{times.of('power_timeout'):g}), and {name} ends it after {limit:g} s",
            f"raise {name} to {needed + times.of('login_timeout') + 10:.0f} s or more",
            [device.id, name],
            grave=False,
        )


def _asking(
    scene: FencingScene, device: FenceDevice, times: _AgentTimes
) -> Iterator[FencingFinding]:
    needed, limit = (
        times.of("login_timeout") + times.of("shell_timeout"),
        monitor_limit(scene, device),
    )
    if needed > limit:
        yield finding(
            f"{device.id} may take {needed:g} s to answer (login_timeout and shell_timeout), and "
            f"its monitor ends after {limit:g} s",
            f"give its operation monitor a timeout of {needed + 10:.0f} s, or lower the others",
            [device.id],
            grave=False,
        )


def _delays(device: FenceDevice) -> Iterator[FencingFinding]:
    base, most = (seconds(device.parameter(f"pcmk_delay_{name}")) for name in ("base", "max"))
    if base and most and base > most:
        said = f"{device.id}: pcmk_delay_base ({base:g} s) is more than pcmk_delay_max ({most:g} s)"
        yield finding(said, "Pacemaker waits the max alone: raise it", [device.id], grave=False)


def _units(scene: FencingScene, device: FenceDevice) -> Iterator[FencingFinding]:
    """Yield the limits of which Pacemaker takes the number alone, without its unit."""
    given = device.primitive.parameters.items() if scene.numbers_only else ()
    for name, value in given:
        meant = seconds(value) if _LIMITS.fullmatch(name) else None
        if meant is not None and leading(value) != int(meant):
            yield finding(
                f"{device.id} has {name}={value}, of which this Pacemaker takes the number alone "
                f"({leading(value)} s)",
                f"write seconds: {name}={meant:g}",
                [device.id],
            )


def delay_of(device: FenceDevice, node: str) -> float:
    """Return the most seconds that a device waits before it fences a node.

    A base may be of one node (c1:5s;c2:0s, pacemaker-fenced(7)); one that has none waits for none.
    It waits no longer than pcmk_delay_max where there is one (schedule_stonith_command of
    daemons/fenced). The delay of an agent itself is part of its limit, and no part of this.
    """
    text = device.parameter("pcmk_delay_base")
    bases = [base for base in re.split(r"[;\s]+", text) if base]
    by_node = {name.casefold(): value for name, _, value in (b.rpartition(":") for b in bases)}
    base = seconds(by_node.get(node.casefold(), by_node.get("", ""))) or 0.0
    return seconds(device.parameter("pcmk_delay_max")) or base


def _waits(device: FenceDevice, node: str) -> float:
    return delay_of(device, node) + (seconds(device.parameter("delay")) or 0.0)


def _first(scene: FencingScene, node: str) -> tuple[FenceDevice, ...]:
    """Return the devices that a node is fenced by first: of its lowest level, or all.

    Where the lowest only looks, as by kdump, the next one too.
    """
    levels = scene.levels_of(node)
    fencers = tuple(d for d in scene.fencers(node) if not d.is_watchdog) or scene.fencers(node)
    if not levels:
        return fencers
    found: tuple[FenceDevice, ...] = ()
    for index in dict.fromkeys(level.index for level in levels):
        named = {n for level in levels if level.index == index for n in level.devices}
        found += tuple(device for device in fencers if device.id in named)
        if any(device.switches for device in found):
            break
    return found


def _race(scene: FencingScene) -> Iterator[FencingFinding]:
    """Yield why two nodes that lose each other may fence each other at the same time."""
    first = {node: _first(scene, node) for node in scene.members}
    every = list(chain.from_iterable(first.values()))
    if any(device.agent in _DECIDES for device in every):
        return
    own = {node: max((_waits(d, node) for d in first[node]), default=0.0) for node in first}
    priority = seconds(scene.property(_PRIORITY_DELAY)) or 0.0
    longest = max([priority, *own.values()])
    about = [*(device.id for device in scene.devices), _PRIORITY_DELAY]
    random = any(seconds(device.parameter("pcmk_delay_max")) for device in every)
    pair = " and ".join(scene.members)
    if not longest:
        yield finding(
            f"{pair} are two nodes without a quorum device, and no fencing waits",
            "when they lose each other both fence, and both may go off: set priority-fencing-delay "
            "(and a priority of the resources), or pcmk_delay_base on the device of one node",
            about,
            grave=False,
        )
        return
    lost = sum(scene.corosync) / 1000
    if longest < lost:
        yield finding(
            f"the longest delay of fencing is {longest:g} s, and corosync takes up to {lost:g} s "
            "to miss a node (token and consensus)",
            f"{pair} may notice that much apart, and both fence: make the delay longer than that",
            about,
            grave=False,
        )
    if not priority and not random and len(set(own.values())) == 1:
        yield finding(
            f"every fence device waits the same {longest:g} s",
            f"{pair} would still fence each other at the same time: let only one wait",
            about,
            grave=False,
        )
    yield from _priorities(scene, priority, max(own.values(), default=0.0), about)


def _priorities(
    scene: FencingScene, priority: float, own: float, about: list[str]
) -> Iterator[FencingFinding]:
    every = scene.configuration.resources
    given = [scene.configuration.defaults, *(r.meta for r in every)]
    given += [primitive.meta for resource in every for primitive in primitives(resource)]
    if priority and not any(meta.get("priority", "0") not in {"", "0"} for meta in given):
        yield finding(
            f"{_PRIORITY_DELAY} is {priority:g} s, and no resource has a priority",
            "so it delays nothing: give what is to survive the meta attribute priority",
            about,
            grave=False,
        )
    if priority and own and priority < _TWO * own:
        yield finding(
            f"{_PRIORITY_DELAY} ({priority:g} s) is less than twice the devices' own delay "
            f"({own:g} s)",
            "chance may outweigh the priority: make it twice as long, or leave out pcmk_delay_*",
            about,
            grave=False,
        )
