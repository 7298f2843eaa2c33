"""update-memcached: node by node, no item lost, never fewer than two nodes serving."""

from __future__ import annotations

import subprocess

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes, newer
from tests.cluster.watching import connected, watched

ITEMS = 100_000
"""On each node."""
TASK = "update-memcached"

# A start with the new setting fails, one with the old setting does not.
TRAP = "/etc/systemd/system/memcached.service.d/trap.conf"
SET_TRAP = f"""
printf '[Service]\\nExecStartPre=/bin/sh -c "! grep -q 4096 /etc/memcached.conf"\\n' >{TRAP}
systemctl daemon-reload
"""


@pytest.fixture(scope="module")
def restartable(bare: Cluster) -> Cluster:
    """The clone, started so that it keeps its items over a restart."""
    bare.fab("install-memcached", "--restartable", "create-memcached", check=True)
    return bare


@pytest.mark.every_image
def test_three_nodes_are_updated_without_losing_an_item(restartable: Cluster) -> None:
    on_all(lambda node: fill(restartable, node), restartable.nodes)
    before = eyes.processes(restartable)
    with watched(restartable) as serving:
        done = restartable.fab(TASK, "--yes", "--max-connections", "2048")
    assert eyes.outcomes(done, TASK) == dict.fromkeys(restartable.nodes, "changed"), done.stdout
    assert done.returncode == 0, done.stderr
    found = on_all(lambda node: count(restartable, node), restartable.nodes)
    assert found == [ITEMS] * 3
    assert f"{ITEMS} of {ITEMS} items kept" in done.stdout
    assert len(serving) > 20
    assert min(serving) >= 2
    assert max(serving) == 3
    for node, process in eyes.processes(restartable).items():
        assert process != before[node]
        said = eyes.talk(restartable, node, restartable.address(node), r"stats settings\r\n")
        assert "STAT maxconns 2048\n" in said
    assert bans(restartable) == []
    assert restartable.fab("status").returncode == 0


def test_what_is_as_desired_is_left_alone(restartable: Cluster) -> None:
    with eyes.unchanged(restartable):
        done = restartable.fab(TASK)
        planned = restartable.fab(TASK, "--max-connections", "1000", "--dry-run")
    assert eyes.outcomes(done, TASK) == dict.fromkeys(restartable.nodes, "unchanged")
    assert eyes.outcomes(planned, TASK) == dict.fromkeys(restartable.nodes, "planned")
    assert "keeps its items" in planned.stdout


@pytest.mark.long
def test_a_changed_memory_size_is_said_to_start_empty(restartable: Cluster) -> None:
    on_all(lambda node: fill(restartable, node, 1000), restartable.nodes)
    done = restartable.fab(TASK, "--yes", "--memory", "80")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "starts empty: its memory size changes" in done.stdout
    assert count(restartable, "c2", 1000) == 0


@pytest.mark.long
def test_it_stops_at_the_first_failure_and_goes_on_when_repeated(restartable: Cluster) -> None:
    restartable.run("c2", SET_TRAP)
    third = eyes.node_state(restartable, "c3")
    try:
        done = restartable.fab(TASK, "--yes", "--max-connections", "4096")
        expected = {"c1": "changed", "c2": "failed", "c3": "skipped"}
        assert eyes.outcomes(done, TASK) == expected, done.stdout + done.stderr
        assert done.returncode == 1
        assert "the old configuration was put back" in done.stdout
        assert eyes.node_state(restartable, "c3") == third
        assert "4096" not in eyes.read(restartable, "c2", eyes.config_path(restartable))
        assert bans(restartable) == []
        assert restartable.fab("status").returncode == 0
    finally:
        restartable.run("c2", f"rm -f {TRAP}; systemctl daemon-reload")
    again = restartable.fab(TASK, "--yes", "--max-connections", "4096")
    expected = {"c1": "unchanged", "c2": "changed", "c3": "changed"}
    assert eyes.outcomes(again, TASK) == expected, again.stdout + again.stderr


@pytest.mark.long
def test_a_killed_update_goes_on_when_repeated(restartable: Cluster) -> None:
    fab = subprocess.Popen(
        eyes.fab_argv(restartable, TASK, "--yes", "--max-connections", "3000"),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True,
        env=eyes.environment(), cwd=REPOSITORY_ROOT,
    )  # fmt: skip
    try:
        eyes.until(lambda: bans(restartable) == ["pacefab-update-c1"], "c1 is banned")
    finally:
        fab.kill()
        fab.communicate()
    done = restartable.fab(TASK, "--yes", "--max-connections", "3000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "c1           an earlier run was cut off here" in done.stdout
    assert bans(restartable) == []
    assert eyes.started_on(restartable) == restartable.nodes


@pytest.mark.long
def test_the_package_goes_to_its_newest_version(restartable: Cluster) -> None:
    on_all(lambda node: newer.offer(restartable, node, "memcached"), restartable.nodes)
    fill(restartable, "c1", 1000)
    done = restartable.fab(TASK, "--yes", "--package")
    again = restartable.fab(TASK, "--yes", "--package")
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.outcomes(done, TASK) == dict.fromkeys(restartable.nodes, "changed")
    for node in restartable.nodes:
        assert newer.version(restartable, node, "memcached").endswith(newer.SUFFIX)
        assert eyes.unit(restartable, node, "UnitFileState", "LoadState") == ["disabled", "loaded"]
    assert count(restartable, "c1", 1000) == 1000
    assert eyes.outcomes(again, TASK) == dict.fromkeys(restartable.nodes, "unchanged")


def fill(cluster: Cluster, node: str, items: int = ITEMS) -> None:
    """Store items on a node; they are what a client with all servers would have stored there."""
    with connected(cluster, node) as link:
        for first in range(0, items, 1000):
            lines = (
                f"set item-{n} 0 0 20 noreply\r\n{n:020}\r\n" for n in range(first, first + 1000)
            )
            link.sendall("".join(lines).encode())
        link.sendall(b"version\r\n")
        assert link.recv(100).startswith(b"VERSION")


def count(cluster: Cluster, node: str, items: int = ITEMS) -> int:
    """Return how many of the items are there, with the right value."""
    found = 0
    with connected(cluster, node) as link, link.makefile("rb") as answers:
        for first in range(0, items, 1000):
            keys = " ".join(f"item-{n}" for n in range(first, first + 1000))
            link.sendall(f"get {keys}\r\n".encode())
            while (line := answers.readline()) != b"END\r\n":
                number = int(line.split()[1].removeprefix(b"item-"))
                found += answers.readline() == f"{number:020}\r\n".encode()
    return found


def bans(cluster: Cluster) -> list[str]:
    """Return the ids of constraints that hold memcached off a node."""
    found = eyes.cib(cluster).findall(".//rsc_location[@rsc='memcached-clone']")
    return [one.get("id", "") for one in found]
