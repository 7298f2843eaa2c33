"""Fencing is checked before it is needed: who is fenced by what, and whether times add up."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.errors import RefusedError
from pacefab.inventory.configuration import desired_configuration
from pacefab.pacemaker import cib, metadata
from pacefab.pacemaker.fencing import coverage, timing
from pacefab.pacemaker.fencing.devices import read_devices, read_map
from pacefab.pacemaker.fencing.findings import FencingFinding, FencingScene
from pacefab.pacemaker.fencing.reading import new_scene, read_scene
from pacefab.pacemaker.fencing.times import seconds
from pacefab.pacemaker.model import (
    Configuration,
    Location,
    Member,
    Membership,
    Operation,
    Primitive,
)
from pacefab.pacemaker.sections.levels import FencingLevel
from pacefab.workflows.rollout.desired import Intent
from pacefab.workflows.rollout.fencing_checks import check_new
from tests.unit import captured

ROOT = Path(__file__).resolve().parents[2]
AGENT = "stonith:fence_ipmilan"
AGENTS = {AGENT: metadata.parse(AGENT, captured.text("debian12", "metadata-fence_ipmilan.xml"))}
THREE = ("c1", "c2", "c3")
Parameters = Mapping[str, str]


def board(node: str, number: int = 0, **parameters: str) -> Primitive:
    """Return the device that is a node's management board."""
    given = {"ip": f"192.0.2.20{number or node[-1]}", "pcmk_host_list": node, **parameters}
    return Primitive(f"fence-{node}", AGENT, given)


def strip(name: str = "strip", **parameters: str) -> Primitive:
    """Return a power strip."""
    return Primitive(name, "stonith:fence_apc_snmp", {"ip": "192.0.2.210", **parameters})


def scene(*devices: Primitive, nodes: tuple[str, ...] = THREE, **rest: object) -> FencingScene:
    """Return a cluster with these devices, and what else its configuration has."""
    return FencingScene(Configuration(resources=devices, **rest), nodes)  # type: ignore[arg-type]


def boards(nodes: tuple[str, ...] = THREE, **parameters: str) -> tuple[Primitive, ...]:
    """Return a board for each node."""
    return tuple(board(node, 0, **parameters) for node in nodes)


def found(of: FencingScene) -> list[FencingFinding]:
    """Return everything that is found."""
    return [*coverage.find(of, AGENTS), *timing.find(of, AGENTS)]


def said(of: FencingScene) -> str:
    """Return it as sentences."""
    return "\n".join(map(str, found(of)))


@pytest.mark.parametrize("name", ["controllers", "two-sites", "fencing-levels"])
def test_nothing_is_wrong_with_our_own_examples(name: str) -> None:
    inventory = read_inventory(ROOT / "inventory" / f"{name}.yaml")
    desired = desired_configuration(inventory, lambda key: f"value of {key}")
    names = inventory.membership().names
    assert [str(one) for one in found(new_scene(desired, names, {})) if one.grave] == []


@pytest.mark.parametrize(
    "healthy",
    [
        scene(*boards()),
        scene(strip(pcmk_host_map="c1:1;c2:2;c3:3")),
        scene(strip(pcmk_host_map="c1:1,2;c2:3,4;c3:5,6"), *boards()),
        scene(strip(pcmk_host_list="c1 c2,c3")),
        scene(strip(pcmk_host_map="C1=1 C2=2 C3=3")),
        scene(Primitive("xvm", "stonith:fence_xvm", {})),
        scene(Primitive("vc", "stonith:fence_vmware_rest", {"pcmk_host_check": "dynamic-list"})),
        scene(*boards(), constraints=(Location("fence-c1", "-INFINITY", "c1"),)),
        scene(
            *boards(),
            constraints=tuple(Location(f"fence-{n}", "-INFINITY", n) for n in THREE),
            objects=(FencingLevel("1", ("fence-c1",), target="c1"),),
        ),
        scene(board("c1"), board("c2", pcmk_delay_base="15s"), nodes=("c1", "c2")),
        FencingScene(
            Configuration(resources=boards(("c1", "c2"))), ("c1", "c2"), quorum_device=True
        ),
        scene(
            *boards(("c1", "c2")),
            Primitive("db", "ocf:heartbeat:mysql", meta={"priority": "10"}),
            nodes=("c1", "c2"),
            properties={"priority-fencing-delay": "60s"},
        ),
    ],
)  # fmt: skip
def test_healthy_clusters_of_other_shapes_raise_nothing(healthy: FencingScene) -> None:
    assert said(healthy) == ""


@pytest.mark.parametrize(
    ("wrong", "sentence", "grave"),
    [
        (scene(board("c1"), board("c2")), "c3 is fenced by no device: ", True),
        (
            scene(board("c1"), board("c2"), Primitive(
                "fence-c3", AGENT, {"pcmk_host_list": "c3"}, {"target-role": "Stopped"}
            )),
            ("fence-c3 is disabled (target-role Stopped), so Pacemaker does not use it: "
            "pcs stonith enable fence-c3"),
            True,
        ),
        (
            scene(*boards(("c1", "c2")), board("c3.example.org", 3), nodes=THREE),
            ("fence-c3.example.org fences c3.example.org, which is no node (c1, c2, c3): "
            "the node is called c3"),
            True,
        ),
        (scene(strip(pcmk_host_list="c1 c2 c3 d1")), "fences d1, which is no node", False),
        (
            scene(strip(pcmk_host_map="c1:1;c2:2;c3:2")),
            ("pcmk_host_map of strip has the outlet 2 for c2 and c3: to fence one would cut the "
            "other off"),
            True,
        ),
        (
            scene(strip(pcmk_host_map="c1:1;c2:2;c3:3;c1:4")),
            "pcmk_host_map of strip names c1 more than once",
            True,
        ),
        (
            scene(strip(pcmk_host_list="c1 c2 c3", pcmk_host_map="c1:1;c2:2")),
            "pcmk_host_map of strip lacks c3, which pcmk_host_list has",
            True,
        ),
        (
            scene(*boards(), Primitive("any", AGENT, {"ip": "192.0.2.209"})),
            ("any does not say which node it fences: Pacemaker would switch off that one board for "
            "every node"),
            True,
        ),
        (
            scene(*boards(("c1", "c2")), board("c3", 2)),
            "fence-c2 and fence-c3 are one board (192.0.2.202), and are to fence c2 and c3",
            True,
        ),
        (
            scene(*boards(), constraints=tuple(
                Location("fence-c1", "-INFINITY", node) for node in ("c2", "c3")
            )),
            "fence-c1 may run on c1 alone, the node that it fences: nothing could fence that node",
            True,
        ),
        (
            scene(*boards(), properties={"symmetric-cluster": "false"}),
            "fence-c1 may run on no node, by its location constraints",
            True,
        ),
        (
            scene(*boards(), objects=(FencingLevel("1", ("fence-c2",), target="c1"),)),
            "level 1 of c1 names fence-c2, which does not fence c1",
            True,
        ),
        (
            scene(*boards(power_timeout="40")),
            ("fence-c1 may take 84 s for reboot (delay 0, twice power_wait 2 and power_timeout "
            "40), and stonith-timeout ends it after 60 s: raise stonith-timeout to 99 s or more"),
            False,
        ),
        (
            scene(*boards(delay="50", pcmk_reboot_timeout="70s")),
            "and pcmk_reboot_timeout ends it after 70 s",
            False,
        ),
        (
            scene(*boards(login_timeout="30")),
            ("fence-c1 may take 33 s to answer (login_timeout and shell_timeout), and its monitor "
            "ends after 20 s"),
            False,
        ),
        (
            scene(*boards(pcmk_delay_base="20s", pcmk_delay_max="10s")),
            "fence-c1: pcmk_delay_base (20 s) is more than pcmk_delay_max (10 s)",
            False,
        ),
        (
            scene(*boards(("c1", "c2")), nodes=("c1", "c2")),
            "c1 and c2 are two nodes without a quorum device, and no fencing waits: ",
            False,
        ),
        (
            scene(*boards(("c1", "c2"), pcmk_delay_base="30"), nodes=("c1", "c2")),
            "every fence device waits the same 30 s",
            False,
        ),
        (
            scene(board("c1"), board("c2", pcmk_delay_base="3s"), nodes=("c1", "c2")),
            "the longest delay of fencing is 3 s, and corosync takes up to 6.6 s",
            False,
        ),
        (
            scene(
                *boards(("c1", "c2")),
                nodes=("c1", "c2"), properties={"priority-fencing-delay": "60s"},
            ),
            "priority-fencing-delay is 60 s, and no resource has a priority",
            False,
        ),
        (
            scene(
                *boards(("c1", "c2"), pcmk_delay_max="20s"),
                nodes=("c1", "c2"), properties={"priority-fencing-delay": "30s"},
                defaults={"priority": "1"},
            ),
            "priority-fencing-delay (30 s) is less than twice the devices' own delay (20 s)",
            False,
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_a_sentence(wrong: FencingScene, sentence: str, grave: bool) -> None:
    named = [one for one in found(wrong) if sentence in str(one)]
    assert named, said(wrong)
    assert {one.grave for one in named} == {grave}


def test_a_map_is_read_as_pacemaker_reads_it() -> None:
    assert list(read_map(r"c1:1;c2=2,3  my\ node:4")) == [
        ("c1", ("1",)),
        ("c2", ("2", "3")),
        ("my node", ("4",)),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [("20", 20), ("20s", 20), ("2min", 120), ("500ms", 0.5), ("PT20S", 20), ("soon", None)],
)
def test_times_are_pacemaker_s(text: str, expected: float | None) -> None:
    assert seconds(text) == expected


def test_a_cib_is_a_scene_with_levels_and_templates() -> None:
    root = """<cib><configuration><crm_config/><nodes/><resources>
    <template id="board" class="stonith" type="fence_ipmilan"><instance_attributes id="b">
      <nvpair id="b-1" name="ip" value="192.0.2.201"/></instance_attributes></template>
    <primitive id="f1" template="board"><instance_attributes id="f">
      <nvpair id="f-1" name="pcmk_host_list" value="c1"/></instance_attributes></primitive>
    </resources><constraints/><fencing-topology>
    <fencing-level id="fl" index="1" target="c1" devices="f1"/></fencing-topology>
    </configuration></cib>"""
    read = read_scene(cib.parse(root), ("c1",), {("totem", "token"): "10000"})
    assert [device.targets for device in read.devices] == [{"c1": ("c1",)}]
    assert read.configuration.objects == (FencingLevel("1", ("f1",), target="c1", id="fl"),)
    assert read.corosync == (10000, 12000)
    assert timing.until_off(read, "c1") == 82


def test_what_is_no_fence_device_is_none() -> None:
    others = Configuration(resources=(Primitive("vip", "ocf:heartbeat:IPaddr2"), board("c1")))
    assert [device.id for device in read_devices(others)] == ["fence-c1"]


def test_a_monitor_has_the_time_that_its_operation_says() -> None:
    slow = Primitive(
        "fence-c1", AGENT, {"login_timeout": "30", "pcmk_host_list": "c1"},
        operations=(Operation("monitor", "60s", "45s"),),
    )  # fmt: skip
    assert "to answer" not in said(scene(slow, nodes=("c1",)))


def intent(*devices: Primitive) -> Intent:
    """Return what an inventory of three nodes with these devices describes."""
    members = tuple(Member(name, ()) for name in THREE)
    base = Configuration(properties={"stonith-enabled": "true"}, resources=devices)
    return Intent(Membership("lab", members), {}, (), base, secret=str)


def test_a_cluster_is_not_formed_whose_nodes_would_fence_each_other() -> None:
    right = intent(*boards(power_timeout="40"))
    assert len(check_new(right, right.base)) == 3  # said, and no reason against it
    wrong = intent(*boards(("c1", "c2")), board("c3", 2))
    with pytest.raises(RefusedError, match="fence-c2 and fence-c3 are one board"):
        check_new(wrong, wrong.base)
    without = intent()
    assert check_new(without, without.base) == ()
