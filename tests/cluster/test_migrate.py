"""Legacy scripts, migrated: the cluster that they built is adopted, and nothing restarts."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from pacefab.harness.cluster import Cluster
from tests.cluster.test_deploy import fab, migrate
from tests.cluster.test_legacy import LEGACY, run_legacy

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


def history(cluster: Cluster) -> list[str]:
    """Return what Pacemaker ever started or stopped, and the processes that run."""
    text = cluster.run("c1", "cibadmin --query --scope status").stdout
    done = [f"{op.get('id')} {op.get('operation')} {op.get('call-id')} {op.get('last-rc-change')}"
            for op in etree.fromstring(text).iter("lrm_rsc_op")
            if op.get("operation") in {"start", "stop"}]  # fmt: skip
    pids = [f"{node} {cluster.run(node, 'pgrep -x memcached').stdout}" for node in cluster.nodes]
    return sorted([*done, *pids])


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
