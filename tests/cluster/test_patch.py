"""patch: newer packages on every node, one after the other, with memcached served meanwhile."""

from __future__ import annotations

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes, newer
from tests.cluster.watching import watched

TASK = "patch"
NEWER = ("memcached", "corosync")
# dpkg asks about a file that both have changed; memcached.conf is pacefab's on these nodes.
CHANGED_CONF = "echo '# newer' >>etc/memcached.conf; cat etc/memcached.conf | md5sum >/dev/null"
BROKEN = "printf '#!/bin/sh\\nexit 1\\n' >DEBIAN/preinst; chmod 755 DEBIAN/preinst"


@pytest.fixture(scope="module")
def patched(module_cluster: Cluster) -> Cluster:
    """A cluster of its own, as corosync itself is replaced; memcached is Started everywhere."""
    if not module_cluster.image.startswith("debian"):
        pytest.skip("what is newer is known of apt-get alone")
    module_cluster.fab("install-memcached", "create-memcached", check=True)
    return module_cluster


def test_every_node_gets_newer_packages_and_two_serve_meanwhile(patched: Cluster) -> None:
    on_all(lambda node: newer.offer(patched, node, "memcached"), patched.nodes)
    newer.offer(patched, "c3", "corosync")
    with eyes.unchanged(patched):
        foretold = patched.fab(TASK, "--dry-run")
    assert eyes.outcomes(foretold, TASK) == dict.fromkeys(patched.nodes, "planned")
    assert foretold.stdout.count("the cluster services restart: corosync.service uses coro") == 1
    before = since(patched, "c3")
    with watched(patched) as serving:
        done = patched.fab(TASK, "--yes")
    assert eyes.outcomes(done, TASK) == dict.fromkeys(patched.nodes, "changed"), done.stdout
    assert done.returncode == 0, done.stderr
    assert min(serving) >= 2
    assert newer.version(patched, "c3", "corosync").endswith(newer.SUFFIX)
    assert since(patched, "c3") != before
    for node in patched.nodes:
        assert newer.version(patched, node, "memcached").endswith(newer.SUFFIX)
        assert eyes.unit(patched, node, "UnitFileState", "LoadState") == ["disabled", "loaded"]
    assert marks(patched) == []
    assert patched.fab("status").returncode == 0


def test_a_cluster_that_is_up_to_date_is_left_alone(patched: Cluster) -> None:
    with eyes.unchanged(patched):
        done = patched.fab(TASK)
    assert eyes.outcomes(done, TASK) == dict.fromkeys(patched.nodes, "unchanged"), done.stdout


def since(cluster: Cluster, node: str) -> str:
    """Return when a node's corosync was started."""
    show = "systemctl show -p ActiveEnterTimestampMonotonic corosync"
    return cluster.run(node, show).stdout


def marks(cluster: Cluster) -> list[str]:
    """Return the nodes that are in standby by the configuration."""
    found = eyes.cib(cluster).findall(".//node[instance_attributes]")
    return [one.get("uname", "") for one in found]
