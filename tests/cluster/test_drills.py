"""Drills on a real cluster under a real load: every kind, the report, and what undoes them."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes
from tests.cluster.browser import Page

pytestmark = pytest.mark.quiet

VICTIM = "c3"
# Those that need fencing, and those of the cluster's own programs, are test_power_drills.py's.
KINDS = ["process", "stop-node", "standby", "partition", "pause"]
VIP = "vip-drill"
RUNNING = {"S", "R", "D"}  # the kernel's letters for a process that nothing has stopped
# The classic clone's monitor comes once in 60 s; the suite has not the time.
MONITOR = "pcs resource update memcached op monitor interval=10s timeout=100s"
OBJECTIVES = "objectives: {recovery: 40s, worst_stall: 2s, vip_away: 15s}\n"


@pytest.fixture(scope="module")
def healthy(serving: Cluster) -> Cluster:
    """The serving cluster with a VIP on the victim and a quicker monitor."""
    address = serving.address("c1").rpartition(".")[0] + ".100"
    vip = f"ocf:heartbeat:IPaddr2 ip={address} cidr_netmask=24 op monitor interval=10s"
    serving.run(
        "c1",
        f"{MONITOR} && pcs resource create {VIP} {vip} && "
        f"pcs constraint location {VIP} prefers {VICTIM}=100",
    )
    eyes.until(lambda: address in serving.run(VICTIM, "ip addr").stdout, "the VIP is on the victim")
    serving.run("c1", "crm_resource --wait --timeout 60", timeout=90)
    return serving


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("drills")


@pytest.fixture(scope="module")
def done(healthy: Cluster, folder: Path) -> eyes.Done:
    """One run of those kinds, on one node."""
    inventory = folder / "cluster.yaml"
    inventory.write_text(f"cluster: {healthy.name}\nnodes: [c1, c2, c3]\n{OBJECTIVES}")
    files = ["--json", str(folder / "drill.json"), "--report", str(folder / "drill.html")]
    return healthy.fab(
        "drill", "--kind", ",".join(KINDS), "--node", VICTIM, "--hold", "4",
        "--yes-break", healthy.name, "--inventory", str(inventory), *files, timeout=400,
    )  # fmt: skip


@pytest.fixture(scope="module")
def report(done: eyes.Done, folder: Path) -> dict[str, Any]:
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads((folder / "drill.json").read_text())
    return found


@pytest.fixture(params=KINDS)
def drill(request: pytest.FixtureRequest, report: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in report["drills"] if one["kind"] == request.param)
    return found


def test_every_objective_is_met_and_the_cluster_healthy(
    healthy: Cluster, report: dict[str, Any]
) -> None:
    assert report["passed"]
    assert report["healthy_after"]
    assert report["objectives"]["recovery"] == 40
    assert [one["kind"] for one in report["drills"]] == KINDS
    assert healthy.fab("status").returncode == 0


def test_clients_see_no_error_under_thousands_of_operations(
    report: dict[str, Any], drill: dict[str, Any]
) -> None:
    # How many come about in a second is the machine's; each that was asked for is one or two.
    assert drill["operations"] > 2000
    assert drill["operations_per_second"] <= 2 * report["load"]["operations_per_second"]
    assert drill["client_errors"] == 0
    assert drill["worst_stall_seconds"] <= report["objectives"]["worst_stall"]
    assert drill["hit_ratio"]["before"] > 0.99


def test_everything_runs_again_without_a_human(drill: dict[str, Any]) -> None:
    assert 0 < drill["recovered_seconds"] < 40
    if drill["kind"] == "pause":
        assert drill["noticed_seconds"] is None  # systemd calls a hung process active
    else:
        assert 0 < drill["noticed_seconds"] < 30


def test_items_are_lost_where_memcached_ended_and_only_there(drill: dict[str, Any]) -> None:
    items = drill["items"]
    if drill["kind"] == "pause":
        assert items["lost"] == 0
    else:  # a third of them were on the victim
        assert 0.25 < items["lost"] / items["stored"] < 0.42


def test_the_vip_moves_when_its_node_is_lost(drill: dict[str, Any]) -> None:
    moves = {vip["resource"]: vip for vip in drill["vips"]}
    if drill["kind"] in {"process", "pause"}:
        assert moves == {}
    else:
        assert moves[VIP]["from"] == VICTIM
        assert moves[VIP]["to"] in {"c1", "c2"}
        assert 0 < moves[VIP]["away_seconds"] < 15


def test_nothing_of_a_drill_is_left_on_the_node(healthy: Cluster, report: dict[str, Any]) -> None:
    assert_clean(healthy)


def test_the_page_shows_the_numbers_of_the_json(
    report: dict[str, Any], folder: Path, tmp_path: Path
) -> None:
    page = Page(folder / "drill.html", tmp_path / "profile")
    assert page.console == []
    path = "//table[@id='objectives']//td[@data-objective]"
    names, values = page.values(f"{path}/@data-objective"), page.values(f"{path}/@data-measured")
    shown = list(zip(names, map(json.loads, values), strict=True))
    goals = [goal for one in report["drills"] for goal in one["objectives"]]
    assert shown == [(goal["objective"], goal["measured"]) for goal in goals]


def test_a_killed_drill_is_undone_by_hand(healthy: Cluster) -> None:
    fab = start(healthy, "partition")
    eyes.until(lambda: "c3" not in online(healthy), "the others miss the node", 60)
    fab.kill()
    fab.communicate()
    assert "pacefab-drill-undo.timer" in timers(healthy)
    refused = healthy.fab("drill", "--kind", "pause", "--yes-break", healthy.name)
    eyes.assert_refused(refused, "c3: partition", "fab drill --undo")
    undone = healthy.fab("drill", "--undo")
    assert undone.returncode == 0, undone.stdout + undone.stderr
    expected = {"c1": "unchanged", "c2": "unchanged", "c3": "changed"}
    assert eyes.outcomes(undone, "drill-undo") == expected
    assert "partition undone" in undone.stdout
    assert_clean(healthy)
    assert eyes.started_on(healthy) == healthy.nodes
    assert "nothing to undo" in healthy.fab("drill", "--undo", check=True).stdout


def test_the_node_undoes_a_drill_by_itself(healthy: Cluster) -> None:
    fab = start(healthy, "pause")
    eyes.until(lambda: process_state(healthy) == "T", "memcached is stopped by the signal", 40)
    fab.kill()
    fab.communicate()
    # What the timer starts; it would come minutes later.
    healthy.run(VICTIM, "systemctl start pacefab-drill-undo.service")
    assert process_state(healthy) in RUNNING
    assert "pause" not in healthy.run(VICTIM, "cat /var/lib/pacefab/drill/kind", check=False).stdout
    # What records would end by itself minutes later.
    assert "nothing to undo" in healthy.fab("drill", "--undo", check=True).stdout
    assert_clean(healthy)


def test_ctrl_c_undoes_it_at_once(healthy: Cluster) -> None:
    fab = start(healthy, "pause")
    eyes.until(lambda: process_state(healthy) == "T", "memcached is stopped by the signal", 40)
    fab.send_signal(signal.SIGINT)
    text, _ = fab.communicate(timeout=20)
    assert fab.returncode == 130, text
    assert "undoing it" in text
    assert process_state(healthy) in RUNNING
    assert_clean(healthy)


def test_it_is_undone_though_nobody_reads_any_more(healthy: Cluster) -> None:
    fab = start(healthy, "pause", hold=2)
    assert fab.stdout
    fab.stdout.readline()
    fab.stdout.close()  # as head does once it has its lines
    assert fab.wait(timeout=120) == 141
    assert process_state(healthy) in RUNNING
    assert_clean(healthy)


def test_it_asks_for_the_clusters_name(healthy: Cluster) -> None:
    with eyes.unchanged(healthy):
        wrong = healthy.fab("drill", "--kind", "process", "--yes-break", "other")
        silent = healthy.fab("drill", "--kind", "process")
    eyes.assert_refused(wrong, f"the cluster is {healthy.name}, not other", status=1)
    eyes.assert_refused(silent, f"--yes-break {healthy.name}", status=2)


@pytest.mark.parametrize("typed", ["other", ""])
def test_another_name_at_a_terminal_breaks_nothing(healthy: Cluster, typed: str) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, f"{typed}\n".encode())
    with eyes.unchanged(healthy):
        done = subprocess.run(
            eyes.fab_argv(healthy, "drill", "--kind", "process"), stdin=theirs, text=True,
            capture_output=True, check=False, timeout=60, env=eyes.environment(),
            cwd=REPOSITORY_ROOT,
        )  # fmt: skip
    assert f"type {healthy.name} to break it" in done.stderr
    eyes.assert_refused(done, f"not {typed or 'nothing'}", status=1)


def test_it_refuses_where_its_load_could_not_run(healthy: Cluster) -> None:
    rule = f"INPUT ! -s {healthy.address('c1')} -p tcp --dport {eyes.PORT} -j DROP"
    with_peers = f"INPUT -s {healthy.address('c2')} -p tcp --dport {eyes.PORT} -j ACCEPT"
    healthy.run(VICTIM, f"iptables -A {with_peers} && iptables -A {rule}")
    try:
        with eyes.unchanged(healthy):
            done = healthy.fab("drill", "--kind", "process", "--yes-break", healthy.name)
    finally:
        healthy.run(VICTIM, f"iptables -D {with_peers}; iptables -D {rule}")
    eyes.assert_refused(done, "from this machine", f"{VICTIM} at", "nothing was broken")


def test_it_refuses_a_cluster_with_a_node_in_standby(healthy: Cluster) -> None:
    healthy.run("c1", "crm_attribute --node c2 --name standby --lifetime reboot --update on")
    try:
        done = healthy.fab("drill", "--kind", "process", "--yes-break", healthy.name)
    finally:
        healthy.run("c1", "crm_attribute --node c2 --name standby --lifetime reboot --delete")
        healthy.run("c1", "crm_resource --wait --timeout 60", timeout=90)
    eyes.assert_refused(done, "c2 is in standby", "pcs node unstandby c2", "nothing was broken")


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("process,power", "fencing is disabled in this cluster"),
        ("fence-race", "it is for a cluster of 2 nodes, and this one has 3"),
    ],
)
def test_it_refuses_what_the_cluster_cannot_have(healthy: Cluster, kind: str, why: str) -> None:
    with eyes.unchanged(healthy):
        done = healthy.fab("drill", "--kind", kind, "--yes-break", healthy.name)
    eyes.assert_refused(done, why, "nothing was broken", status=1)


def start(cluster: Cluster, kind: str, hold: int = 300) -> subprocess.Popen[str]:
    """Start a drill; by default it would go on for minutes."""
    last = ["--hold", str(hold), "--yes-break", cluster.name]
    arguments = ["--kind", kind, "--node", VICTIM, *last]
    return eyes.start(cluster, "drill", *arguments)


def online(cluster: Cluster) -> str:
    return cluster.run("c1", "crm_node --partition").stdout


def timers(cluster: Cluster) -> str:
    return cluster.run(VICTIM, "systemctl list-units --type=timer --no-legend").stdout


def process_state(cluster: Cluster) -> str:
    """Return the kernel's letter for memcached: T was stopped by a signal."""
    return cluster.run(VICTIM, "ps -o state= -C memcached", check=False).stdout.strip()


def assert_clean(cluster: Cluster) -> None:
    for node in cluster.nodes:
        assert cluster.run(node, "ls -d /var/lib/pacefab/drill*", check=False).stdout == ""
    assert "pacefab_drill" not in cluster.run(VICTIM, "nft list tables").stdout
    eyes.until(lambda: "pacefab-drill" not in timers(cluster), "the timer is gone", 5)
