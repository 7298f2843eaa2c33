"""Healthy shapes of fencing raise nothing; each of their sick siblings is found."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.errors import PacefabError
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker import metadata
from pacefab.pacemaker.cib import EMPTY
from pacefab.pacemaker.fencing import checks
from pacefab.pacemaker.fencing.findings import FencingScene
from pacefab.pacemaker.fencing.reading import new_scene, read_scene
from pacefab.pacemaker.fencing.sbd import DiskHeader
from pacefab.pacemaker.plan import plan_configuration
from pacefab.pacemaker.render import render_configuration
from pacefab.workflows.checks.fencing_answers import _questions
from tests.unit import captured

AGENT = "stonith:fence_ipmilan"
AGENTS = {AGENT: metadata.parse(AGENT, captured.text("debian12", "metadata-fence_ipmilan.xml"))}
QDEVICE = "corosync: {qdevice: {host: q1, algorithm: ffsplit}}\n"
BOARDS = """nodes: [c1, c2, c3]
fencing:
  devices:
    ipmi:
      agent: fence_ipmilan
      parameters: {username: fence, password: {secret: ipmi}, lanplus: true}
      per_node: {c1: {ip: 192.0.2.201}, c2: {ip: 192.0.2.202}, c3: {ip: 192.0.2.203}}
"""
STRIP = """nodes: [c1, c2, c3]
fencing:
  devices:
    strip:
      agent: fence_apc_snmp
      parameters: {ip: 192.0.2.210, pcmk_host_map: "c1:1;c2:2;c3:3,4"}
"""
OWN_BOARD = """    ipmi: {agent: fence_ipmilan, per_node: {c1: {ip: "2001:db8::1"}}}
"""
LEVELS = (
    BOARDS
    + """    strip:
      agent: fence_apc_snmp
      parameters: {ip: 192.0.2.210, pcmk_host_map: "c1:1;c2:2;c3:3"}
  levels:
    - {node: c1, level: 1, devices: [ipmi-c1]}
    - {node: c2, level: 1, devices: [ipmi-c2]}
    - {node: c3, level: 1, devices: [ipmi-c3]}
    - {node: c1, level: 2, devices: [strip]}
    - {node: c2, level: 2, devices: [strip]}
    - {node: c3, level: 2, devices: [strip]}
"""
)
TWO = BOARDS.replace(", c3]", "]").replace(", c3: {ip: 192.0.2.203}", "")
DELAYED = TWO.replace("{ip: 192.0.2.202}", "{ip: 192.0.2.202, pcmk_delay_base: 15s}")
LISTING = """nodes: [c1, c2, c3]
fencing:
  devices:
    vcenter:
      agent: fence_vmware_rest
      parameters: {ip: 192.0.2.220, pcmk_host_check: dynamic-list, pcmk_host_map: "c1:vm-c1"}
"""
RESERVED = """nodes: [c1, c2, c3]
fencing:
  devices:
    disks: {agent: fence_scsi, nodes: [c1, c2, c3], parameters: {devices: /dev/sdb}}
"""
DISKLESS = "nodes: [c1, c2, c3]\nfencing: {sbd: {watchdog: /dev/watchdog, timeout: 5}}\n"
DISK = """nodes: [c1, c2, c3]
properties: {stonith-timeout: 90s}
fencing:
  sbd: {timeout: 15, devices: [/dev/disk/by-id/sbd]}
  devices:
    sbd:
      agent: fence_sbd
      parameters: {devices: /dev/disk/by-id/sbd, pcmk_host_list: "c1 c2 c3"}
"""
REMOTES = """nodes: [c1, c2, c3, {name: r1, address: 192.0.2.31, role: remote}]
fencing:
  devices:
    strip:
      agent: fence_apc_snmp
      parameters: {ip: 192.0.2.210, pcmk_host_map: "c1:1;c2:2;c3:3;r1:4"}
"""
GUESTS = BOARDS.replace(", c3]", ", c3, {name: g1, role: guest}]") + (
    "resources: {vm: {agent: 'ocf:heartbeat:VirtualDomain', parameters: {config: /g1.xml}, "
    "meta: {remote-node: g1}}}\n"
)
MIXED = """nodes: [c1, c2, c3, {name: r1, address: 192.0.2.31, role: remote}]
properties: {stonith-watchdog-timeout: 10s}
fencing:
  sbd: {timeout: 5}
  devices:
    ipmi: {agent: fence_ipmilan, per_node: {c1: {ip: 192.0.2.201}, c2: {ip: 192.0.2.202}}}
    kdump: {agent: fence_kdump, nodes: [c1]}
  levels:
    - {node: c1, level: 1, devices: [kdump]}
    - {node: c1, level: 2, devices: [ipmi-c1]}
"""
HEALTHY = {
    "a board for each node": BOARDS,
    "one strip for all": STRIP,
    "levels of boards and a strip": LEVELS,
    "two nodes with a quorum device": TWO + QDEVICE,
    "two nodes with a delay": DELAYED,
    "a device that lists its targets": LISTING,
    "a strip with a board for one node": STRIP + OWN_BOARD,
    "disks that take reservations": RESERVED,
    "the watchdog alone": DISKLESS,
    "SBD with a disk": DISK,
    "remote nodes by the same strip": REMOTES,
    "guests by their host": GUESTS,
    "boards, kdump, levels and the watchdog": MIXED,
}  # fmt: skip


def scenes(text: str, folder: Path) -> tuple[FencingScene, FencingScene]:
    """Return the scene of an inventory, as it is planned and as its CIB is read again."""
    file = folder / "cluster.yaml"
    file.write_text(f"cluster: lab\n{text}")
    inventory = read_inventory(file)
    desired = desired_configuration(inventory, lambda key: f"value of {key}")
    settings, names = inventory.settings(), inventory.membership().names
    corosync = settings.values if settings else {}
    after = render_configuration(EMPTY, plan_configuration(EMPTY, desired))
    planned = new_scene(desired, names, corosync)
    read = read_scene(after, names, corosync)
    return tuple(replace(scene, sbd=inventory.sbd()) for scene in (planned, read))  # type: ignore[return-value]


def findings(text: str, folder: Path) -> list[str]:
    """Return what is found of an inventory, or why it is refused when it is read."""
    try:
        return [said(scene) for scene in scenes(text, folder)]
    except PacefabError as error:
        return [str(error)]


def said(scene: FencingScene) -> str:
    """Return what is found of a scene, a line for each finding."""
    return "\n".join(f"{'!' if f.grave else '?'} {f}" for f in checks.find(scene, AGENTS))


@pytest.mark.parametrize("shape", HEALTHY)
def test_healthy_shapes_raise_nothing(shape: str, tmp_path: Path) -> None:
    assert findings(HEALTHY[shape], tmp_path) == ["", ""]


CONSTRAINED = "constraints: {location: [{resource: strip, node: c1, score: 10}"
SICK = [
    (BOARDS, (", c3: {ip: 192.0.2.203}", ""), "no device fences c3"),
    (BOARDS, ("192.0.2.203", "192.0.2.202"), "! ipmi-c2 and ipmi-c3 are one board (192.0.2.202)"),
    (STRIP, ("c2:2", "c2:1"), "! pcmk_host_map of strip has the outlet 1 for c1 and c2"),
    (STRIP, ("c1:1;c2:2;", "c1:1,c2:2;"), "! pcmk_host_map of strip is not read as it is meant"),
    (STRIP, ("c1:1;", "c1: 1;"), "! pcmk_host_map of strip has no outlet for c1"),
    (STRIP, ("c1:1;", "c1;"), "is not read as it is meant: c1: write NODE:OUTLET"),
    (STRIP, ("c1:1;", r"c1:1;\n"), "a line end separates nothing"),
    (STRIP, ("nodes: [c1", CONSTRAINED + ", {resource: strip, node: c2, score: -5}, "
             "{resource: strip, node: c3, score: -INFINITY}]}\nnodes: [c1"),
     "! strip may run on c1 alone, which it is to fence as well"),
    (LEVELS, ("devices: [ipmi-c1]", "devices: [ipmi-c2]"),
     "! level 1 of c1 names ipmi-c2, which does not fence c1"),
    (LEVELS, ("    - {node: c3, level: 2, devices: [strip]}\n", ""),
     "? strip fences c3, and is in no level of c3"),
    (LEVELS, ("{node: c2, level: 2", '{pattern: "c[0-9]", level: 2'),
     "? level 2 of names like c[0-9] is not used: c1 and c2 and c3 have levels by name"),
    (TWO, ("nodes", "nodes"), "? c1 and c2 are two nodes without a quorum device, and no fencing"),
    (DELAYED, ("{ip: 192.0.2.201}", "{ip: 192.0.2.201, pcmk_delay_base: 15s}"),
     "? every fence device waits the same 15 s"),
    (STRIP.replace(", c3]", "]").replace(";c3:3,4", ""),
     ("ip: 192", "pcmk_delay_base: 'c1:9s;c2:9s', ip: 192"), "waits the same 9 s"),
    (LISTING, ("c1:vm-c1", "d1:vm-c1"), "? vcenter fences d1, which is no node"),
    (LISTING, ("dynamic-list", "dynamic"), "! vcenter has pcmk_host_check=dynamic, which"),
    (LISTING, ("fence_vmware_rest", "fence_ipmilan"), "! vcenter is to be asked whom it fences"),
    (LISTING, ('dynamic-list, pcmk_host_map: "c1:vm-c1"', "static-list"),
     "! vcenter has pcmk_host_check=static-list, and names no node"),
    (DISKLESS, (", c3]", "]"), "! c1 and c2 are fenced by their own watchdog alone"),
    (DISKLESS, ("nodes", "properties: {stonith-watchdog-timeout: 4s}\nnodes"),
     "! stonith-watchdog-timeout is 4 s, and SBD's watchdog resets a node after 5 s"),
    (DISKLESS, ("nodes", "properties: {stonith-watchdog-timeout: 9s}\nnodes"),
     "! stonith-watchdog-timeout is 9 s, less than twice the 5 s"),
    (DISKLESS, ("nodes", QDEVICE + "nodes"), "? SBD's watchdog waits 5 s, and the quorum device"),
    (DISKLESS, ("timeout: 5", "timeout: 30"), "? Pacemaker waits 60 s for a watchdog"),
    (DISK, ("devices: /dev/disk/by-id/sbd,", "devices: /dev/sdb,"), "! sbd writes to /dev/sdb"),
    (DISK, ("agent: fence_sbd", "agent: fence_dummy"), "! c1 is fenced by sbd alone, which"),
    (DISK, ("agent: fence_sbd", "agent: fence_apc"), "and no device is of the agent fence_sbd"),
    (REMOTES, (";r1:4", ""), "! r1 is fenced by no device"),
    (GUESTS, ("per_node: {c1", "per_node: {g1: {ip: 192.0.2.209}, c1"),
     "? ipmi-g1 fences g1, which is a guest node"),
    (MIXED, (", c2: {ip: 192.0.2.202}", ""), ""),
    (MIXED, ("    - {node: c1, level: 2, devices: [ipmi-c1]}\n", ""),
     "! c1 is fenced by kdump alone, which switches nothing off"),
    (MIXED, ("node: c1, level: 2", "node: c9, level: 2"), "c9"),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "change", "sentence"), SICK)
def test_sick_siblings_are_found(
    shape: str, change: tuple[str, str], sentence: str, tmp_path: Path
) -> None:
    assert change[0] in shape
    for found in findings(shape.replace(*change), tmp_path):
        assert sentence in found
        assert bool(found) is bool(sentence)  # nothing else where nothing is to be found


def test_a_disk_s_own_times_are_compared(tmp_path: Path) -> None:
    scene, _ = scenes(DISK, tmp_path)

    def of(watchdog: int, msgwait: int) -> str:
        header = DiskHeader("/dev/disk/by-id/sbd", watchdog, msgwait)
        return said(replace(scene, headers=(header,)))

    assert of(15, 30) == ""
    assert "! /dev/disk/by-id/sbd: msgwait is 20 s, less than twice the 15 s" in of(15, 20)
    assert "? sbd: a message takes 80 s (msgwait), and stonith-timeout is 90 s" in of(15, 80)
    assert "! sbd: a message takes 90 s (msgwait), and stonith-timeout ends it after 90" in of(
        5, 90
    )


def test_a_remote_node_is_asked_about_from_members_and_asks_nothing(tmp_path: Path) -> None:
    scene, _ = scenes(REMOTES, tmp_path)
    assert scene.nodes == ("c1", "c2", "c3", "r1")
    for node in scene.members:
        asked = {q.target for q in _questions(scene, node, AGENTS) if q.action == "status"}
        assert "r1" in asked, node
    assert not _questions(scene, "r1", AGENTS)
