"""What is checked of fencing, and what a check found. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pacefab.pacemaker.fencing.devices import IMPLIED_WATCHDOG, FenceDevice, read_devices
from pacefab.pacemaker.fencing.sbd import DiskHeader, SbdSettings
from pacefab.pacemaker.model import Configuration, Primitive, is_true
from pacefab.pacemaker.placement.remote import CONNECTION, guests
from pacefab.pacemaker.sections.levels import FencingLevel

ENABLED = ("stonith-enabled", "fencing-enabled")
WATCHDOG_TIME = ("stonith-watchdog-timeout", "fencing-watchdog-timeout")


@dataclass(frozen=True)
class FencingFinding:
    """Something about fencing that does not fit.

    Args:
        said: what and where, as a sentence.
        way_out: what to do next.
        about: the devices and settings that it is about, by their ids.
        grave: fencing would fail or hit another node; else it may.
    """

    said: str
    way_out: str
    about: frozenset[str]
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.said}: {self.way_out}"


def finding(
    said: str, way_out: str, about: Iterable[str] = (), *, grave: bool = True
) -> FencingFinding:
    """Write a `FencingFinding` of any ids."""
    return FencingFinding(said, way_out, frozenset(about), grave)


@dataclass(frozen=True)
class FencingScene:
    """A configuration with fencing, and what it is for.

    Args:
        configuration: as it is, or is desired.
        members: the nodes that corosync knows.
        quorum_device: whether a third vote decides which of two nodes survives.
        corosync: milliseconds of `token`, and of `consensus`, until a node is taken for lost.
        device_sync: milliseconds that the quorum device may take to vote (`sync_timeout`).
        sbd: how SBD is set up on the nodes; None: it is not, or that is not known.
        headers: what SBD's disks say of their times, where that is known.
    """

    configuration: Configuration
    members: tuple[str, ...]
    quorum_device: bool = False
    corosync: tuple[int, int] = (3000, 3600)
    device_sync: int = 30000
    sbd: SbdSettings | None = None
    headers: tuple[DiskHeader, ...] = ()

    @cached_property
    def devices(self) -> tuple[FenceDevice, ...]:
        """The fence devices, those that are disabled too."""
        return read_devices(self.configuration)

    @property
    def watchdog(self) -> bool:
        """Whether nodes with SBD are taken for off after a time (`stonith-watchdog-timeout`)."""
        return bool(self.property(*WATCHDOG_TIME).strip("0s "))

    def fencers(self, node: str) -> tuple[FenceDevice, ...]:
        """Return the devices that fence a node, and that Pacemaker uses.

        Last the watchdog, which Pacemaker takes where no other device does, unless a device of its
        agent says which nodes have one (pacemaker-fenced(7), fence_watchdog).
        """
        every = self.devices
        if self.watchdog and not any(device.is_watchdog for device in every):
            every = (*every, IMPLIED_WATCHDOG)
        return tuple(d for d in every if d.fences(node) and not d.disabled)

    @cached_property
    def levels(self) -> tuple[FencingLevel, ...]:
        """The fencing levels, in the order in which they are tried."""
        objects = self.configuration.objects
        found = (level for level in objects if isinstance(level, FencingLevel))
        return tuple(sorted(found, key=lambda level: level.index))

    def levels_of(self, node: str) -> tuple[FencingLevel, ...]:
        """Return the levels of a node: none, and every device that fences it is tried."""
        attributes = self.configuration.attributes.get(node, {})
        return tuple(level for level in self.levels if level.covers(node, attributes))

    def used(self, node: str) -> tuple[FenceDevice, ...]:
        """Return the devices that Pacemaker takes for a node: where it has levels, theirs alone."""
        named = {name for level in self.levels_of(node) for name in level.devices}
        return tuple(d for d in self.fencers(node) if not named or d.id in named)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The members, and the remote nodes."""
        resources = self.configuration.resources
        remotes = (r.id for r in resources if isinstance(r, Primitive) and r.agent == CONNECTION)
        return tuple(dict.fromkeys([*self.members, *remotes]))

    @cached_property
    def guests(self) -> frozenset[str]:
        """The guest nodes: Pacemaker stops the resource that makes one, and fences its host."""
        return guests(self.configuration)

    @property
    def enabled(self) -> bool:
        """Whether fencing is on: Pacemaker's default, unless a property says otherwise."""
        return is_true(self.property(*ENABLED, default="true"))

    def property(self, *names: str, default: str = "") -> str:
        """Return a property by the first of its names that is given."""
        given = self.configuration.properties
        return next((given[name] for name in names if name in given), default)
