"""firewalld lets in the cluster's own addresses when the inventory says so, and no one else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes
from tests.cluster.eyes import Done

FIREWALL = r"""
set -e
apt-get install -qq -y --no-install-recommends firewalld >/dev/null 2>&1
systemctl unmask --quiet firewalld
systemctl start firewalld
# As an operator of a cluster has it (corosync, pcsd).
firewall-cmd --quiet --permanent --add-service=high-availability
firewall-cmd --quiet --reload
"""


@pytest.fixture(scope="module")
def firewalled(bare: Cluster) -> Iterator[Cluster]:
    on_all(lambda node: bare.run(node, FIREWALL, timeout=180), bare.nodes)
    yield bare
    on_all(lambda node: bare.run(node, "systemctl stop firewalld"), bare.nodes)


def install(cluster: Cluster, folder: Path, firewall: str) -> Done:
    file = folder / "cluster.yaml"
    file.write_text(
        f"cluster: lab\nnodes: [{', '.join(cluster.nodes)}]\nfirewall: {firewall}\n"
        "services:\n  memcached: {}\n"
    )
    done = cluster.fab("install-memcached", "--inventory", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def rules(cluster: Cluster, node: str, *options: str) -> list[str]:
    command = f"firewall-cmd {' '.join(options)} --list-rich-rules"
    return sorted(cluster.run(node, command).stdout.strip().splitlines())


def ours(cluster: Cluster) -> list[str]:
    return sorted(
        f'rule family="ipv4" source address="{cluster.address(node)}"'
        f' port port="{eyes.PORT}" protocol="tcp" accept'
        for node in cluster.nodes
    )


def reaches(address: str) -> bool:
    """Tell whether a host outside of the cluster, this one, gets a connection."""
    try:
        with socket.create_connection((address, eyes.PORT), timeout=3):
            return True
    except OSError:
        return False


def test_a_firewall_that_is_the_operators_is_reported_and_left(
    firewalled: Cluster, tmp_path: Path
) -> None:
    done = install(firewalled, tmp_path, "unmanaged")
    assert done.stdout.count("firewalld is active") == 3
    assert f"{eyes.PORT}/tcp" in done.stdout
    assert rules(firewalled, "c1") == []


def test_a_managed_firewall_lets_in_the_clusters_addresses_and_stays_on(
    firewalled: Cluster, tmp_path: Path
) -> None:
    done = install(firewalled, tmp_path, "managed")
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(firewalled.nodes, "changed")
    for node in firewalled.nodes:
        assert rules(firewalled, node) == ours(firewalled)
        assert rules(firewalled, node, "--permanent") == ours(firewalled)
    again = install(firewalled, tmp_path, "managed")
    unchanged = dict.fromkeys(firewalled.nodes, "unchanged")
    assert eyes.outcomes(again, "install-memcached") == unchanged

    created = firewalled.fab("create-memcached", "verify-memcached")
    assert created.returncode == 0, created.stdout + created.stderr
    for node in firewalled.nodes:
        assert firewalled.run(node, "firewall-cmd --state").stdout == "running\n"
        assert not reaches(firewalled.address(node))


def test_a_rule_that_the_next_start_would_forget_is_drift(
    firewalled: Cluster, tmp_path: Path
) -> None:
    (rule, *_) = ours(firewalled)
    firewalled.run("c2", f"firewall-cmd --permanent --remove-rich-rule='{rule}'")
    done = install(firewalled, tmp_path, "managed")
    found = eyes.outcomes(done, "install-memcached")
    assert found == {"c1": "unchanged", "c2": "changed", "c3": "unchanged"}
    assert rules(firewalled, "c2", "--permanent") == ours(firewalled)


@pytest.fixture(scope="module")
def visitor(firewalled: Cluster) -> Iterator[Any]:
    """A client: a container on the nodes' network that is no node."""
    node = firewalled.container("c1")
    (network,) = node.attrs["NetworkSettings"]["Networks"]
    client = docker.from_env().containers.run(
        node.image, ["sleep", "600"], network=network, labels=node.labels, detach=True
    )
    try:
        client.reload()
        yield client
    finally:
        client.remove(force=True)


def test_clients_of_a_network_are_let_in_and_no_others(
    firewalled: Cluster, visitor: Any, tmp_path: Path
) -> None:
    (known,) = visitor.attrs["NetworkSettings"]["Networks"].values()
    asked = f"exec 3<>/dev/tcp/{firewalled.address('c2')}/{eyes.PORT}"

    def comes_in() -> bool:
        return bool(visitor.exec_run(["timeout", "3", "bash", "-c", asked]).exit_code == 0)

    firewalled.fab("create-memcached", check=True)
    assert not comes_in()
    done = install(firewalled, tmp_path, f"{{clients: [{known['IPAddress']}]}}")
    assert eyes.outcomes(done, "install-memcached") == dict.fromkeys(firewalled.nodes, "changed")
    assert comes_in()
    assert not reaches(firewalled.address("c2")), "this machine is not among the clients"
    again = install(firewalled, tmp_path, f"{{clients: [{known['IPAddress']}/32]}}")
    unchanged = dict.fromkeys(firewalled.nodes, "unchanged")
    assert eyes.outcomes(again, "install-memcached") == unchanged

    removed = firewalled.fab(
        "remove-memcached", "--purge", "--yes", "--inventory", str(tmp_path / "cluster.yaml")
    )
    assert removed.returncode == 0, removed.stdout + removed.stderr
    for node in firewalled.nodes:
        assert rules(firewalled, node) == rules(firewalled, node, "--permanent") == []
