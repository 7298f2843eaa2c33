"""The EL family by its own package manager: bare hosts become a cluster with the whole stack.

The hosts are the stand-in for CentOS Stream 9: dnf and rpm are real, and the RPMs have Debian's
programs under EL's names and paths. The tests build on each other, in the order of the file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.harness.plugin import OPENSTACK, ClusterFactory
from tests.cluster import eyes
from tests.cluster.eyes import Done

pytestmark = pytest.mark.every_image

FIRST, SECOND, THIRD = OPENSTACK
VIP = "192.0.2.101"
INVENTORY = """\
cluster: openstack
nodes:
  - {name: controller1-vm, address: 192.0.2.11}
  - {name: controller2-vm, address: 192.0.2.12}
  - {name: controller3-vm, address: 192.0.2.13}
fencing: {disabled: true, reason: containers have no power switch}
"""
STACK = f"""\
services:
  haproxy:
    stats: {{port: 1993}}
    proxies:
      - {{name: galera, vip: db, port: 3306, check: galera, active: one, timeout: 600}}
      - {{name: rabbitmq, vip: db, port: 5672, timeout: 600}}
  vips: {{with_load_balancer: true, addresses: [{{name: db, address: {VIP}}}]}}
  galera: {{}}
  rabbitmq: {{}}
  redis: {{memory: 64}}
  memcached: {{}}
"""
SECRETS = {
    "PACEFAB_SECRET_HACLUSTER": "correct horse battery",
    "PACEFAB_SECRET_HAPROXY_STATS": "statistics for few eyes",
    "PACEFAB_SECRET_RABBITMQ": "carrots-for-rabbits",
    "PACEFAB_SECRET_RABBITMQ_COOKIE": "ABCDEFGHIJKLMNOPQRST",
    "PACEFAB_SECRET_REDIS": "leaders-and-followers",
}
PACKAGES = (
    "haproxy mariadb-server-galera galera rsync rabbitmq-server redis memcached pacemaker pcs"
)


@pytest.fixture(scope="module")
def hosts(cluster_factory: ClusterFactory, pytestconfig: pytest.Config) -> Cluster:
    if "rpm" not in pytestconfig.getoption("--image"):
        pytest.skip("the hosts are of the rpm family")
    return cluster_factory("rpm", OPENSTACK, bare=True)


def fab(hosts: Cluster, folder: Path, *words: str, text: str = INVENTORY) -> Done:
    """Run fab on the hosts that an inventory names."""
    return eyes.fab_by_inventory(hosts, folder, *words, text=text, secrets=SECRETS)


def enabled(hosts: Cluster, node: str) -> list[str]:
    """Return the repositories that dnf has enabled on a node."""
    listed = hosts.run(node, "dnf -q repolist --enabled").stdout.splitlines()
    return [line.split()[0] for line in listed[1:]]


def test_bootstrap_enables_the_repository_of_a_clusters_packages(
    hosts: Cluster, tmp_path: Path
) -> None:
    assert "highavailability" not in enabled(hosts, FIRST)
    assert hosts.run(FIRST, "rpm -q pacemaker", check=False).returncode == 1
    planned = fab(hosts, tmp_path, "plan")
    for node in OPENSTACK:
        assert f"{node}: repository highavailability enabled" in planned.stdout

    formed = fab(hosts, tmp_path, "bootstrap")

    assert formed.returncode == 0, formed.stdout + formed.stderr
    for node in OPENSTACK:
        assert "highavailability" in enabled(hosts, node)
        hosts.run(node, "rpm -q pacemaker corosync pcs resource-agents")
        units = hosts.run(node, "systemctl is-enabled corosync pacemaker pcsd").stdout
        assert units.split() == ["enabled"] * 3
    nodes = hosts.run(SECOND, "crm_node --partition").stdout.split()
    assert sorted(nodes) == list(OPENSTACK)
    again = fab(hosts, tmp_path, "plan")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "nothing to do" in again.stdout


@pytest.fixture(scope="module")
def stack(hosts: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The cluster with every service, by dnf."""
    folder = tmp_path_factory.mktemp("inventory")
    done = fab(hosts, folder, "deploy", "--yes", text=INVENTORY + STACK)
    assert done.returncode == 0, done.stdout + done.stderr
    return hosts


@pytest.mark.long
def test_the_whole_stack_is_there_as_rpms_and_serves(stack: Cluster, tmp_path: Path) -> None:
    for node in OPENSTACK:
        stack.run(node, f"rpm -q {PACKAGES}")
        for unit in ("haproxy", "mariadb", "rabbitmq-server", "redis", "memcached"):
            found = stack.run(node, f"systemctl is-enabled {unit}", check=False).stdout
            assert found == "disabled\n", f"{unit} on {node}"
    size = "mysql -N -e \"SHOW STATUS LIKE 'wsrep_cluster_size'\" | cut -f 2"
    assert stack.run(SECOND, size).stdout == "3\n"
    stack.run(FIRST, "mysql -e 'CREATE DATABASE proof'")
    assert stack.run(THIRD, "mysql -N -e \"SHOW DATABASES LIKE 'proof'\"").stdout == "proof\n"
    running = stack.run(FIRST, "rabbitmqctl -q -n rabbit@192.0.2.11 cluster_status").stdout
    assert all(f"rabbit@192.0.2.{number}" in running for number in (11, 12, 13))
    # MariaDB and RabbitMQ answer at the VIP, through HAProxy; the greeting names who speaks.
    for port, words in ((3306, "MariaDB"), (5672, "AMQP")):
        hello = "printf 'hello\\r\\n\\r\\n\\r\\n' >&3; timeout 5 head -c 90 <&3 | tr -d '\\0'"
        asked = f'bash -c "exec 3<>/dev/tcp/{VIP}/{port}; {hello}"'
        assert words in stack.run(THIRD, asked, check=False).stdout


@pytest.mark.long
def test_a_second_deploy_changes_nothing(stack: Cluster, tmp_path: Path) -> None:
    done = fab(stack, tmp_path, "plan", text=INVENTORY + STACK)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing to do" in done.stdout
