"""The harness keeps its word: real nodes, few privileges, loopback only, nothing left behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from pacefab.harness import cleanup
from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from pacefab.harness.errors import HarnessError
from pacefab.harness.parallel import on_all
from pacefab.harness.place import DESCRIPTION, STATE, unique_name
from pacefab.harness.plugin import ClusterFactory
from pacefab.harness.program import run

INSTALL = "apt-get install --yes memcached || yum install -y memcached"


def ssh(cluster: Cluster, *words: str, program: str = "ssh") -> str:
    """Run ssh or scp with nothing but the cluster's configuration; return what it printed."""
    return run([program, "-F", str(cluster.ssh_config), *words], timeout=20).stdout.strip()


def traces(name: str) -> list[str]:
    """Return what of a cluster is on this machine: containers, networks, its folder."""
    engine = docker.from_env()
    found = [
        each.name
        for each in engine.containers.list(all=True, ignore_removed=True)
        if name in each.name
    ]
    found += [each.name for each in engine.networks.list() if name in each.name]
    return [*found, *(path.name for path in STATE.glob(f"*{name}*"))]


@pytest.mark.every_image
def test_cluster_has_quorum_of_all_and_nothing_to_run(cluster: Cluster) -> None:
    quorum = cluster.run(cluster.nodes[0], "corosync-quorumtool -s", check=False).stdout
    assert re.search(r"Quorate:\s+Yes", quorum)
    assert re.search(rf"Expected votes:\s+{len(cluster.nodes)}\b", quorum)
    for node in cluster.nodes:
        assert cluster.run(node, "command -v memcached", check=False).returncode
        assert cluster.run(node, "cat /proc/1/comm").stdout == "systemd\n"
    resources = cluster.run(cluster.nodes[0], "cibadmin --query --scope resources").stdout
    assert "<resources/>" in resources


@pytest.mark.every_image
def test_pcs_works_on_all_nodes(cluster: Cluster) -> None:
    for node in cluster.nodes:
        status = cluster.run(node, "pcs status pcsd").stdout
        assert status.count("Online") == len(cluster.nodes)
        assert (
            "cluster_name: " + cluster.name
            in cluster.run(node, "cat /etc/corosync/corosync.conf").stdout
        )


@pytest.mark.every_image
@pytest.mark.long
def test_package_is_installed_from_the_node_itself_and_reset_removes_it(cluster: Cluster) -> None:
    first = cluster.nodes[0]
    formed = cluster.run(first, "cibadmin --query --scope configuration").stdout
    cluster.run(first, f"{UNROUTED}{INSTALL}", timeout=120)
    # Nodes have no IPv6, and a memcached that can't listen on ::1 doesn't start.
    without = "sed -i -e s/,::1// -e '/^-l ::1$/d' /etc/memcached.conf /etc/sysconfig/memcached"
    cluster.run(first, without, check=False)
    cluster.run(first, "systemctl restart memcached && systemctl is-active memcached")
    cluster.run(first, "pcs resource create memcached systemd:memcached")
    cluster.reset()
    assert cluster.run(first, "cibadmin --query --scope configuration").stdout == formed
    left = (
        "command -v memcached || pgrep memcached || ls -d /etc/memcached* /etc/sysconfig/memcached*"
    )
    assert cluster.run(first, left, check=False).stdout == ""
    # Nothing of the first installation is in the way of the next one.
    cluster.run(
        first, f"{INSTALL}; test -s /etc/memcached.conf || test -s /etc/sysconfig/memcached"
    )
    cluster.reset()


def test_containers_have_few_privileges_and_listen_on_loopback_only(cluster: Cluster) -> None:
    for node in cluster.nodes:
        attributes: dict[str, Any] = cluster.container(node).attrs
        assert not attributes["HostConfig"]["Privileged"]
        assert not attributes["HostConfig"]["Binds"]
        (bindings,) = attributes["NetworkSettings"]["Ports"].values()
        assert [binding["HostIp"] for binding in bindings] == ["127.0.0.1"]


def test_plain_ssh_and_scp_reach_each_node(cluster: Cluster, tmp_path: Path) -> None:
    sent = tmp_path / "sent"
    sent.write_text("hello\n")
    for node in cluster.nodes:
        assert ssh(cluster, node, "hostname") == node
        ssh(cluster, str(sent), f"{node}:/tmp/sent", program="scp")
        assert ssh(cluster, node, "cat", "/tmp/sent") == "hello"


def test_users_differ_in_what_sudo_allows(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    assert ssh(cluster, f"operator@{node}", "sudo -n id -un") == "root"
    with pytest.raises(HarnessError, match="password is required"):
        ssh(cluster, f"clerk@{node}", "sudo -n id -un")
    asked = f"echo {cluster.clerk_password} | sudo -S -p '' id -un"
    assert ssh(cluster, f"clerk@{node}", asked) == "root"
    with pytest.raises(HarnessError, match="incorrect password"):
        ssh(cluster, f"guest@{node}", f"echo {cluster.clerk_password} | sudo -S -p '' id -un")


def test_host_keys_are_each_nodes_own_and_known(cluster: Cluster) -> None:
    known = (cluster.folder / "known_hosts").read_text().splitlines()
    assert len({line.split()[2] for line in known}) == len(cluster.nodes)
    for node, line in zip(cluster.nodes, known, strict=True):
        assert line.split()[2] in cluster.run(node, "cat /etc/ssh/ssh_host_ed25519_key.pub").stdout


def test_changed_host_key_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    known = (cluster.folder / "known_hosts").read_text().splitlines()
    swapped = tmp_path / "known_hosts"
    ports, keys = zip(*(line.split(maxsplit=1) for line in known), strict=True)
    lines = zip(ports, [*keys[1:], keys[0]], strict=True)
    swapped.write_text("".join(f"{port} {key}\n" for port, key in lines))
    with pytest.raises(HarnessError, match="Host key verification failed"):
        ssh(cluster, "-o", f"UserKnownHostsFile={swapped}", cluster.nodes[0], "true")


def test_secrets_are_readable_by_their_owner_only(cluster: Cluster) -> None:
    assert cluster.folder.stat().st_mode & 0o777 == 0o700
    for secret in ("id_ed25519", "clerk_password"):
        assert (cluster.folder / secret).stat().st_mode & 0o777 == 0o600
    ignored = run(["git", "check-ignore", str(cluster.ssh_config)], timeout=5, cwd=REPOSITORY_ROOT)
    assert ignored.stdout.strip() == str(cluster.ssh_config)


def test_command_that_hangs_ends_on_the_node_too(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    with pytest.raises(HarnessError, match=r"not done in 1 s[\s\S]*  so far"):
        cluster.run(node, "echo so far; sleep 1234", timeout=1)
    assert cluster.run(node, "pgrep -fx 'sleep 1234'", check=False).stdout == ""


def test_failing_command_shows_node_and_streams(cluster: Cluster) -> None:
    with pytest.raises(HarnessError, match=rf"{cluster.nodes[0]}: failed, exit 7: [\s\S]*  why"):
        cluster.run(cluster.nodes[0], "echo why >&2; exit 7")


def test_reset_revives_a_killed_and_a_paused_node(cluster: Cluster) -> None:
    cluster.container(cluster.nodes[-1]).kill()
    cluster.container(cluster.nodes[0]).pause()
    cluster.reset()
    assert cluster.is_formed()
    # Address and port are the same as before: nothing that was written down is wrong now.
    assert ssh(cluster, cluster.nodes[-1], "hostname") == cluster.nodes[-1]
    assert cluster.address(cluster.nodes[-1]) in ssh(cluster, cluster.nodes[-1], "hostname -I")
    # What a node does when it boots is left to it by a reset.
    booting = "systemctl restart pacefab-address && [ -w /proc/sys/net/ipv4/ip_nonlocal_bind ]"
    cluster.run(cluster.nodes[-1], booting)


@pytest.mark.long
def test_clusters_of_other_sizes_and_names_start_side_by_side(
    cluster: Cluster, cluster_factory: ClusterFactory
) -> None:
    others = on_all(lambda name: cluster_factory(cluster.image, [name]), ["cache-a", "x1"])
    for other in others:
        assert other.is_formed()
        assert ssh(other, other.nodes[0], "hostname") == other.nodes[0]
        assert other.address(other.nodes[0]) not in map(cluster.address, cluster.nodes)
    assert cluster.is_formed()


@pytest.fixture(scope="module")
def doomed(cluster: Cluster) -> Iterator[list[subprocess.Popen[str]]]:
    """Two other processes, each of which starts a cluster and waits to be ended."""
    program = textwrap.dedent("""
        import signal, sys, time
        from pacefab.harness.cluster import Cluster
        # Whoever runs the tests in the background has Ctrl-C ignored, and so have all children.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with Cluster.start(sys.argv[1], ["n1"], sys.argv[2]) as cluster:
            print(cluster.name, flush=True)
            time.sleep(600)
    """)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, unique_name("doomed"), cluster.image],
            cwd=REPOSITORY_ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )
        for _ in range(2)
    ]  # fmt: skip
    yield processes
    for process in processes:
        process.kill()
        process.wait(timeout=10)
    cleanup.sweep()


def name_of_cluster(process: subprocess.Popen[str]) -> str:
    """Wait until the other process' cluster is up."""
    assert process.stdout
    return process.stdout.readline().strip()


def test_interrupted_run_leaves_nothing(doomed: list[subprocess.Popen[str]]) -> None:
    name = name_of_cluster(doomed[0])
    assert len(traces(name)) == 3
    doomed[0].send_signal(signal.SIGINT)
    doomed[0].wait(timeout=30)
    assert traces(name) == []


def test_next_start_sweeps_what_a_killed_run_left(
    doomed: list[subprocess.Popen[str]], cluster: Cluster
) -> None:
    name = name_of_cluster(doomed[1])
    assert len(traces(name)) == 3
    os.killpg(doomed[1].pid, signal.SIGKILL)
    doomed[1].wait(timeout=10)
    cleanup.sweep()
    assert traces(name) == []
    assert cluster.is_formed()


def test_failed_start_leaves_nothing(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    name = unique_name("failed")
    monkeypatch.setattr("pacefab.harness.formation.FORM_SECONDS", 0.01)
    with pytest.raises(HarnessError, match="not done"):
        Cluster.start(name, ["n1"], cluster.image)
    assert traces(name) == []


PAGE = REPOSITORY_ROOT / "docs" / "howto" / "own-tests.md"
OTHER_SUITE = PAGE.read_text().split("```python\n")[1].split("```")[0]


@pytest.mark.long
def test_somebody_elses_suite_uses_the_plugin(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "test_theirs.py").write_text(OTHER_SUITE)
    options = ["-p", "pacefab.harness.plugin", "--image", cluster.image, "--nodes", "left,right"]
    done = run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(tmp_path), *options, str(tmp_path)],
        timeout=300,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY_ROOT)},
    )
    assert "1 passed" in done.stdout
    running = docker.from_env().containers.list(all=True, ignore_removed=True)
    assert not [each.name for each in running if each.name.endswith(("-left", "-right"))]


# Without a route anything that needs a mirror fails; other tests have it again.
UNROUTED = """
default=$(ip route show default)
ip route del default
trap "ip route add $default" EXIT
"""
OFFERED = "mariadb-server galera-4 rsync redis-server firewalld haproxy memcached pacemaker pcs"


@pytest.mark.every_image
def test_bare_nodes_have_sshd_and_nothing_of_a_cluster(bare_nodes: Cluster) -> None:
    for place, node in enumerate(bare_nodes.nodes):
        assert ssh(bare_nodes, node, "hostname") == node
        found = "command -v pcs crm_mon corosync python3; ls -d /etc/corosync /var/lib/pacemaker"
        assert bare_nodes.run(node, found, check=False).stdout == ""
        assert f"192.0.2.{11 + place}" in ssh(bare_nodes, node, "hostname -I").split()
    with pytest.raises(HarnessError, match="start new ones"):
        bare_nodes.reset()


@pytest.mark.every_image
def test_bare_node_installs_what_is_offered_without_a_network(bare_nodes: Cluster) -> None:
    node = bare_nodes.nodes[0]
    simulated = bare_nodes.run(node, f"{UNROUTED}apt-get install -s {OFFERED}").stdout
    for package in OFFERED.split():
        assert f"\nInst {package} " in simulated


def test_second_address_survives_a_restart(bare_nodes: Cluster) -> None:
    last, first = bare_nodes.nodes[-1], bare_nodes.nodes[0]
    bare_nodes.restart_node(last)
    assert f"192.0.2.{10 + len(bare_nodes.nodes)}" in ssh(bare_nodes, last, "hostname -I").split()
    bare_nodes.run(first, f"getent ahostsv4 {last} | grep 192.0.2. && ping -c 1 -W 2 {last}")


def invoke(*words: str) -> subprocess.CompletedProcess[str]:
    """Run one of the harness' tasks as somebody at the keyboard does."""
    argv = [str(Path(sys.executable).with_name("invoke")), *words]
    return run(argv, timeout=180, check=False, cwd=REPOSITORY_ROOT)


@pytest.fixture
def kept(bare_nodes: Cluster) -> Iterator[str]:
    """The name of one bare node that `invoke cluster-up` started: n1."""
    name = unique_name("kept")
    image = bare_nodes.image
    started = invoke("cluster-up", "--bare", "--nodes", "n1", "--name", name, "--image", image)
    assert started.returncode == 0, started.stderr
    yield name
    invoke("cluster-down", "--name", name)  # or there is none any more


def ids(name: str) -> list[str]:
    """Return the containers of a cluster."""
    return [Cluster.load(name).container(node).id for node in Cluster.load(name).nodes]


@pytest.mark.long
def test_running_cluster_is_replaced_only_when_that_was_asked_for(kept: str) -> None:
    up = ("cluster-up", "--name", kept)
    first = ids(kept)
    again = invoke(*up, "--bare", "--nodes", "n1")
    assert (again.returncode, "is up already" in again.stderr) == (0, True)
    for words, why in (
        (("--bare", "--nodes", "n1,n2"), "has other nodes"),
        (("--nodes", "n1"), "is of bare nodes"),
        (("--nodes", "n1", "--image", "rpm"), "is of another image and is of bare nodes"),
    ):
        refused = invoke(*up, *words)
        assert refused.returncode == 1
        assert f"{kept} is there and {why}; it was left as it is" in refused.stderr
        assert "next: add --replace" in refused.stderr
    misspelled = invoke(*up, "--bare", "--replace", "--image", "debain12")
    assert misspelled.returncode == 2
    assert ids(kept) == first
    assert invoke("cluster-shell", "n2", "--name", kept).returncode == 2

    assert invoke(*up, "--bare", "--nodes", "n2", "--replace").returncode == 0
    assert Cluster.load(kept).nodes == ["n2"]
    # What runs no more is no loss.
    Cluster.load(kept).container("n2").kill()
    restarted = invoke(*up, "--bare", "--nodes", "n2")
    assert restarted.returncode == 0, restarted.stderr
    assert "is removed and started again: it is not complete" in restarted.stderr


def test_broken_description_keeps_no_cluster_from_being_removed(kept: str) -> None:
    (Cluster.load(kept).folder / DESCRIPTION).write_text('{"na')
    shell = invoke("cluster-shell", "n1", "--name", kept)
    assert shell.returncode == 1
    assert f"invoke cluster-down --name {kept}" in shell.stderr
    assert invoke("cluster-down", "--name", kept).returncode == 0
    assert traces(kept) == []
    assert invoke("cluster-down", "--name", kept).returncode == 2
