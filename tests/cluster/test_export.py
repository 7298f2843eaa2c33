"""An inventory from a cluster that others built: written, adopted, and nothing is left to do."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes
from tests.cluster.eyes import Done
from tests.cluster.fence_agent import AGENT, LOG, PROGRAM

# What an operator might have typed over the years; names are as odd as pcs takes them.
BUILT = """
set -e
pcs property set no-quorum-policy=stop stonith-enabled=false
pcs resource defaults update resource-stickiness=100
pcs resource op defaults update timeout=60s
pcs resource defaults set create id=evening score=5 meta resource-stickiness=0 \
    rule resource ocf:pacemaker:Dummy
pcs resource create one ocf:pacemaker:Dummy fake=1 op monitor interval=11s
pcs resource create two ocf:pacemaker:Dummy --group both
pcs resource create three ocf:pacemaker:Stateful --group both
pcs resource clone both clone-max=2 interleave=true
pcs resource create st ocf:pacemaker:Stateful promotable promoted-max=1
pcs resource create Odd.Name_x ocf:pacemaker:Dummy passwd=hunter2xyz
pcs resource utilization one cpu=2
pcs node utilization {first} cpu=4
pcs node attribute {second} rack=left
pcs constraint order set one Odd.Name_x sequential=false set st-clone action=promote
pcs constraint colocation set one Odd.Name_x setoptions score=-10
pcs constraint location one rule score=50 rack eq left or date gt 2020-01-01
pcs constraint location Odd.Name_x prefers {first}=20
pcs constraint ticket add siteA st-clone loss-policy=stop
pcs tag create mine one Odd.Name_x
pcs stonith create cut fence_test ip=192.0.2.9 pcmk_host_list="{nodes}"
pcs stonith create switch fence_test ip=192.0.2.10 pcmk_host_list="{nodes}" pcmk_delay_base=3s
pcs stonith level add 1 {first} cut
pcs stonith level add 2 {first} cut switch
pcs stonith level add 1 "regexp%ghost.*" switch
pcs stonith level add 1 attrib%rack=left switch
pcs alert create path=/bin/true id=watch description="All of it" options word=a meta timeout=20s
pcs alert recipient add watch value=ops id=watch-ops options level=1 meta timestamp-format=%s
pcs acl role create look description="May look" read xpath /cib deny id one
pcs acl user create alice look
pcs acl group create haclient look
pcs resource op defaults set create id=slow score=2 meta timeout=90s rule op monitor
pcs resource create vm ocf:pacemaker:Dummy meta remote-node=inside remote-addr=192.0.2.78 \
    --disabled --force
pcs resource bundle create box container podman image=localhost/none:1 replicas=2 \
    network control-port=3199 storage-map source-dir=/srv target-dir=/data --disabled
"""
# Names as pcs takes them, and resources that are called like a service's and are none.
ODD = """
set -e
pcs resource create memcached ocf:pacemaker:Dummy
pcs resource create vip-Db.main ocf:pacemaker:Dummy
pcs resource create lb-haproxy ocf:pacemaker:Dummy clone lb-haproxy-clone interleave=true
pcs resource create _A.b-C ocf:pacemaker:Dummy clone The.Copies interleave=true
pcs resource create G.1 ocf:pacemaker:Dummy --group All-Of.Them
pcs resource create Z_ ocf:pacemaker:Dummy --group All-Of.Them
pcs constraint order The.Copies then All-Of.Them id=Order.No-1
pcs constraint location memcached avoids {first}=7
"""
SECRET = {"PACEFAB_SECRET_ODD_NAME_X_PASSWD": "hunter2xyz"}


def fab(cluster: Cluster, *args: str, hosts: str = "") -> Done:
    """Run fab; without hosts those of the inventory."""
    words = eyes.fab_argv(cluster, *args, hosts=hosts or "-")
    if not hosts:
        place = words.index("-H")
        words = words[:place] + words[place + 2 :]
    return subprocess.run(
        words,
        env=eyes.environment(**SECRET),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        cwd=REPOSITORY_ROOT,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def built(bare: Cluster) -> Iterator[Cluster]:
    """A cluster that somebody built with pcs."""
    first, second, *_ = bare.nodes
    on_all(lambda n: bare.run(n, f"cat >{PROGRAM}; chmod 755 {PROGRAM}", stdin=AGENT), bare.nodes)
    script = BUILT.format(first=first, second=second, nodes=" ".join(bare.nodes))
    bare.run(first, "sh -s", stdin=script, timeout=180)
    bare.run(first, "crm_resource --wait --timeout 60s", timeout=90)
    yield bare
    bare.reset()
    on_all(lambda node: bare.run(node, f"rm -f {PROGRAM} {LOG}"), bare.nodes)


def test_a_cluster_made_by_hand_is_exported_and_adopted(built: Cluster, tmp_path: Path) -> None:
    target = tmp_path / "found.yaml"
    before = eyes.cib_state(built)
    done = fab(built, "export", "--to", str(target), hosts=",".join(built.nodes))
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.cib_state(built) == before
    text = target.read_text()
    assert "hunter2xyz" not in text + done.stdout
    assert "{secret: odd_name_x_passwd}" in text
    found = read_inventory(target)
    assert found.fencing is not None
    assert len(found.fencing.levels) == 4
    parts = (found.alerts, found.acls.roles, found.acls.users, found.acls.groups, found.bundles)
    assert [list(each) for each in parts] == [["watch"], ["look"], ["alice"], ["haclient"], ["box"]]
    assert {node.name: node.role for node in found.nodes}["inside"] == "guest"
    adopted = fab(built, "adopt", "--yes", "--inventory", str(target))
    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    plan = fab(built, "plan", "--inventory", str(target))
    assert plan.returncode == 0, plan.stdout + plan.stderr


def test_odd_names_are_no_service_and_stay_as_they_are(built: Cluster, tmp_path: Path) -> None:
    first, *_ = built.nodes
    built.run(first, "sh -s", stdin=ODD.format(first=first), timeout=120)
    built.run(first, "crm_resource --wait --timeout 60s", timeout=90)
    target = tmp_path / "odd.yaml"
    done = fab(built, "export", "--to", str(target), hosts=first)
    assert done.returncode == 0, done.stdout + done.stderr
    found = read_inventory(target)
    assert not found.sections
    names = {"memcached", "vip-Db.main", "lb-haproxy", "_A.b-C", "G.1", "Z_"}
    assert names <= found.resources.keys()
    assert found.resources["_A.b-C"].clone_id == "The.Copies"
    adopted = fab(built, "adopt", "--yes", "--inventory", str(target))
    assert adopted.returncode == 0, adopted.stdout + adopted.stderr
    plan = fab(built, "plan", "--inventory", str(target))
    assert (plan.returncode, plan.stdout.splitlines()[-1]) == (0, "nothing to do")


def test_a_file_that_is_there_is_not_overwritten(built: Cluster, tmp_path: Path) -> None:
    target = tmp_path / "found.yaml"
    target.write_text("mine\n")
    done = fab(built, "export", "--to", str(target), hosts=built.nodes[0])
    eyes.assert_refused(done, "--force", status=2)
    assert target.read_text() == "mine\n"
