"""Drills on two nodes that fence each other: one survives, by a delay or a quorum device."""

from __future__ import annotations

from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.plugin import ClusterFactory
from tests.cluster import drilling, eyes
from tests.cluster.test_bootstrap import SECRETS
from tests.cluster.test_power_shapes import assert_healthy

pytestmark = pytest.mark.long

NODES = SURVIVOR, VICTIM = ("c1", "c2")
DEVICE = "q1"
FENCED = ["fence-race", "partition", "power", "freeze"]


@pytest.fixture(scope="module")
def delayed(cluster_factory: ClusterFactory) -> Cluster:
    """Two nodes without a quorum device: the fencing of one waits, so that it survives."""
    found = cluster_factory(nodes=NODES, fencing=True)
    found.run(SURVIVOR, f"pcs stonith update fence-{SURVIVOR} pcmk_delay_base=10s")
    found.fab("install-memcached", "create-memcached", check=True)
    return found


@pytest.fixture(scope="module")
def arbitrated(
    cluster_factory: ClusterFactory, tmp_path_factory: pytest.TempPathFactory
) -> Cluster:
    """Two nodes of which a quorum device says which one goes on: by default the lower one."""
    found = cluster_factory(nodes=NODES, hosts=(DEVICE,), fencing=True)
    found.fab("install-memcached", "create-memcached", check=True)
    file = tmp_path_factory.mktemp("inventory") / "cluster.yaml"
    nodes = [f"  - {{name: {n}, address: {found.address(n)}}}" for n in NODES]
    device = f"corosync: {{qdevice: {{host: {found.address(DEVICE)}, algorithm: ffsplit}}}}"
    file.write_text("\n".join([f"cluster: {found.name}", "nodes:", *nodes, device, ""]))
    done = found.fab("setup-qnetd", hosts=(DEVICE,), env=SECRETS)
    assert done.returncode == 0, done.stdout + done.stderr
    found.fab("deploy", "--yes", "--inventory", str(file), env=SECRETS, check=True)
    eyes.until(
        lambda: all("Qdevice" in found.run(n, "corosync-quorumtool -s").stdout for n in NODES),
        "the quorum device has a vote on both nodes",
    )
    return found


def test_nothing_is_found_in_a_healthy_pair_with_a_delay(delayed: Cluster) -> None:
    assert_healthy(delayed)


def test_nothing_is_found_in_a_healthy_pair_with_a_quorum_device(arbitrated: Cluster) -> None:
    assert_healthy(arbitrated)


@pytest.mark.parametrize("turn", range(10))
@pytest.mark.parametrize("kind", FENCED)
def test_by_a_delay_exactly_one_survives(
    delayed: Cluster, tmp_path: Path, kind: str, turn: int
) -> None:
    drilling.assert_survives(delayed, tmp_path, kind, VICTIM, turn)


@pytest.mark.parametrize("turn", range(10))
@pytest.mark.parametrize("kind", [*FENCED, "corosync", "corosync-stop", "pacemakerd"])
def test_by_a_quorum_device_exactly_one_survives(
    arbitrated: Cluster, tmp_path: Path, kind: str, turn: int
) -> None:
    drilling.assert_survives(arbitrated, tmp_path, kind, VICTIM, turn)
