"""What is checked of fencing, and what a check found. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from pacefab.pacemaker.fencing.devices import (
    IMPLIED_WATCHDOG,
    WATCHDOG,
    FenceDevice,
    read_devices,
)
from pacefab.pacemaker.fencing.sbd import DiskHeader, SbdSettings
from pacefab.pacemaker.fencing.times import seconds
from pacefab.pacemaker.model import Configuration, Primitive
from pacefab.pacemaker.placement.remote import CONNECTION, guests
from pacefab.pacemaker.sections.levels import FencingLevel

ENABLED = ("stonith-enabled", "fencing-enabled")
WATCHDOG_TIME = ("stonith-watchdog-timeout", "fencing-watchdog-timeout")
_WITH_UNITS = (3, 18)  # the feature set after that of Pacemaker 2.1.6
_FALSE = {"false", "off", "no", "n", "0"}


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
        features: Pacemaker's, as the CIB says (crm_feature_set); empty: not known.
    """

    configuration: Configuration
    members: tuple[str, ...]
    quorum_device: bool = False
    corosync: tuple[int, int] = (3000, 3600)
    device_sync: int = 30000
    sbd: SbdSettings | None = None
    headers: tuple[DiskHeader, ...] = ()
    features: tuple[int, ...] = ()

    @cached_property
    def devices(self) -> tuple[FenceDevice, ...]:
        """The fence devices, those that are disabled too."""
        return read_devices(self.configuration)

    @property
    def numbers_only(self) -> bool:
        """Whether Pacemaker takes a device's own limits for seconds, whatever their unit.

        It does by atoi until 2.1.6 (get_action_timeout of daemons/fenced).
        """
        return () < self.features < _WITH_UNITS

    @property
    def watchdog(self) -> bool:
        """Whether nodes with SBD are taken for off after a time (`stonith-watchdog-timeout`).

        A negative one has Pacemaker find out the time by itself.
        """
        given = self.property(*WATCHDOG_TIME).strip()
        return given.startswith("-") or bool(seconds(given))

    def fencers(self, node: str) -> tuple[FenceDevice, ...]:
        """Return the devices that fence a node, and that Pacemaker uses.

        Last the watchdog, which Pacemaker takes where no other device does, unless a device of its
        agent says which nodes have one (pacemaker-fenced(7), fence_watchdog).
        """
        every = tuple(device for device in self.devices if self.is_used(device))
        if self.watchdog and not any(device.is_watchdog for device in every):
            every = (*every, IMPLIED_WATCHDOG)
        return tuple(device for device in every if device.fences(node))

    def is_used(self, device: FenceDevice) -> bool:
        """Whether Pacemaker uses a device at all.

        It passes over one that is disabled, and over fence_watchdog where no watchdog's time is
        set or the device is not called watchdog (fenced_device_register of daemons/fenced).
        """
        misnamed = device.id != WATCHDOG or not self.watchdog
        return not device.disabled and not (device.is_watchdog and misnamed)

    def meant(self, device: FenceDevice) -> tuple[str, ...]:
        """Return the nodes for which Pacemaker would take a device, were it enabled."""
        named = {node: self._named(node) for node in self.nodes}
        return tuple(
            n for n in self.nodes if device.fences(n) and (not named[n] or device.id in named[n])
        )

    @cached_property
    def levels(self) -> tuple[FencingLevel, ...]:
        """The fencing levels, in the order in which they are tried."""
        objects = self.configuration.objects
        found = (level for level in objects if isinstance(level, FencingLevel))
        return tuple(sorted(found, key=lambda level: level.index))

    def levels_of(self, node: str) -> tuple[FencingLevel, ...]:
        """Return the levels of a node: none, and every device that fences it is tried.

        Those of its name, and those by pattern or attribute only where it has none of these
        (find_topology_for_host of daemons/fenced).
        """
        every = self.covering(node)
        return tuple(level for level in every if level.target) or every

    def covering(self, node: str) -> tuple[FencingLevel, ...]:
        """Return the levels that name a node in any way."""
        attributes = self.attributes_of(node)
        return tuple(level for level in self.levels if level.covers(node, attributes))

    def attributes_of(self, node: str) -> Mapping[str, str]:
        """Return the permanent attributes of a node; its name is taken in either case."""
        given = self.configuration.attributes
        return next((a for n, a in given.items() if n.casefold() == node.casefold()), {})

    def used(self, node: str) -> tuple[FenceDevice, ...]:
        """Return the devices that Pacemaker takes for a node: where it has levels, theirs alone."""
        named = self._named(node)
        return tuple(d for d in self.fencers(node) if not named or d.id in named)

    def _named(self, node: str) -> frozenset[str]:
        return frozenset(name for level in self.levels_of(node) for name in level.devices)

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
        """Whether fencing is on: Pacemaker's default, unless a property says otherwise.

        What is no boolean says nothing (pcmk__valid_boolean).
        """
        return self.property(*ENABLED, default="true").casefold() not in _FALSE

    def property(self, *names: str, default: str = "") -> str:
        """Return a property by the first of its names that is given."""
        given = self.configuration.properties
        return next((given[name] for name in names if name in given), default)
