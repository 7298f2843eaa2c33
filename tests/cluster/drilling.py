"""Drills on a cluster that fences, and what is to hold after each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import docker

from pacefab.drill.faults import FAULTS
from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

# Objectives of clients are of other tests: a machine that boots takes what others would need.
OBJECTIVES = (
    "objectives: {recovery: 90s, worst_stall: 60s, vip_away: 90s, client_errors: 1000000}\n"
)
LEFT = (
    "ls -d /var/lib/pacefab/drill* /run/pacefab-drill-frozen 2>/dev/null; "
    "systemctl list-units --all --no-legend 'pacefab-drill*'; "
    "nft list tables | grep pacefab; for each in /proc/[0-9]*; do "
    "grep -l '^State:.T' $each/status 2>/dev/null; done; true"
)


def started(cluster: Cluster) -> Mapping[str, str]:
    """Return since when each node has power, by the engine."""
    engine = docker.from_env()
    return {
        node: engine.containers.get(name).attrs["State"]["StartedAt"]
        for node, name in cluster.members.items()
    }


def write_inventory(cluster: Cluster, folder: Path, rest: str = "") -> Path:
    """Write the inventory of a cluster with objectives that a slow machine meets."""
    inventory = folder / "cluster.yaml"
    nodes = ", ".join(cluster.nodes)
    inventory.write_text(f"cluster: {cluster.name}\nnodes: [{nodes}]\n{OBJECTIVES}{rest}")
    return inventory


def drill(
    cluster: Cluster, node: str, folder: Path, *arguments: str, rest: str = ""
) -> list[dict[str, Any]]:
    """Drill on a node, which has to pass; return what is reported of each failure.

    `rest` is what the inventory has besides its nodes.
    """
    inventory, file = write_inventory(cluster, folder, rest), folder / "drill.json"
    done = cluster.fab(
        "drill", *arguments, "--node", node, "--yes-break", cluster.name,
        "--inventory", str(inventory), "--json", str(file), timeout=2000,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    found: list[dict[str, Any]] = json.loads(file.read_text())["drills"]
    return found


def _is_clean(cluster: Cluster, node: str) -> bool:
    return cluster.run(node, LEFT).stdout == ""


def assert_left_nothing(cluster: Cluster) -> None:
    """Wait until nothing of a drill is on any node."""
    for node in cluster.nodes:
        eyes.until(partial(_is_clean, cluster, node), f"nothing is left on {node}", 10)


def assert_survives(cluster: Cluster, folder: Path, kind: str, victim: str, turn: int) -> None:
    """Assert that a drill fences nobody but its node, and that nothing is active twice."""
    before = started(cluster)
    (found,) = drill(cluster, victim, folder, "--kind", kind)
    after = started(cluster)
    gone = [node for node in cluster.nodes if before[node] != after[node]]
    assert found["fencing"]["switched_off"] == gone, turn
    fault = FAULTS[kind]
    assert gone in ([[victim]] if fault.fenced and not fault.recovers else [[], [victim]])
    assert found["fencing"]["recorded"] == cluster.nodes
    assert found["fencing"]["active_twice"] == []
    assert_left_nothing(cluster)
