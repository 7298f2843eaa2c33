"""patch: newer packages on every node, one after the other, with memcached served meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes, newer
from tests.cluster.watching import watched

TASK = "patch"
WALK_SECONDS = 1200  # of a program that hangs; what a walk may take is no matter of these tests
CONF = "/etc/default/memcached"
OTHER_CONF = "echo '# of the newer package' >>etc/default/memcached"
FAILS = "printf '#!/bin/sh\\nexit 1\\n' >DEBIAN/preinst; chmod 755 DEBIAN/preinst"


@pytest.fixture(scope="module")
def patched(module_cluster: Cluster) -> Cluster:
    """A cluster of its own, as corosync itself is replaced; memcached is Started everywhere."""
    if not module_cluster.image.startswith("debian"):
        pytest.skip("what is newer is known of apt-get alone")
    module_cluster.fab("install-memcached", "create-memcached", check=True)
    return module_cluster


def test_every_node_gets_newer_packages_and_two_serve_meanwhile(patched: Cluster) -> None:
    offer_all(patched, "memcached", OTHER_CONF)
    newer.offer(patched, "c3", "corosync")
    patched.run("c1", f"echo '# of the operator' >>{CONF}")
    with eyes.unchanged(patched):
        foretold = patched.fab(TASK, "--dry-run")
    assert eyes.outcomes(foretold, TASK) == dict.fromkeys(patched.nodes, "planned")
    assert foretold.stdout.count("the cluster services restart: corosync.service uses coro") == 1
    before = since(patched, "c3")
    with watched(patched) as serving:
        done = patched.fab(TASK, "--yes", timeout=WALK_SECONDS)
    assert eyes.outcomes(done, TASK) == dict.fromkeys(patched.nodes, "changed"), done.stdout
    assert done.returncode == 0, done.stderr
    assert min(serving) >= 2
    assert done.stdout.count(f"{CONF} is kept, the new one is {CONF}.dpkg-dist") == 1
    assert "of the operator" in eyes.read(patched, "c1", CONF)
    assert newer.version(patched, "c3", "corosync").endswith(newer.SUFFIX)
    assert since(patched, "c3") != before
    for node in patched.nodes:
        assert newer.version(patched, node, "memcached").endswith(newer.SUFFIX)
        assert eyes.unit(patched, node, "UnitFileState", "LoadState") == ["disabled", "loaded"]
    assert marks(patched) == []
    assert patched.fab("status").returncode == 0


def test_a_cluster_that_is_up_to_date_is_left_alone(patched: Cluster) -> None:
    before = eyes.cib(patched).get("epoch")
    done = patched.fab(TASK)
    assert eyes.outcomes(done, TASK) == dict.fromkeys(patched.nodes, "unchanged"), done.stdout
    assert eyes.cib(patched).get("epoch") == before


@pytest.mark.long
@pytest.mark.parametrize(
    ("number", "moment"),
    [(2, "its cluster services stop"), (3, "its packages are upgraded"), (4, "services start")],
)
def test_a_run_that_is_killed_is_brought_to_its_end_by_the_next(
    patched: Cluster, number: int, moment: str
) -> None:
    suffix = f"{newer.SUFFIX}{number}"
    offer_all(patched, "memcached", suffix=suffix)
    offer_all(patched, "corosync", suffix=suffix)
    with watched(patched) as serving:
        kill_at(patched, moment)
        assert len(marks(patched)) == 1
        assert "finish it: fab patch" in patched.fab("status").stdout
        done = patched.fab(TASK, "--yes", timeout=WALK_SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "an earlier run was cut off here" in done.stdout
    assert eyes.outcomes(done, TASK) == dict.fromkeys(patched.nodes, "changed"), done.stdout
    assert min(serving) >= 2
    for node in patched.nodes:
        for package in ("memcached", "corosync"):
            assert newer.version(patched, node, package).endswith(suffix)
    assert marks(patched) == []
    assert patched.fab("status").returncode == 0


@pytest.mark.long
def test_a_machine_restarts_with_what_the_package_enabled_disabled(patched: Cluster) -> None:
    patched.run("c2", "touch /run/reboot-required; systemctl enable --quiet memcached")
    with watched(patched) as serving, powered(patched, "c2") as restarts:
        done = patched.fab(TASK, "--yes", timeout=WALK_SECONDS)
    expected = {"c1": "unchanged", "c2": "changed", "c3": "unchanged"}
    assert eyes.outcomes(done, TASK) == expected, done.stdout + done.stderr
    assert restarts == ["c2"]
    assert min(serving) >= 2
    assert "the machine restarts: /run/reboot-required is there" in done.stdout
    assert eyes.unit(patched, "c2", "UnitFileState") == ["disabled"]
    assert marks(patched) == []
    assert patched.fab("status").returncode == 0


@pytest.mark.long
def test_a_package_that_fails_ends_the_round_and_its_node_serves_again(patched: Cluster) -> None:
    offer_all(patched, "memcached", FAILS, f"{newer.SUFFIX}5")
    done = patched.fab(TASK, "--yes", timeout=WALK_SECONDS)
    assert sorted(eyes.outcomes(done, TASK).values()) == ["failed", "skipped", "skipped"]
    assert done.returncode == 1
    assert "serves again, and is as it was" in done.stdout
    assert marks(patched) == []
    assert patched.fab("status").returncode == 0


def offer_all(cluster: Cluster, package: str, change: str = "", suffix: str = newer.SUFFIX) -> None:
    """Put a newer package into the repository of every node."""
    on_all(lambda node: newer.offer(cluster, node, package, change, suffix), cluster.nodes)


def kill_at(cluster: Cluster, moment: str) -> None:
    """Patch, and kill the program when it says that it has come to a moment."""
    fab = eyes.start(cluster, TASK, "--yes")
    try:
        assert fab.stdout
        said = []
        for line in fab.stdout:
            said.append(line)
            if moment in line:
                return
        pytest.fail("it ended before:\n" + "".join(said))
    finally:
        fab.kill()
        fab.communicate()


@contextmanager
def powered(cluster: Cluster, node: str) -> Iterator[list[str]]:
    """Start a node again when it restarts: of a container that is no more than its end."""
    found: list[str] = []
    container = cluster.container(node)

    def power() -> None:
        container.wait()
        found.append(node)
        container.start()

    threading.Thread(target=power, daemon=True).start()
    yield found


def since(cluster: Cluster, node: str) -> str:
    """Return when a node's corosync was started."""
    show = "systemctl show -p ActiveEnterTimestampMonotonic corosync"
    return cluster.run(node, show).stdout


def marks(cluster: Cluster) -> list[str]:
    """Return the nodes that are in standby by the configuration."""
    found = eyes.cib(cluster).findall(".//node[instance_attributes]")
    return [one.get("uname", "") for one in found]
