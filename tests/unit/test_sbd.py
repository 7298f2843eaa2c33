"""SBD as it is planned: its file, its unit, its restart. No watchdog was ever asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.errors import PacefabError
from pacefab.host.model import FileState, HostFacts, Program, Unit
from pacefab.inventory.cluster import Inventory
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker import cib
from pacefab.pacemaker.corosync.plan import CorosyncPlan
from pacefab.pacemaker.fencing.sbd import (
    DiskHeader,
    SbdSettings,
    read_config,
    read_header,
    write_config,
)
from pacefab.pacemaker.model import Configuration
from pacefab.pacemaker.sections.watchdog import until_sbd_runs
from pacefab.services import sbd
from pacefab.transport.command import Section
from pacefab.workflows.checks.fencing_sbd import FoundSbd, NodeSbd, read
from pacefab.workflows.nodes.node_plan import plan_node
from tests.unit import captured

DISKLESS = SbdSettings("/dev/watchdog0", 7)
DISKS = SbdSettings("/dev/watchdog", 15, ("/dev/sda1", "/dev/sdb1"), delay_start=True)
PACKAGED = """# SBD_DEVICE="/dev/sdc;/dev/sdd"
SBD_DEVICE=""
SBD_PACEMAKER=yes
SBD_WATCHDOG_DEV=/dev/watchdog
SBD_WATCHDOG_TIMEOUT=5
SBD_WATCHDOG_TIMEOUT=6
"""
# As the manual pages and knowledge bases show it; written by hand.
DUMP = """==Dumping header on disk /dev/sda1
Header version     : 2.1
Number of slots    : 255
Sector size        : 512
Timeout (watchdog) : 15
Timeout (allocate) : 2
Timeout (loop)     : 1
Timeout (msgwait)  : 30
==Header on disk /dev/sda1 is dumped
"""


@pytest.mark.parametrize("settings", [DISKLESS, DISKS, SbdSettings()])
@pytest.mark.parametrize("old", [None, "", PACKAGED])
def test_the_file_says_what_is_desired_and_keeps_the_rest(
    old: str | None, settings: SbdSettings
) -> None:
    text = write_config(old, settings)
    assert read_config(text) == settings
    assert write_config(text, settings) == text
    if old:
        assert "SBD_PACEMAKER=yes\n" in text
        assert text.startswith('# SBD_DEVICE="/dev/sdc;/dev/sdd"\n')
        assert text.count("\nSBD_WATCHDOG_TIMEOUT=") == 1


def test_a_file_and_a_header_are_read() -> None:
    assert read_config(PACKAGED) == SbdSettings(timeout=6)
    assert read_config('SBD_DEVICE="/dev/a; /dev/b"\n').devices == ("/dev/a", "/dev/b")
    assert read_header("/dev/sda1", DUMP) == DiskHeader("/dev/sda1", 15, 30)
    assert read_header("/dev/sda1", "sbd failed") == DiskHeader("/dev/sda1")


def facts(text: str | None = None, active: str = "inactive") -> HostFacts:
    """Return a node with SBD's package, and perhaps its file."""
    file = None if text is None else FileState(text, "644", "root:root")
    return HostFacts(
        name="c1",
        distribution="debian 12",
        memory_mib=1024,
        family="debian",
        manager="apt-get",
        packages={"sbd": "1.5.1"},
        files={sbd.CONFIG["debian"]: file},
        units={sbd.UNIT: Unit(sbd.UNIT, "loaded", active, "disabled", 0)},
    )


def test_a_node_gets_the_file_and_the_unit_and_nothing_is_started() -> None:
    node = facts()
    plan = plan_node(node, sbd.node(DISKLESS, node), managed=(), firewall=None)
    assert "sbd.service enabled" in plan.changes
    argv = [word for step in plan.steps for word in step.argv]
    assert "enable" in argv
    assert not {"--now", "start", "restart"} & set(argv)
    assert sbd.waits(DISKLESS, node)
    there = facts(text=write_config(None, DISKLESS), active="active")
    assert not sbd.waits(DISKLESS, there)
    assert sbd.waits(DISKS, there)


def test_the_program_that_fence_sbd_calls_comes_with_the_package() -> None:
    called = (Program("/usr/sbin/sbd"), Program("/usr/bin/ipmitool", ("ipmitool",)))
    first, second = sbd.brought(called)
    assert (first.debian, first.rhel) == (("sbd",), ("sbd",))
    assert second == called[1]


def test_nothing_rests_on_sbd_before_it_runs() -> None:
    desired = Configuration(
        properties={"stonith-enabled": "true", "stonith-watchdog-timeout": "10s", "a": "b"}
    )
    without = cib.parse(captured.text("word", "remote-cib.xml"))
    kept = until_sbd_runs(without, desired, alone=True).properties
    assert kept == {"a": "b"}
    beside = until_sbd_runs(without, desired, alone=False).properties
    assert beside == {"stonith-enabled": "true", "a": "b"}
    text = captured.text("word", "remote-cib.xml")
    runs = cib.parse(
        text.replace('name="have-watchdog" value="false"', 'name="have-watchdog" value="true"')
    )
    assert until_sbd_runs(runs, desired, alone=True) == desired


def test_its_start_is_a_restart_of_the_cluster_that_is_asked_for() -> None:
    waits = CorosyncPlan(sbd=("c1", "c2"))
    assert not waits
    (left,) = waits.left
    assert left.startswith("SBD waits on c1, c2: it needs a restart of the whole cluster: ")
    assert left.endswith("fab deploy --restart-cluster")
    asked = replace(waits, restart=True)
    assert asked
    assert asked.summary == ("SBD starts with the cluster on c1, c2",)
    assert asked.left == ()


def test_an_inventory_gives_pacemaker_twice_the_watchdogs_time(tmp_path: Path) -> None:
    def read_of(fencing: str, more: str = "") -> Inventory:
        file = tmp_path / "cluster.yaml"
        file.write_text(f"cluster: lab\nnodes: [c1, c2, c3]\nfencing: {fencing}\n{more}")
        return read_inventory(file)

    def properties(inventory: Inventory) -> Mapping[str, str]:
        return desired_configuration(inventory, str).properties

    alone = read_of("{sbd: {timeout: 7}}")
    assert alone.sbd() == SbdSettings(timeout=7)
    expected = {"stonith-enabled": "true", "stonith-watchdog-timeout": "14s"}
    assert expected.items() <= properties(alone).items()
    own = read_of("{sbd: {timeout: 7}}", "properties: {stonith-watchdog-timeout: 30s}\n")
    assert properties(own)["stonith-watchdog-timeout"] == "30s"
    disks = "{sbd: {devices: [/dev/sda]}, devices: {sbd: {agent: fence_sbd, nodes: [c1, c2, c3]}}}"
    assert "stonith-watchdog-timeout" not in properties(read_of(disks))
    for wrong in ("{disabled: true, reason: x, sbd: {}}", "{sbd: {devices: [sda]}}"):
        with pytest.raises(PacefabError):
            read_of(wrong)


def test_nodes_are_compared_with_each_other() -> None:
    out = f"active\n{write_config(None, DISKLESS)}"
    first = read(Section("SBD", 0, out, ""))
    assert first == NodeSbd("active", DISKLESS)
    second = read(Section("SBD", 0, "inactive\n", ""))
    disk = DiskHeader("/dev/sda1")
    found = FoundSbd({"c1": first, "c2": replace(second, headers=(disk,))})
    failed = {(check.name, check.where) for check in found.checks() if not check.ok}
    assert failed == {
        ("SBD runs", "c2"),
        ("SBD is set up alike", "c2"),
        ("SBD's disk is read", "/dev/sda1 from c2"),
    }
