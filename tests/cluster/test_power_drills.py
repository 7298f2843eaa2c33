"""Drills on a cluster that fences: nodes lose their power, and nothing is active on two of them."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from pacefab.drill.faults import FAULTS
from pacefab.harness import power
from pacefab.harness.cluster import Cluster
from pacefab.harness.power import BoardFault
from tests.cluster import drilling, eyes

pytestmark = pytest.mark.quiet

VICTIM = "c3"
VIP = "vip-drill"
SHORT = ("power",)


@pytest.fixture(scope="module")
def fenced(fenced_cluster: Cluster) -> Cluster:
    """A cluster that fences, with memcached everywhere and a VIP on the victim."""
    address = fenced_cluster.address("c1").rpartition(".")[0] + ".100"
    fenced_cluster.fab("install-memcached", "create-memcached", check=True)
    fenced_cluster.run(
        "c1",
        f"pcs resource create {VIP} ocf:heartbeat:IPaddr2 ip={address} cidr_netmask=24 "
        f"op monitor interval=10s && pcs constraint location {VIP} prefers {VICTIM}=100",
    )
    fenced_cluster.run("c1", "crm_resource --wait --timeout 60", timeout=90)
    return fenced_cluster


@pytest.fixture(scope="module")
def done(
    fenced: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[dict[str, Any]], list[str]]:
    """The short run, and the nodes that the engine gave power again meanwhile."""
    before = drilling.started(fenced)
    found = drilling.drill(fenced, VICTIM, tmp_path_factory.mktemp("drills"), "--kind", *SHORT)
    after = drilling.started(fenced)
    return found, [node for node in fenced.nodes if before[node] != after[node]]


@pytest.fixture(params=SHORT)
def one(
    request: pytest.FixtureRequest, done: tuple[list[dict[str, Any]], list[str]]
) -> dict[str, Any]:
    return next(each for each in done[0] if each["kind"] == request.param)


def test_the_right_node_goes_off_its_resources_move_and_it_is_back(one: dict[str, Any]) -> None:
    fencing = one["fencing"]
    assert fencing["switched_off"] == [VICTIM]
    assert 0 < fencing["off_seconds"] < fencing["elsewhere_seconds"] < fencing["back_seconds"]
    assert fencing["off_seconds"] < 60
    (move,) = [vip for vip in one["vips"] if vip["resource"] == VIP]
    assert move["from"] == VICTIM


def test_nothing_was_active_on_two_nodes_at_once(one: dict[str, Any]) -> None:
    fencing = one["fencing"]
    assert fencing["recorded"] == ["c1", "c2", VICTIM]
    assert fencing["active_twice"] == []
    assert fencing["wrong"] == []


def test_the_engine_saw_the_same_and_nothing_is_left(
    fenced: Cluster, done: tuple[list[dict[str, Any]], list[str]]
) -> None:
    assert done[1] == [VICTIM]
    drilling.assert_left_nothing(fenced)
    assert fenced.fab("status").returncode == 0


def test_a_drill_is_the_last_proof_that_the_nodes_note(
    fenced: Cluster, done: tuple[list[dict[str, Any]], list[str]]
) -> None:
    for node in fenced.nodes:
        note = fenced.run(node, "cat /var/lib/pacefab/fencing").stdout
        assert VICTIM in [json.loads(line)["node"] for line in note.splitlines()]


@pytest.mark.long
def test_what_a_fenced_node_has_left_is_found_and_undone(fenced: Cluster) -> None:
    """The operator's machine dies, the node is fenced, and its cluster does not start at boot."""
    fenced.run(VICTIM, "systemctl disable --quiet corosync pacemaker")
    fab = eyes.start(
        fenced, "drill", "--kind", "power", "--node", VICTIM, "--yes-break", fenced.name
    )
    before = drilling.started(fenced)
    eyes.until(lambda: drilling.started(fenced)[VICTIM] != before[VICTIM], "it is fenced", 120)
    fab.kill()
    fab.communicate()
    eyes.until(lambda: fenced.run(VICTIM, "true", check=False).returncode == 0, "it is up", 60)
    undone = fenced.fab("drill", "--undo")
    fenced.run(VICTIM, "systemctl enable --quiet corosync pacemaker")
    assert undone.returncode == 0, undone.stdout + undone.stderr
    assert "power undone" in undone.stdout
    fenced.wait_formed()
    drilling.assert_left_nothing(fenced)


@pytest.mark.long
def test_fencing_that_does_nothing_is_what_a_drill_says(fenced: Cluster, tmp_path: Path) -> None:
    power.plant(fenced.folder, VICTIM, BoardFault.DOES_NOTHING)
    try:
        done = fenced.fab(
            "drill", "--kind", "power", "--node", VICTIM, "--yes-break", fenced.name, timeout=600
        )
    finally:
        power.plant(fenced.folder, VICTIM)
    assert done.returncode == 1
    assert f"{VICTIM} was to be fenced, and no node was" in done.stdout


@pytest.mark.long
def test_a_node_that_stays_off_is_measured_and_the_report_says_what_is_left(
    fenced: Cluster, tmp_path: Path
) -> None:
    device = f"pcs stonith update fence-{VICTIM} pcmk_reboot_action="
    fenced.run("c1", f"{device}off")
    file = tmp_path / "drill.json"
    begun = time.monotonic()
    done = fenced.fab(
        "drill", "--kind", "power", "--node", VICTIM, "--yes-break", fenced.name,
        "--json", str(file), timeout=1000,
    )  # fmt: skip
    lasted = time.monotonic() - begun
    try:
        assert done.returncode == 1
        report = json.loads(file.read_text())
        assert report["drills"][0]["fencing"]["switched_off"] == [VICTIM]
        assert any(VICTIM in reason for reason in report["reasons"]), report["reasons"]
        assert f"{VICTIM} is off" in done.stdout, done.stdout + done.stderr
        assert lasted < 240
    finally:
        fenced.run("c1", device)
        fenced.container(VICTIM).start()
        fenced.wait_formed()
    assert fenced.fab("drill", "--undo").returncode == 0


@pytest.mark.long
@pytest.mark.parametrize("turn", range(10))
@pytest.mark.parametrize(
    "kind", ["power", "freeze", "partition", "corosync", "corosync-stop", "pacemakerd"]
)
def test_each_kind_ten_times(fenced: Cluster, tmp_path: Path, kind: str, turn: int) -> None:
    drilling.assert_survives(fenced, tmp_path, kind, VICTIM, turn)


@pytest.mark.long
def test_all_leaves_out_what_the_cluster_cannot_have(fenced: Cluster, tmp_path: Path) -> None:
    found = drilling.drill(fenced, VICTIM, tmp_path, "--all")
    assert [each["kind"] for each in found] == [kind for kind in FAULTS if kind != "fence-race"]
