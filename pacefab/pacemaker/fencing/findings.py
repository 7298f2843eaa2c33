"""What is checked of fencing, and what a check found. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from pacefab.pacemaker.fencing.devices import FenceDevice, read_devices
from pacefab.pacemaker.model import Configuration, Primitive, is_true

ENABLED = ("stonith-enabled", "fencing-enabled")
_REMOTE = "ocf:pacemaker:remote"


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
    """

    configuration: Configuration
    members: tuple[str, ...]
    quorum_device: bool = False
    corosync: tuple[int, int] = (3000, 3600)

    @cached_property
    def devices(self) -> tuple[FenceDevice, ...]:
        """The fence devices, those that are disabled too."""
        return read_devices(self.configuration)

    def fencers(self, node: str) -> tuple[FenceDevice, ...]:
        """Return the devices that fence a node, and that Pacemaker uses."""
        return tuple(d for d in self.devices if d.fences(node) and not d.disabled)

    @cached_property
    def nodes(self) -> tuple[str, ...]:
        """The members, and the remote nodes."""
        resources = self.configuration.resources
        remotes = (r.id for r in resources if isinstance(r, Primitive) and r.agent == _REMOTE)
        return tuple(dict.fromkeys([*self.members, *remotes]))

    @property
    def enabled(self) -> bool:
        """Whether fencing is on: Pacemaker's default, unless a property says otherwise."""
        return is_true(self.property(*ENABLED, default="true"))

    def property(self, *names: str, default: str = "") -> str:
        """Return a property by the first of its names that is given."""
        given = self.configuration.properties
        return next((given[name] for name in names if name in given), default)
