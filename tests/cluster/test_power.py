"""Management boards: a cluster of the harness fences its nodes for real, and boards have faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from pacefab.harness import power
from pacefab.harness.cluster import Cluster
from pacefab.harness.power import BoardFault, wiring
from pacefab.waiting import Pending, wait_until

# Asks a board whether it speaks IPMI 2.0 (Get Channel Authentication Capabilities), which needs no
# password: prints how many bytes came back.
HELLO = """
import socket
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(3)
    asking.sendto(bytes.fromhex("0600ff07000000000000000000092018c88100388e04b5"), ("%s", %d))
    try:
        print(len(asking.recv(100)))
    except TimeoutError:
        print("no answer")
"""


@pytest.fixture
def board(fenced_cluster: Cluster) -> Iterator[str]:
    """The node whose board has a fault; it has none afterwards."""
    node = fenced_cluster.nodes[-1]
    yield node
    power.plant(fenced_cluster.folder, node)


def ask(cluster: Cluster, node: str, action: str, seconds: int = 60) -> int:
    """Let the first node's fence agent ask or switch the board of a node; return how it ended.

    0: it is on, or it was done; 2: it is off; 1: no. `seconds` is how long power may take.
    """
    wired = wiring.read(cluster.folder)
    of = wired.boards[node]
    options = {
        "action": action, "ip": wired.address, "ipport": of.port, "lanplus": 1,
        "username": wired.user, "password": of.password, "power_timeout": seconds,
        "shell_timeout": 5,
    }  # fmt: skip
    said = "".join(f"{name}={value}\n" for name, value in options.items())
    return cluster.run(
        cluster.nodes[0], "fence_ipmilan", stdin=said, check=False, timeout=120
    ).returncode


def fence(cluster: Cluster, how: str, node: str) -> None:
    """Let Pacemaker fence a node, and wait until it is done."""
    cluster.run(cluster.nodes[0], f"stonith_admin --{how} {node} --timeout 100", timeout=150)


def started(cluster: Cluster) -> dict[str, str]:
    """Return since when each node runs."""
    engine = docker.from_env()
    return {
        node: engine.containers.get(name).attrs["State"]["StartedAt"]
        for node, name in cluster.containers.items()
    }


def wait_back(cluster: Cluster, node: str) -> None:
    """Wait until a node that was given power has booted, and is a member again."""
    back = wait_until(lambda: cluster.container(node).status == "running" or Pending(), 60)
    assert back is True
    cluster.wait_formed()


def greet(cluster: Cluster, fenced_cluster: Cluster) -> str:
    """Let a node of one cluster speak to a board of another."""
    wired = wiring.read(fenced_cluster.folder)
    port = wired.boards[fenced_cluster.nodes[0]].port
    return cluster.run(
        cluster.nodes[0], "python3 -", stdin=HELLO % (wired.address, port)
    ).stdout.strip()


def verified(cluster: Cluster, *options: str) -> dict[str, Any]:
    """Return what verify-fencing found, its failures by what was checked where."""
    done = cluster.fab("verify-fencing", "--json", *options)
    passwords = [board.password for board in wiring.read(cluster.folder).boards.values()]
    assert not any(password in done.stdout + done.stderr for password in passwords)
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["ok"] else 1)
    return {
        # Whether Pacemaker has noticed a fault yet is a matter of the moment.
        "failed": {
            check["where"]: check["seen"]
            for check in found["checks"]
            if not check["ok"] and check["name"] != "device runs"
        },
        "answers": len([answer for answer in found["answers"] if answer["ok"]]),
        "last_fenced": {node["node"]: node["last_fenced"] for node in found["nodes"]},
        "notices": "\n".join(found["notices"]),
    }


@pytest.fixture
def boards(fenced_cluster: Cluster) -> Iterator[Cluster]:
    """A cluster whose boards have faults; they have none afterwards."""
    yield fenced_cluster
    for node in fenced_cluster.nodes:
        power.plant(fenced_cluster.folder, node)


def test_fencing_is_verified_and_nothing_is_switched(fenced_cluster: Cluster) -> None:
    before = started(fenced_cluster)
    found = verified(fenced_cluster)
    assert found["failed"] == {}
    assert found["answers"] == len(fenced_cluster.nodes) ** 2
    assert "only a real fencing shows" in found["notices"]
    assert started(fenced_cluster) == before


def test_a_plan_that_would_fence_another_node_is_refused(
    fenced_cluster: Cluster, tmp_path: Path
) -> None:
    wired = wiring.read(fenced_cluster.folder)
    ports = {node: board.port for node, board in wired.boards.items()}
    first, second, third = fenced_cluster.nodes
    file = tmp_path / "cluster.yaml"

    def plan(more: str = "") -> str:
        per_node = ", ".join(f"{node}: {{ipport: {port}}}" for node, port in ports.items())
        file.write_text(
            f"cluster: {fenced_cluster.name}\nnodes: [{', '.join(ports)}]\n"
            "fencing: {devices: {ipmi: {agent: fence_ipmilan, "
            f"parameters: {{ip: {wired.address}, password: {{secret: board}}}}, "
            f"per_node: {{{per_node}}}}}}}}}\n{more}"
        )
        secret = {"PACEFAB_SECRET_BOARD": "x"}
        done = fenced_cluster.fab("plan", "--inventory", str(file), env=secret)
        return done.stdout + done.stderr

    assert "add fencing device ipmi-" in plan()
    away = (
        f"{{resource: ipmi-{third}, node: {node}, score: -INFINITY}}" for node in (first, second)
    )
    alone = f"ipmi-{third} may run on {third} alone, the node that it fences"
    assert alone in plan(f"constraints: {{location: [{', '.join(away)}]}}\n")
    ports[third] = ports[second]
    assert f"ipmi-{second} and ipmi-{third} are one board" in plan()


def test_sbd_is_planned_and_waits_for_a_restart(fenced_cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "cluster.yaml"
    nodes = ", ".join(fenced_cluster.nodes)
    file.write_text(
        f"cluster: {fenced_cluster.name}\nnodes: [{nodes}]\nfencing: {{sbd: {{timeout: 7}}}}\n"
    )
    planned = fenced_cluster.fab("plan", "--inventory", str(file)).stdout
    assert "SBD, not in this run (not proven on a real watchdog)" in planned
    assert "package sbd installed" in planned
    assert "SBD_WATCHDOG_TIMEOUT=7" in planned
    assert "sbd.service enabled" in planned
    assert "stonith-watchdog-timeout" not in planned
    assert "SBD does not run on this cluster yet" in planned


def test_a_node_is_fenced_and_comes_back(fenced_cluster: Cluster) -> None:
    target, before = fenced_cluster.nodes[-1], started(fenced_cluster)
    fence(fenced_cluster, "reboot", target)
    wait_back(fenced_cluster, target)
    after = started(fenced_cluster)
    assert [node for node in fenced_cluster.nodes if before[node] != after[node]] == [target]
    done = fenced_cluster.fab("status")
    assert "fencing is disabled" not in done.stdout
    assert f"fence-{target}" in done.stdout
    assert "notice: fencing is configured and not proven: no fencing of" in done.stdout
    assert verified(fenced_cluster)["last_fenced"][target] is not None
    # Pacemaker's own memory of it ends with the cluster; the nodes' note does not.
    fenced_cluster.run(fenced_cluster.nodes[0], "stonith_admin --cleanup --history '*'")
    assert verified(fenced_cluster)["last_fenced"][target] is not None


def test_a_board_does_what_it_is_asked(fenced_cluster: Cluster, board: str) -> None:
    assert ask(fenced_cluster, board, "status") == 0
    # By Pacemaker, which would fence a node that it has lost otherwise.
    fence(fenced_cluster, "fence", board)
    assert ask(fenced_cluster, board, "status") == 2
    power.plant(fenced_cluster.folder, board, BoardFault.DIES_WITH_NODE)
    assert ask(fenced_cluster, board, "status") == 1
    power.plant(fenced_cluster.folder, board)
    assert ask(fenced_cluster, board, "on") == 0
    wait_back(fenced_cluster, board)


@pytest.mark.parametrize(
    ("fault", "action", "outcome"),
    [
        (BoardFault.WRONG_PASSWORD, "status", 1),
        (BoardFault.HANGS, "status", 1),
        (BoardFault.WRONG_STATE, "status", 2),
        (BoardFault.DOES_NOTHING, "off", 1),
        (BoardFault.SOFT_OFF, "off", 1),
        (BoardFault.NEVER_OFF, "off", 1),
        (BoardFault.SLOW, "status", 1),
    ],
)
def test_a_fault_is_what_an_agent_meets(
    fenced_cluster: Cluster, board: str, fault: BoardFault, action: str, outcome: int
) -> None:
    before = started(fenced_cluster)
    power.plant(fenced_cluster.folder, board, fault)
    assert ask(fenced_cluster, board, action, seconds=3) == outcome
    assert started(fenced_cluster) == before


def test_boards_answer_their_own_cluster_only(fenced_cluster: Cluster, cluster: Cluster) -> None:
    assert greet(fenced_cluster, fenced_cluster) == "30"
    assert greet(cluster, fenced_cluster) == "no answer"


# Last: Pacemaker may find the faults too, and then stop a device.
def test_what_reading_can_see_of_a_board_is_found(boards: Cluster) -> None:
    first, second, third = boards.nodes
    power.plant(boards.folder, first, BoardFault.WRONG_PASSWORD)
    power.plant(boards.folder, second, BoardFault.WRONG_STATE)
    power.plant(boards.folder, third, BoardFault.DIES_WITH_NODE)
    before = started(boards)
    found = verified(boards, "--timeout", "45")["failed"]
    state = f"it says that {second} is off, and {second} is online"
    assert found.pop(f"{second} by fence-{second}") == state
    asked = {f"fence-{first} (asked from {node} about {first})" for node in boards.nodes}
    assert found.keys() == asked
    assert all(seen.startswith("the board refuses the password") for seen in found.values())
    assert started(boards) == before


def test_a_board_that_hangs_costs_one_limit_and_what_needs_a_test_is_not_called_proven(
    boards: Cluster,
) -> None:
    first, second, third = boards.nodes
    power.plant(boards.folder, first, BoardFault.HANGS)
    power.plant(boards.folder, second, BoardFault.SLOW)
    power.plant(boards.folder, third, BoardFault.DOES_NOTHING)
    found = verified(boards, "--timeout", "10")
    slow = (
        f"fence-{n} (asked from {node} about {n})" for n in (first, second) for node in boards.nodes
    )
    assert found["failed"] == dict.fromkeys(slow, "no answer within 10 s")
    assert "only a real fencing shows" in found["notices"]
