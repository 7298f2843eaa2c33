"""What can't be done is refused: host, what was seen, what to do next, and nothing is changed.

The module goes from a bare cluster over an installed one to one that serves, so that each refusal
has something to leave alone. How hosts are reached is in test_ssh.py, packages in test_packages.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes

CLUSTER_TASKS = ("create-memcached", "remove-memcached")
MAINTENANCE = "crm_attribute --type crm_config --name maintenance-mode"
PROGRAMS = "cibadmin crm_mon crm_resource pcs"
DUMMY = '<primitive id="{id}" class="ocf" provider="pacemaker" type="Dummy"/>'
SAME_AGENT = '<primitive id="cache" class="systemd" type="memcached"/>'
OTHER_CLONE = f'<clone id="memcached-clone">{DUMMY.format(id="other")}</clone>'


@contextmanager
def squatter(cluster: Cluster, node: str) -> Iterator[None]:
    """Let another program listen on memcached's port of a node."""
    address = cluster.address(node)
    server = f"python3 -m http.server --bind {address} {eyes.PORT}"
    cluster.run(node, f"systemd-run --quiet --collect --unit=squatter {server}")
    eyes.until(lambda: eyes.sockets(cluster, node) == [f"tcp {address}"], "the squatter listens")
    try:
        yield
    finally:
        cluster.run(node, "systemctl stop squatter")


@contextmanager
def resource(cluster: Cluster, xml: str) -> Iterator[None]:
    """Put a resource of somebody else's into the CIB."""
    edit = "cibadmin {how} --scope resources --xml-pipe"
    cluster.run("c1", edit.format(how="--create"), stdin=xml)
    try:
        yield
    finally:
        cluster.run("c1", edit.format(how="--delete"), stdin=xml)
        cluster.run("c1", "crm_resource --wait --timeout 30")


@contextmanager
def stopped(cluster: Cluster, nodes: Sequence[str]) -> Iterator[Callable[[Sequence[str]], object]]:
    """Give a way to stop the cluster's services on nodes; at the end all of them serve again."""
    stop, start = "systemctl stop pacemaker corosync", "systemctl start corosync pacemaker"
    try:
        yield lambda nodes: on_all(lambda node: cluster.run(node, stop), nodes)
    finally:
        on_all(lambda node: cluster.run(node, start), nodes)
        cluster.wait_formed()
        eyes.until(lambda: eyes.started_on(cluster) == cluster.nodes, "memcached is back", 60)


@contextmanager
def without_programs(cluster: Cluster) -> Iterator[None]:
    """Hide Pacemaker's and pcs' programs on every node, as if they were not installed."""
    hide = f"cd /usr/sbin && for p in {PROGRAMS}; do mv $p $p.hidden; done"
    show = f"cd /usr/sbin && for p in {PROGRAMS}; do mv $p.hidden $p; done"
    on_all(lambda node: cluster.run(node, hide), cluster.nodes)
    try:
        yield
    finally:
        on_all(lambda node: cluster.run(node, show), cluster.nodes)


# --- A bare cluster -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--memory", "0", "1 or more"),
        ("--memory", "-5", "1 or more"),
        ("--memory", "much", "a whole number"),
        ("--memory", "1.5", "a whole number"),
        ("--max-connections", "0", "1 or more"),
        ("--port", "0", "1 "),
        ("--port", "65536", "1 to 65535"),
        ("--listen", "c1", "IP address"),
        ("--listen", "999.1.1.1", "IP address"),
        ("--listen", "", "leave it out"),
        ("--lock-timeout", "soon", "a whole number"),
        ("--lock-timeout", "-1", "0 or more"),
    ],
)
def test_an_option_out_of_range_is_reported(
    bare: Cluster, option: str, value: str, words: str
) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", f"{option}={value}")
    eyes.assert_refused(done, option, value, words, status=2)


def test_an_unknown_option_is_reported(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", "--memroy", "64")
    assert done.returncode != 0
    assert "--memroy" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_more_memory_than_the_host_has_is_reported_per_host(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", "--memory", "9999999")
    words = [f"error on {node}" for node in bare.nodes]
    eyes.assert_refused(done, *words, "9999999 MiB", "the node has", "give at most", status=1)
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(bare.nodes, "failed")


def test_an_address_that_a_node_lacks_is_reported(bare: Cluster) -> None:
    address = bare.address("c1")
    with eyes.unchanged(bare):
        done = bare.fab("install-memcached", "--listen", address, "--dry-run")
    eyes.assert_refused(done, "error on c2", address, bare.address("c2"), status=1)
    found = eyes.outcomes(done, "install-memcached")
    assert found == {"c1": "planned", "c2": "failed", "c3": "failed"}


def test_a_port_taken_by_another_process_is_reported(bare: Cluster) -> None:
    with squatter(bare, "c2"), eyes.unchanged(bare):
        done = bare.fab("install-memcached", hosts=["c2"])
    eyes.assert_refused(done, "error on c2", "port 11211 is taken by", "--port", status=1)


def test_create_before_install_is_reported(bare: Cluster) -> None:
    with eyes.unchanged(bare):
        done = bare.fab("create-memcached", hosts=["c2"])
    eyes.assert_refused(done, "not installed", "install-memcached", status=1)


def test_an_unsupported_distribution_is_reported_and_the_others_done(bare: Cluster) -> None:
    before = eyes.node_state(bare, "c2")
    with eyes.covered(bare, "c2", "/etc/os-release", 'ID="plan9"\nVERSION_ID=4\n'):
        done = bare.fab("install-memcached")
        assert eyes.node_state(bare, "c2") == before
        others = [bare.fab(task) for task in ("create-memcached", "verify-memcached")]
    eyes.assert_refused(done, "error on c2", "plan9 4", "not supported", "Debian", status=1)
    found = eyes.outcomes(done, "install-memcached")
    assert found == {"c1": "changed", "c2": "failed", "c3": "changed"}
    assert eyes.is_installed(bare, "c1")
    assert eyes.is_installed(bare, "c3")
    for other in others:
        assert other.returncode == 1
        assert "plan9 4" in other.stdout + other.stderr
        assert "defect" not in other.stdout + other.stderr


# --- Installed on all nodes -----------------------------------------------------------------


@pytest.mark.parametrize("xml", [DUMMY.format(id="memcached"), OTHER_CLONE])
def test_a_resource_of_that_id_and_another_type_is_left_alone(installed: Cluster, xml: str) -> None:
    with resource(installed, xml), eyes.unchanged(installed):
        for options in ([], ["--update"]):
            done = installed.fab("create-memcached", *options)
            eyes.assert_refused(done, "memcached", "Dummy", status=1)


def test_another_resource_of_the_same_unit_is_left_as_it_is(installed: Cluster) -> None:
    with resource(installed, SAME_AGENT):
        eyes.until(lambda: any(eyes.processes(installed).values()), "Pacemaker started it")
        installed.run("c1", "crm_resource --wait --timeout 30")
        with eyes.unchanged(installed):
            done = installed.fab("create-memcached")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "under the id cache (systemd:memcached); left as it is" in done.stdout
        assert sorted(eyes.outcomes(done, "create-memcached").values()) == [
            "skipped", "skipped", "unchanged", "unchanged",
        ]  # fmt: skip


def test_a_port_taken_since_the_install_is_reported_before_a_start_fails(
    installed: Cluster,
) -> None:
    with squatter(installed, "c2"), eyes.unchanged(installed):
        done = installed.fab("create-memcached")
        eyes.assert_refused(done, "c2", "11211", status=1)
        assert not eyes.has_clone(installed)


def test_a_masked_unit_is_reported(installed: Cluster) -> None:
    installed.run("c2", "systemctl mask --quiet memcached")
    try:
        with eyes.unchanged(installed):
            done = installed.fab("create-memcached")
            eyes.assert_refused(done, "c2", "masked", "install-memcached", status=1)
    finally:
        installed.run("c2", "systemctl unmask --quiet memcached")


def test_a_configuration_that_no_other_node_could_reach_is_reported(installed: Cluster) -> None:
    path = eyes.config_path(installed)
    installed.run("c3", f"cp -p {path} /run/kept && sed -i 's/^-l .*/-l 127.0.0.1/' {path}")
    try:
        with eyes.unchanged(installed):
            done = installed.fab("create-memcached")
            eyes.assert_refused(done, "c3", "127.0.0.1", "install-memcached", status=1)
    finally:
        installed.run("c3", f"mv /run/kept {path}")


def test_maintenance_mode_keeps_create_from_starting(installed: Cluster) -> None:
    installed.run("c1", f"{MAINTENANCE} --update true")
    try:
        with eyes.unchanged(installed):
            done = installed.fab("create-memcached")
            eyes.assert_refused(done, "maintenance mode", "maintenance-mode=false", status=1)
    finally:
        installed.run("c1", f"{MAINTENANCE} --delete")


# --- Serving --------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["soon", "0", "-3"])
def test_a_timeout_that_is_none_is_reported(serving: Cluster, value: str) -> None:
    with eyes.unchanged(serving):
        for task in CLUSTER_TASKS:
            done = serving.fab(task, f"--timeout={value}")
            eyes.assert_refused(done, "--timeout", value, status=2)


def test_maintenance_mode_is_reported(serving: Cluster) -> None:
    serving.run("c1", f"{MAINTENANCE} --update true")
    try:
        with eyes.unchanged(serving):
            done = serving.fab("remove-memcached", "--yes")
            eyes.assert_refused(done, "maintenance mode", "maintenance-mode=false", status=1)
            status = serving.fab("status")
        assert status.returncode == 0
        assert "notice: the cluster is in maintenance mode" in status.stdout
    finally:
        serving.run("c1", f"{MAINTENANCE} --delete")


def test_no_quorum_then_no_cluster_is_reported(serving: Cluster) -> None:
    # One test, because bringing a cluster back takes its time.
    with stopped(serving, serving.nodes) as stop:
        stop(["c2", "c3"])
        without_quorum(serving)
        stop(["c1"])
        without_cluster(serving)


def without_quorum(cluster: Cluster) -> None:
    """Assert what the tasks say while one of three nodes is left."""
    lost = "crm_mon --one-shot --output-as=xml | grep -q 'with_quorum=\"false\"'"
    eyes.until(lambda: cluster.run("c1", lost, check=False).returncode == 0, "quorum is lost")
    before = eyes.cib_state(cluster)
    for task in CLUSTER_TASKS:
        done = cluster.fab(task)
        eyes.assert_refused(done, "quorum", status=1)
    status = cluster.fab("status", hosts=["c1"])
    assert status.returncode == 1, status.stdout + status.stderr
    assert "without quorum" in status.stdout
    assert eyes.cib_state(cluster) == before


def without_cluster(cluster: Cluster) -> None:
    """Assert what the tasks say while the cluster runs on no node."""
    nodes = [eyes.node_state(cluster, node) for node in cluster.nodes]
    for task in (*CLUSTER_TASKS, "verify-memcached"):
        done = cluster.fab(task)
        eyes.assert_refused(done, "does not run", "pcs cluster start", status=1)
    install = cluster.fab("install-memcached")
    assert install.returncode == 0, install.stdout + install.stderr
    status = cluster.fab("status")
    assert status.returncode == 2, status.stdout + status.stderr
    assert status.stdout.splitlines()[-1].startswith("unknown: ")
    assert [eyes.node_state(cluster, node) for node in cluster.nodes] == nodes


def test_nodes_without_pacemaker_are_reported(serving: Cluster) -> None:
    before = eyes.state(serving)
    with without_programs(serving):
        for task in (*CLUSTER_TASKS, "verify-memcached"):
            done = serving.fab(task)
            eyes.assert_refused(done, "not installed", "pacemaker", "pcs", status=1)
        status = serving.fab("status")
        # Whether Pacemaker runs memcached is unknown: it must not be stopped for that.
        install = serving.fab("install-memcached", "--port", "11300")
    assert status.returncode == 2, status.stdout + status.stderr
    assert install.returncode == 1, install.stdout + install.stderr
    assert eyes.state(serving) == before


def test_a_host_outside_any_cluster_is_reported(serving: Cluster) -> None:
    serving.run("c3", "mv /etc/corosync/corosync.conf /etc/corosync/away")
    try:
        with eyes.unchanged(serving):
            done = serving.fab("create-memcached")
            install = serving.fab("install-memcached", "--memory", "80", "--dry-run")
    finally:
        serving.run("c3", "mv /etc/corosync/away /etc/corosync/corosync.conf")
    eyes.assert_refused(done, "c3", "corosync.conf", status=1)
    eyes.assert_refused(install, "error on c3", "--listen", status=1)


def test_hosts_of_two_clusters_are_reported(serving: Cluster) -> None:
    conf = serving.run("c3", "cat /etc/corosync/corosync.conf").stdout
    other = conf.replace(f"cluster_name: {serving.name}", "cluster_name: other")
    assert other != conf
    with eyes.covered(serving, "c3", "/etc/corosync/corosync.conf", other), eyes.unchanged(serving):
        for task in CLUSTER_TASKS:
            done = serving.fab(task)
            eyes.assert_refused(done, "not of one cluster", "c3: other", status=1)


def test_remove_shows_constraints_of_others_first(serving: Cluster) -> None:
    xml = '<rsc_location id="theirs" rsc="memcached-clone" node="c1" score="5"/>'
    serving.run("c1", "cibadmin --create --scope constraints --xml-pipe", stdin=xml)
    try:
        with eyes.unchanged(serving):
            done = serving.fab("remove-memcached", "--yes")
        eyes.assert_refused(done, "theirs", "--with-constraints", status=1)
    finally:
        serving.run("c1", "cibadmin --delete --scope constraints --xml-pipe", stdin=xml)
