"""SBD on the nodes of a cluster that rests on it: whether it runs, how it is set up, its disks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from pacefab.pacemaker.cib import Cib
from pacefab.pacemaker.fencing import sbd
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.fencing.sbd import AGENTS, DiskHeader, SbdSettings
from pacefab.pacemaker.sections.watchdog import has_watchdog
from pacefab.services.checks import Check
from pacefab.transport.command import Section, Step, shell
from pacefab.transport.connection import Host
from pacefab.transport.fanout import fan_out, values

_RESTART = "see why: systemctl status sbd there; it starts with the cluster"
# Debian's sbd reads the first, the others' the second.
_LOOK = r"""
systemctl is-active sbd
for file in /etc/default/sbd /etc/sysconfig/sbd; do
  [ ! -r "$file" ] || { cat "$file"; break; }
done
"""
_DUMP = 'timeout -k 1 20 sbd -d "$1" dump 2>&1'


@dataclass(frozen=True)
class NodeSbd:
    """SBD on one node: its unit's state, its settings, and the headers of its disks."""

    state: str
    settings: SbdSettings
    headers: tuple[DiskHeader, ...] = ()


@dataclass(frozen=True)
class FoundSbd:
    """SBD on every node that answered; nothing where the cluster does not rest on it."""

    nodes: Mapping[str, NodeSbd] = field(default_factory=dict)

    def within(self, scene: FencingScene) -> FencingScene:
        """Return the scene with the first node's settings, and with its disks."""
        first = next(iter(self.nodes.values()), None)
        if first is None:
            return scene
        return replace(scene, sbd=first.settings, headers=first.headers)

    def checks(self) -> Iterator[Check]:
        """Yield whether it runs everywhere, is set up alike, and reads its disks."""
        settings = [node.settings for node in self.nodes.values()]
        for name, node in self.nodes.items():
            yield Check("SBD runs", name, node.state == "active", node.state, _RESTART)
            same = node.settings == settings[0]
            seen = "yes" if same else f"{node.settings}, and {next(iter(self.nodes))} otherwise"
            yield Check("SBD is set up alike", name, same, seen, "fab deploy makes it so")
            for disk in node.headers:
                seen = "yes" if disk.msgwait else "it has no header of SBD's, or is not there"
                where = f"{disk.device} from {name}"
                cause = f"see why: sbd -d {disk.device} dump"
                yield Check("SBD's disk is read", where, bool(disk.msgwait), seen, cause)


def look(hosts: Mapping[str, Host], scene: FencingScene, cib: Cib) -> FoundSbd:
    """Ask nodes for SBD where the cluster rests on it; nothing is changed."""
    used = scene.watchdog or any(device.agent in AGENTS for device in scene.devices)
    if not used and not has_watchdog(cib):
        return FoundSbd()
    return FoundSbd(values(fan_out(hosts, lambda _, host: _look(host))))


def _look(host: Host) -> NodeSbd:
    step = shell("SBD", _LOOK)
    found = read(host.query([step])[step.name])
    dumps = [shell(f"SBD {device}", _DUMP, device) for device in found.settings.devices]
    return _with_disks(found, dumps, host.query(dumps) if dumps else {})


def read(section: Section) -> NodeSbd:
    """Return what a node says of SBD."""
    state, _, config = section.out.partition("\n")
    return NodeSbd(state.strip() or "not there", sbd.read_config(config))


def _with_disks(found: NodeSbd, dumps: list[Step], sections: Mapping[str, Section]) -> NodeSbd:
    pairs = zip(found.settings.devices, dumps, strict=True)
    headers = (sbd.read_header(device, sections[step.name].out) for device, step in pairs)
    return replace(found, headers=tuple(headers))
