"""HAProxy, Galera and Redis, each asked as its clients and its operator would ask it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done

FIRST, SECOND, THIRD = NODES = ("controller1-vm", "controller2-vm", "controller3-vm")
ADDRESSES = dict(zip(NODES, ("192.0.2.11", "192.0.2.12", "192.0.2.13"), strict=True))
VIP_DB = "192.0.2.101"
STATS, CHECK, REDIS = 1993, 9200, 6379
PASSWORD = "statistics for few eyes"  # noqa: S105  (of containers)
REDIS_PASSWORD = "for-few-keys"  # noqa: S105  (of containers)
CONFIG = "/etc/haproxy/haproxy.cfg"
INVENTORY = f"""\
cluster: openstack
nodes:
  - {{name: controller1-vm, address: 192.0.2.11}}
  - {{name: controller2-vm, address: 192.0.2.12}}
  - {{name: controller3-vm, address: 192.0.2.13}}
fencing: {{disabled: true, reason: containers have no power switch}}
services:
  haproxy:
    stats: {{port: {STATS}}}
    proxies:
      - {{name: galera, vip: db, port: 3306, check: galera, active: one, timeout: 600}}
  vips: {{with_load_balancer: true, addresses: [{{name: db, address: {VIP_DB}}}]}}
  galera: {{}}
  redis: {{memory: 64}}
"""
GET = r"""
import base64, sys, urllib.error, urllib.request
request = urllib.request.Request(sys.argv[1])
if len(sys.argv) > 2:
    word = base64.b64encode(sys.argv[2].encode()).decode()
    request.add_header("Authorization", "Basic " + word)
try:
    print(urllib.request.urlopen(request, timeout=10).status)
except urllib.error.HTTPError as error:
    print(error.code)
"""


def deploy(cluster: Cluster, folder: Path, text: str = INVENTORY) -> Done:
    """Run `fab deploy` with an inventory."""
    file = folder / "inventory.yaml"
    file.write_text(text)
    argv = eyes.fab_argv(cluster, "deploy", "--yes", "--inventory", str(file))
    place = argv.index("-H")
    del argv[place : place + 2]
    secrets = {
        "PACEFAB_SECRET_HACLUSTER": "correct horse battery",
        "PACEFAB_SECRET_HAPROXY_STATS": PASSWORD,
        "PACEFAB_SECRET_REDIS": REDIS_PASSWORD,
    }
    return subprocess.run(
        argv,
        env=eyes.environment(**secrets),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=REPOSITORY_ROOT,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture(scope="module")
def stack(openstack_nodes: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """The nodes with the services deployed."""
    done = deploy(openstack_nodes, tmp_path_factory.mktemp("inventory"))
    assert done.returncode == 0, done.stdout + done.stderr
    return openstack_nodes


def get(cluster: Cluster, asking: str, url: str, *credentials: str) -> str:
    """Return the status that a node gets for a URL."""
    words = " ".join(f"'{word}'" for word in (url, *credentials))
    return cluster.run(asking, f"python3 -I -c '{GET}' {words}").stdout.strip()


def redis(cluster: Cluster, asking: str, asked: str, *words: str) -> str:
    """Run a command of Redis from one node at another's address."""
    login = f"REDISCLI_AUTH={REDIS_PASSWORD}"
    command = " ".join([login, "redis-cli", "-h", ADDRESSES[asked], *words])
    return cluster.run(asking, command).stdout.strip()


@contextmanager
def desynced(cluster: Cluster, node: str) -> Iterator[None]:
    """Take a node's database out of step, as a backup does."""
    set_to = "mariadb --execute 'SET GLOBAL wsrep_desync = {}'"
    cluster.run(node, set_to.format("ON"))
    try:
        yield
    finally:
        cluster.run(node, set_to.format("OFF"))


def haproxy(cluster: Cluster, node: str) -> str:
    """Return the pid of HAProxy's first process, which a reload keeps."""
    return cluster.run(node, "systemctl show --value --property MainPID haproxy").stdout.strip()


def test_statistics_want_the_password(stack: Cluster) -> None:
    page = f"http://{ADDRESSES[SECOND]}:{STATS}/"
    assert get(stack, FIRST, page) == "401"
    assert get(stack, FIRST, page, "admin:wrong") == "401"
    assert get(stack, FIRST, page, f"admin:{PASSWORD}") == "200"


def test_nobody_reads_the_password_on_a_node(stack: Cluster) -> None:
    for node in NODES:
        assert stack.run(node, f"stat -c '%a %U' {CONFIG}").stdout == "600 root\n"
        assert PASSWORD not in eyes.read(stack, node, CONFIG)


def test_a_configuration_that_haproxy_refuses_changes_nothing(
    stack: Cluster, tmp_path: Path
) -> None:
    before = {node: eyes.read(stack, node, CONFIG) for node in NODES}
    # A second frontend of this name: only HAProxy knows that there is one already.
    text = INVENTORY.replace("  vips:", "      - {name: stats, vip: db, port: 8080}\n  vips:")

    done = deploy(stack, tmp_path, text)

    eyes.assert_refused(done, CONFIG, "stats")
    assert {node: eyes.read(stack, node, CONFIG) for node in NODES} == before
    assert get(stack, FIRST, f"http://{ADDRESSES[FIRST]}:{STATS}/") == "401"


def test_a_new_configuration_is_reloaded_not_restarted(stack: Cluster, tmp_path: Path) -> None:
    before = {node: haproxy(stack, node) for node in NODES}
    text = INVENTORY.replace("  vips:", "      - {name: cache, vip: db, port: 6379}\n  vips:")

    done = deploy(stack, tmp_path, text)

    assert done.returncode == 0, done.stdout + done.stderr
    assert {node: haproxy(stack, node) for node in NODES} == before
    role = f"REDISCLI_AUTH={REDIS_PASSWORD} redis-cli -h {VIP_DB} role"
    assert stack.run(THIRD, role).stdout.split()[0] in {"master", "slave"}
    assert deploy(stack, tmp_path).returncode == 0


def test_a_database_out_of_step_says_so(stack: Cluster) -> None:
    check = f"http://{ADDRESSES[THIRD]}:{CHECK}/"
    assert get(stack, FIRST, check) == "200"
    with desynced(stack, THIRD):
        assert get(stack, FIRST, check) == "503"
    eyes.until(lambda: get(stack, FIRST, check) == "200", "the check says 200 again")


def test_the_load_balancer_leaves_a_database_that_is_out_of_step(stack: Cluster) -> None:
    stack.run(
        FIRST, "mariadb --execute \"CREATE USER IF NOT EXISTS probe IDENTIFIED BY 'for tests'\""
    )

    def serving() -> str:
        ask = f"mariadb -h {VIP_DB} -u probe -p'for tests' -BNe 'SELECT @@wsrep_node_name'"
        return stack.run(SECOND, ask, check=False).stdout.strip()

    eyes.until(lambda: serving() in NODES, "the new user is known everywhere")
    first = serving()
    with desynced(stack, first):
        eyes.until(lambda: serving() in set(NODES) - {first}, "another database serves")


def test_redis_replicates_to_every_node(stack: Cluster) -> None:
    roles = {node: redis(stack, FIRST, node, "role").split()[0] for node in NODES}
    assert sorted(roles.values()) == ["master", "slave", "slave"]
    leader = next(node for node, role in roles.items() if role == "master")

    assert redis(stack, FIRST, leader, "set", "key", "value") == "OK"
    assert redis(stack, FIRST, leader, "wait", "2", "5000") == "2"

    for node in NODES:
        assert redis(stack, FIRST, node, "get", "key") == "value"


def test_the_units_are_pacemakers(stack: Cluster) -> None:
    for unit in ("haproxy", "mariadb", "redis-server"):
        state = stack.run(SECOND, f"systemctl is-enabled {unit}", check=False).stdout.strip()
        assert state == "disabled", unit


def test_a_second_deploy_changes_nothing(stack: Cluster, tmp_path: Path) -> None:
    before = eyes.cib_state(stack)
    done = deploy(stack, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed" not in done.stdout.replace("unchanged", "")
    assert eyes.cib_state(stack) == before
