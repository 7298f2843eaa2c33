"""Legacy scripts, migrated: deployed on bare nodes, and adopted where they built a cluster."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster.test_deploy import LISTING, fab
from tests.cluster.test_legacy import LEGACY, run_legacy

SCRIPTS = REPOSITORY_ROOT / "tests" / "data" / "legacy" / "openstack" / "scripts"
CLASSIC = ("readini.sh", "cluster_variables.ini", "[1-4]_*.sh", "node_cluster_*.sh",
           "node_haproxy_*.sh", "node_galera_*.sh")  # fmt: skip


BUILD = """\
pcs property set cluster-recheck-interval=5min
pcs resource defaults update resource-stickiness=100
pcs node attribute c1 rack=a
pcs resource create web ocf:pacemaker:Dummy fake=x op monitor interval=20s --group front
pcs resource create page ocf:pacemaker:Dummy --group front
pcs resource create everywhere ocf:pacemaker:Dummy clone interleave=true
pcs constraint order start memcached-clone then front kind=Optional
pcs constraint colocation add front with memcached-clone
pcs constraint location front rule score=50 rack eq a
"""


def migrate(*arguments: str | Path) -> None:
    """Run `invoke migrate`."""
    argv = [f"{Path(sys.executable).parent}/invoke", "migrate", *map(str, arguments)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120,
                          cwd=REPOSITORY_ROOT)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def history(cluster: Cluster) -> list[str]:
    """Return what Pacemaker ever started or stopped, and the processes that run."""
    text = cluster.run("c1", "cibadmin --query --scope status").stdout
    done = [f"{op.get('id')} {op.get('operation')} {op.get('call-id')} {op.get('last-rc-change')}"
            for op in etree.fromstring(text).iter("lrm_rsc_op")
            if op.get("operation") in {"start", "stop"}]  # fmt: skip
    pids = [f"{node} {cluster.run(node, 'pgrep -x memcached').stdout}" for node in cluster.nodes]
    return sorted([*done, *pids])


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `invoke migrate` makes of the scripts for cluster, HAProxy, VIPs, Galera, memcached."""
    folder = tmp_path_factory.mktemp("classic")
    for file in (found for name in CLASSIC for found in SCRIPTS.glob(name)):
        shutil.copy(file, folder)
    target = tmp_path_factory.mktemp("migrated") / "classic.yaml"
    migrate("--from", folder, "--to", target)
    return target


@pytest.mark.long
def test_migrated_scripts_become_the_classic_stack(
    openstack_nodes: Cluster, inventory: Path
) -> None:
    deployed = fab(openstack_nodes, "deploy", "--yes", inventory=inventory)
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr

    shown = fab(openstack_nodes, "status", "--format", "classic", inventory=inventory)

    assert shown.stdout == LISTING, shown.stdout + shown.stderr
    again = fab(openstack_nodes, "plan", inventory=inventory)
    assert again.returncode == 0, again.stdout + again.stderr


def test_a_cluster_that_scripts_built_is_adopted_and_nothing_restarts(
    bare: Cluster, tmp_path: Path
) -> None:
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    setup = f"pcs cluster setup {bare.name} c1 c2 c3\npcs property set stonith-enabled=false\n"
    (scripts / "1_setup.sh").write_text(setup)
    (scripts / "2_memcached.sh").write_text((LEGACY / "create.sh").read_text())
    (scripts / "3_build.sh").write_text(BUILD)
    for script in ("install.sh", "create.sh"):
        run_legacy(bare, LEGACY / script)
    bare.run("c1", f"{BUILD}crm_resource --wait --timeout 60", timeout=240)
    before = history(bare)
    target = tmp_path / "adopted.yaml"
    migrate("--from", scripts, "--to", target, "--plain")

    adopted = fab(bare, "adopt", "--yes", inventory=target)

    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    assert history(bare) == before
    again = fab(bare, "plan", inventory=target)
    assert again.returncode == 0, again.stdout + again.stderr
    assert history(bare) == before
