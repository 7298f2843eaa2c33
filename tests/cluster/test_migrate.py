"""The classic part of a legacy tree, migrated and deployed on bare nodes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.test_deploy import LISTING, fab
from tests.harness.cluster import REPOSITORY_ROOT, Cluster

SCRIPTS = REPOSITORY_ROOT / "tests" / "data" / "legacy" / "openstack" / "scripts"
CLASSIC = ("readini.sh", "cluster_variables.ini", "[1-4]_*.sh", "node_cluster_*.sh",
           "node_haproxy_*.sh", "node_galera_*.sh")  # fmt: skip


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `invoke migrate` makes of the scripts for cluster, HAProxy, VIPs, Galera, memcached."""
    folder = tmp_path_factory.mktemp("classic")
    for file in (found for name in CLASSIC for found in SCRIPTS.glob(name)):
        shutil.copy(file, folder)
    target = tmp_path_factory.mktemp("migrated") / "classic.yaml"
    argv = [f"{Path(sys.executable).parent}/invoke", "migrate", "--from", str(folder), "--to",
            str(target)]  # fmt: skip
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120,
                          cwd=REPOSITORY_ROOT)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return target


def test_migrated_scripts_become_the_classic_stack(
    openstack_nodes: Cluster, inventory: Path
) -> None:
    deployed = fab(openstack_nodes, "deploy", "--yes", inventory=inventory)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr

    shown = fab(openstack_nodes, "status", "--format", "classic", inventory=inventory)

    assert shown.stdout == LISTING, shown.stdout + shown.stderr
    again = fab(openstack_nodes, "plan", inventory=inventory)
    assert again.returncode == 0, again.stdout + again.stderr
