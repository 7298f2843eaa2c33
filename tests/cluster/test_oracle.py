"""pcs is the oracle: one patch of ours makes of the CIB what the classic pcs commands make of it.

Both run on one cluster, which in between goes back to how it was formed. Nothing starts: in
maintenance mode Pacemaker only takes the configuration, and neither side waits for agents.

Equal means equal, ids included. The exceptions:
- the property set `pacefab`, our record of what is ours;
- `boolean-op="and"` on a rule of one expression, which pcs 0.12 writes and 0.11 does not.
"""

from __future__ import annotations

import shlex
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

import pytest
from lxml import etree

from pacefab.harness.cluster import Cluster
from tests.cluster import patching

pytestmark = pytest.mark.every_image

NAMES = ("db", "rabbitmq", "keystone", "glance", "cinder", "swift", "neutron", "nova", "horizon",
         "heat", "ceilometer", "qpid")  # fmt: skip
ADDRESSES = {name: f"192.0.2.{number}" for number, name in enumerate(NAMES, start=101)}
FOLLOWER = ("store", "192.0.2.120")  # the VIP of what takes Redis' writes
INVENTORY = """\
cluster: {cluster}
nodes:
{nodes}
properties: {{no-quorum-policy: stop, cluster-recheck-interval: 5min}}
defaults: {{resource-stickiness: 100, failure-timeout: 10min}}
fencing: {{disabled: true, reason: a test of the CIB alone}}
services:
  haproxy: {{proxies: [{{name: galera, vip: db, port: 3306}}]}}
  vips:
    with_load_balancer: true
    addresses:
{addresses}
  galera: {{members: names}}
  memcached: {{}}
  rabbitmq: {{}}
  redis: {{}}
constraints:
  location:
    - {{resource: vip-db, attribute: rack, operation: eq, value: a, score: 50}}
"""
STUBS = ("haproxy.service", "memcached.service", "rabbitmq-server.service")
UNITS = """
for unit in %s; do
    printf '[Service]\\nExecStart=/bin/sleep infinity\\n' >/run/systemd/system/$unit
done
systemctl daemon-reload
"""
TIMES = 3  # ours takes a second: other tests' work beside one of them must not decide
MAINTENANCE = "crm_attribute --type crm_config --name maintenance-mode --update true"
GALERA = (
    "binary=/usr/bin/mariadbd-safe client_binary=/usr/bin/mariadb config=/etc/mysql/my.cnf"
    " pid=/run/mysqld/mysqld.pid socket=/run/mysqld/mysqld.sock"
)


@dataclass(frozen=True)
class Written:
    """What one side wrote, and how long it took."""

    sections: list[str]
    seconds: float
    lines: list[str]  # the pcs commands that say the same


@pytest.fixture(scope="module")
def ready(cluster: Cluster) -> Iterator[Cluster]:
    """The session's cluster with the units that pcs asks systemd about."""
    if cluster.image == "rpm":
        pytest.skip("its pcs and Pacemaker are those of debian12")
    cluster.reset()
    for node in cluster.nodes:
        cluster.run(node, UNITS % " ".join(STUBS))
    yield cluster
    for node in cluster.nodes:
        cluster.run(node, f"cd /run/systemd/system && rm {' '.join(STUBS)}")
    cluster.reset()


@pytest.fixture(scope="module")
def ours(ready: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Written:
    """What the product writes for the inventory: looking, planning, simulating and the patch."""
    ready.run("c1", MAINTENANCE)
    file = inventory(ready, tmp_path_factory.mktemp("oracle") / "stack.yaml")
    lines = patching.pcs_lines(ready, file)
    before = ready.run("c1", "cibadmin --query --scope configuration").stdout
    times = []
    for _ in range(TIMES):
        ready.run("c1", "cibadmin --replace --scope configuration --xml-pipe", stdin=before)
        begun = time.monotonic()
        patching.patch(ready, file)
        times.append(time.monotonic() - begun)
    return Written(configured(ready), statistics.median(times), lines)


@pytest.fixture(scope="module")
def theirs(ready: Cluster, ours: Written) -> Written:
    """What pcs writes, a command for each thing."""
    ready.reset()
    ready.run("c1", MAINTENANCE)
    lines = commands(ready)
    begun = time.monotonic()
    ready.run("c1", "\n".join(["set -e", *lines]), timeout=240)
    return Written(configured(ready), time.monotonic() - begun, lines)


def commands(cluster: Cluster) -> list[str]:
    """Return the commands of the classic stack, in the order of the inventory."""
    members = ",".join(cluster.nodes)
    vips = [(f"vip-{name}", address) for name, address in (*ADDRESSES.items(), FOLLOWER)]
    lines = [
        "pcs property set no-quorum-policy=stop",
        "pcs property set cluster-recheck-interval=5min",
        "pcs resource defaults update resource-stickiness=100",
        "pcs resource defaults update failure-timeout=10min",
        "pcs node attribute c1 rack=a",
        "pcs resource create lb-haproxy systemd:haproxy clone interleave=true",
    ]
    lines += [
        f"pcs resource create {vip} ocf:heartbeat:IPaddr2 ip={address} nic=eth0 cidr_netmask=24"
        for vip, address in vips
    ]
    galera = (
        f"pcs resource create galera ocf:heartbeat:galera {GALERA}"
        f" wsrep_cluster_address=gcomm://{members}"
        " op promote interval=0s timeout=300s on-fail=block"
        f" promotable ordered=true promoted-max={len(cluster.nodes)}"
    )
    rabbitmq = (
        "pcs resource create rabbitmq systemd:rabbitmq-server op monitor interval=10s timeout=60s"
        " stop interval=0s timeout=120s clone interleave=true"
    )
    redis = (
        "pcs resource create redis ocf:heartbeat:redis config=/etc/redis-pacemaker.conf"
        " promotable interleave=true notify=true"
    )
    memcached = "pcs resource create memcached systemd:memcached clone interleave=true"
    lines += [galera, memcached, rabbitmq, redis]
    for vip, _ in vips[:-1]:
        lines += [
            f"pcs constraint order start {vip} then start lb-haproxy-clone kind=Optional",
            f"pcs constraint colocation add {vip} with lb-haproxy-clone",
        ]
    lines += [
        f"pcs constraint order promote redis-clone then start {vips[-1][0]}",
        f"pcs constraint colocation add {vips[-1][0]} with Promoted redis-clone",
    ]
    return [*lines, "pcs constraint location vip-db rule score=50 rack eq a"]


def test_the_configuration_equals_that_of_pcs(ours: Written, theirs: Written) -> None:
    assert sum("<op " in line for line in theirs.sections) >= 40, "pcs wrote a stack to compare"
    difference = unified_diff(theirs.sections, ours.sections, "pcs", "pacefab", lineterm="", n=5)
    assert not (found := "\n".join(difference)), found


def test_the_pcs_lines_that_are_shown_are_these_commands(ours: Written, theirs: Written) -> None:
    assert [shlex.split(line) for line in ours.lines] == [
        shlex.split(line) for line in theirs.lines
    ]


def test_it_takes_a_tenth_of_the_time(ours: Written, theirs: Written) -> None:
    said = f"ours {ours.seconds:.2f} s, {len(theirs.lines)} pcs commands {theirs.seconds:.2f} s"
    assert ours.seconds * 10 <= theirs.seconds, said


def inventory(cluster: Cluster, file: Path) -> Path:
    """Write the classic stack's inventory for the cluster's own nodes."""
    nodes = [f"  - {{name: {n}, address: {cluster.address(n)}}}" for n in cluster.nodes]
    nodes[0] = nodes[0].replace("}", ", attributes: {rack: a}}")
    vips = [
        f"      - {{name: {name}, address: {address}, nic: eth0, netmask: 24}}"
        for name, address in ADDRESSES.items()
    ]
    name, address = FOLLOWER
    where = f"name: {name}, address: {address}, nic: eth0, netmask: 24"
    vips.append(f"      - {{{where}, follows: redis}}")
    text = INVENTORY.format(cluster=cluster.name, nodes="\n".join(nodes), addresses="\n".join(vips))
    file.write_text(text)
    return file


def configured(cluster: Cluster) -> list[str]:
    """Return the configuration in a canonical form, a line per element, without the exceptions."""
    text = cluster.run("c1", "cibadmin --query --scope configuration").stdout
    root = etree.fromstring(text, etree.XMLParser(remove_blank_text=True))
    for record in root.iterfind(".//cluster_property_set[@id='pacefab']"):
        record.getparent().remove(record)  # type: ignore[union-attr]
    for element in root.iter():
        attributes = sorted(element.attrib.items())
        element.attrib.clear()
        element.attrib.update(attributes)
        if element.tag == "rule" and len(element) == 1:
            element.attrib.pop("boolean-op", "")
    return etree.tostring(root, pretty_print=True, encoding="unicode").splitlines()
