"""Who is a member is what corosync and Pacemaker know: by node id, however a file is written.

The module's cluster serves; then its files are those of others, and at the end it has a node less.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes

CONF = "/etc/corosync/corosync.conf"
NODE = r"(?ms)^    node \{.*?^    \}\n"


@pytest.fixture(scope="module")
def serving(module_cluster: Cluster) -> Cluster:
    module_cluster.fab("install-memcached", "create-memcached", check=True)
    return module_cluster


@contextmanager
def rewritten(cluster: Cluster, *nodes: str, by: Callable[[str], str]) -> Iterator[None]:
    """Let nodes have another text in corosync.conf, which corosync has not read."""
    with ExitStack() as stack:
        for node in nodes:
            old = eyes.read(cluster, node, CONF)
            assert by(old) != old
            stack.enter_context(eyes.covered(cluster, node, CONF, by(old)))
        yield


def reversed_nodes(text: str) -> str:
    turned = iter(reversed(re.findall(NODE, text)))
    return re.sub(NODE, lambda _: next(turned), text)


def spelled_otherwise(text: str) -> str:
    """Return the same file in another order, with comments, blanks and an editor's line ends."""
    lines = reversed_nodes(text).replace("ring0_addr: c2", "ring0_addr:c2").splitlines()
    return "".join(f"{line.strip()} \r\n# of web-a {{\r\n" for line in lines)


def inventory(cluster: Cluster, folder: Path) -> str:
    file = folder / "inventory.yaml"
    nodes, fencing = ", ".join(cluster.nodes), "fencing: {disabled: true, reason: a test}\n"
    services = "services: {memcached: {}}\n"
    file.write_text(f"cluster: {cluster.name}\nnodes: [{nodes}]\n{fencing}{services}")
    return str(file)


def assert_all_well(cluster: Cluster) -> None:
    """Assert that every flow takes the cluster for what it is: healthy and as desired."""
    for task in ("status", "verify-memcached", "create-memcached", "install-memcached"):
        done = cluster.fab(task)
        assert done.returncode == 0, done.stdout + done.stderr
    done = cluster.fab("update-memcached", "--dry-run")
    assert eyes.outcomes(done, "update-memcached") == dict.fromkeys(cluster.nodes, "unchanged")


def test_order_and_spelling_of_one_nodes_file_mean_nothing(serving: Cluster) -> None:
    with rewritten(serving, "c2", by=spelled_otherwise), eyes.unchanged(serving):
        assert_all_well(serving)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda text: text.replace("ring0_addr: c1", "ring0_addr: 192.0.2.9"), "192.0.2.9 for c1"),
        (lambda text: re.sub(NODE, "", text, count=1), "it lacks c1 (node id 1)"),
    ],
    ids=["address", "node"],
)
def test_a_file_that_means_another_cluster_is_refused(
    serving: Cluster, change: Callable[[str], str], said: str
) -> None:
    with rewritten(serving, "c3", by=change), eyes.unchanged(serving):
        eyes.assert_refused(serving.fab("create-memcached"), "c3 differs from c1", said, status=1)
        eyes.assert_refused(serving.fab("status"), "c3 differs from c1", said, status=2)


def test_without_a_nodelist_the_members_are_those_that_pacemaker_knows(serving: Cluster) -> None:
    def without(text: str) -> str:
        return re.sub(r"(?ms)^nodelist \{.*?^\}\n", "", text)

    with rewritten(serving, *serving.nodes, by=without), eyes.unchanged(serving):
        assert_all_well(serving)


def test_the_own_name_on_loopback_has_another_address_or_that_is_said(serving: Cluster) -> None:
    loopback = "127.0.0.1 localhost\n127.0.1.1 c1.example.com c1\n"
    real = f"{serving.address('c1')} c1\n"
    with eyes.covered(serving, "c1", "/etc/hosts", loopback + real):
        done = serving.fab("install-memcached", hosts=["c1"])
        assert eyes.outcomes(done, "install-memcached") == {"c1": "unchanged"}, done.stderr
    with eyes.covered(serving, "c1", "/etc/hosts", loopback):
        alone = serving.fab("install-memcached", hosts=["c1"])
        eyes.assert_refused(alone, "c1", "127.0.1.1", "/etc/hosts", "--listen", status=1)
        # Another node knows it.
        both = serving.fab("install-memcached", hosts=["c1", "c2"])
        assert both.returncode == 0, both.stdout + both.stderr


@pytest.fixture
def nameless(serving: Cluster) -> Iterator[Cluster]:
    """The cluster stopped, its file without names, as public guides have it; names come back."""
    old = eyes.read(serving, "c1", CONF)
    new = re.sub(r"(?m)^ *name: .*\n", "", old)
    for node in serving.nodes:
        new = new.replace(f"ring0_addr: {node}\n", f"ring0_addr: {serving.address(node)}\n")
    on_all(lambda node: serving.run(node, "systemctl stop pacemaker corosync"), serving.nodes)
    on_all(lambda node: serving.run(node, f"cat >{CONF}", stdin=new), serving.nodes)
    yield serving
    on_all(lambda node: serving.run(node, f"cat >{CONF}", stdin=old), serving.nodes)
    serving.run("c1", "corosync-cfgtool -R")


@pytest.mark.long
def test_nodes_without_a_name_in_the_file_are_called_as_pacemaker_calls_them(
    nameless: Cluster,
) -> None:
    # Stopped, a host says itself what it is called.
    done = nameless.fab("install-memcached")
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(nameless.nodes, "unchanged")

    on_all(lambda node: nameless.run(node, "systemctl start corosync pacemaker"), nameless.nodes)
    nameless.wait_formed()
    nameless.run("c1", "crm_resource --wait --timeout 60", timeout=70)
    assert [nameless.run(n, "crm_node -n").stdout.strip() for n in nameless.nodes] == nameless.nodes
    assert_all_well(nameless)


@pytest.mark.long
def test_a_host_of_the_inventory_in_no_cluster_is_said_and_the_rest_goes_on(
    serving: Cluster, tmp_path: Path
) -> None:
    named = ("--inventory", inventory(serving, tmp_path))
    serving.run("c1", "pcs cluster node remove c3", timeout=120)
    eyes.until(lambda: 'name="c3"' not in serving.run("c1", "crm_mon -1 --output-as=xml").stdout,
               "c3 is out")  # fmt: skip

    status = serving.fab("status", *named)
    assert status.returncode == 1, status.stdout + status.stderr
    assert "c3 of the inventory is in no cluster: fab add-node --node c3" in status.stdout
    assert status.stdout.count("degraded:") == 1  # nothing else is wrong

    alone = serving.fab("status", *named, hosts=["c1", "c2"])
    assert alone.returncode == 0, alone.stdout + alone.stderr
    plan = serving.fab("plan", *named, env={"PACEFAB_SECRET_HACLUSTER": "correct horse battery"})
    assert plan.returncode == 2, plan.stdout + plan.stderr
    assert f"c3: added to cluster {serving.name}" in plan.stdout

    update = serving.fab("update-memcached", "--dry-run", *named)
    assert eyes.outcomes(update, "update-memcached") == dict.fromkeys(["c1", "c2"], "unchanged")
    assert "c3" in update.stdout
    assert serving.fab("history", *named).returncode == 0
    eyes.assert_refused(serving.fab("verify-memcached", *named), "c3", "add-node", status=1)
    create = serving.fab("create-memcached", *named)
    assert create.returncode == 0, create.stdout + create.stderr
    assert eyes.outcomes(create, "create-memcached")["c3"] == "skipped"
    assert "fab add-node --node c3" in create.stdout
