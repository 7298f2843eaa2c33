"""HAProxy, Galera, Redis, memcached: each asked as its clients would ask it, and by status."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pacefab.cli.inventory import read_inventory
from pacefab.harness.cluster import Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done

pytestmark = pytest.mark.long

FIRST, SECOND, THIRD = NODES = ("controller1-vm", "controller2-vm", "controller3-vm")
ADDRESSES = dict(zip(NODES, ("192.0.2.11", "192.0.2.12", "192.0.2.13"), strict=True))
VIP_DB = "192.0.2.101"
STATS, CHECK, REDIS = 1993, 9200, 6379
PASSWORD = "statistics for few eyes"  # noqa: S105  (of containers)
REDIS_PASSWORD = "leaders-and-followers"  # noqa: S105
CHECK_SOCKET = "pacefab-galera-check.socket"
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
  memcached: {{}}
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
    return fab(cluster, folder, "deploy", "--yes", text=text)


def fab(cluster: Cluster, folder: Path, *args: str, text: str = INVENTORY) -> Done:
    """Run a task with an inventory."""
    secrets = {
        "PACEFAB_SECRET_HACLUSTER": "correct horse battery",
        "PACEFAB_SECRET_HAPROXY_STATS": PASSWORD,
        "PACEFAB_SECRET_REDIS": REDIS_PASSWORD,
    }
    return eyes.fab_by_inventory(cluster, folder, *args, text=text, secrets=secrets)


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
    # An interface that no node has: only HAProxy there knows.
    vip = "fe80::1%nowhere0"
    text = INVENTORY.replace("  vips:", f"      - {{name: odd, vip: '{vip}', port: 8080}}\n  vips:")

    done = deploy(stack, tmp_path, text)

    eyes.assert_refused(done, CONFIG, vip)
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
    # A check that the machine keeps waiting for two seconds says 503, too.
    eyes.until(lambda: get(stack, FIRST, check) == "200", "the check says 200")
    with desynced(stack, THIRD):
        assert get(stack, FIRST, check) == "503"
    eyes.until(lambda: get(stack, FIRST, check) == "200", "the check says 200 again")


FLOOD = r"""
import socket, sys
for address in sys.argv[2:]:
    for _ in range(600):
        socket.create_connection((address, int(sys.argv[1])), timeout=10).close()
"""
SILENT = r"""
import socket, sys, time
links = [socket.create_connection((sys.argv[2], int(sys.argv[1])), timeout=10) for _ in range(100)]
print("connected", flush=True)
time.sleep(60)
"""
SOCKET = "pacefab-galera-check.socket"
BIND = "net.ipv4.ip_nonlocal_bind"


def accepted(cluster: Cluster, asking: str, asked: str) -> bool:
    """Whether a node's health check says that its database serves."""
    url = f"http://{ADDRESSES[asked]}:{CHECK}/"
    return cluster.run(asking, f"python3 -I -c '{GET}' {url}", check=False).stdout == "200\n"


def test_no_number_of_connections_ends_the_health_check(stack: Cluster) -> None:
    words = " ".join([str(CHECK), *ADDRESSES.values()])
    stack.run(THIRD, f"python3 -I -c '{FLOOD}' {words}")
    for node in NODES:
        eyes.until(partial(accepted, stack, FIRST, node), f"{node} answers after the flood")
        assert stack.run(node, f"systemctl is-active {SOCKET}").stdout.strip() == "active"


def test_who_connects_and_says_nothing_keeps_nobody_out(stack: Cluster) -> None:
    silent = f"python3 -I -c '{SILENT}' {CHECK} {ADDRESSES[SECOND]}"
    stack.run(THIRD, f"systemd-run --quiet --collect --unit=silent {silent}")
    try:
        eyes.until(partial(accepted, stack, FIRST, SECOND), "another node gets its answer")
        eyes.until(partial(accepted, stack, THIRD, SECOND), "the same node too, a moment later")
    finally:
        stack.run(THIRD, "systemctl stop silent", check=False)


def test_what_is_wrong_beside_pacemaker_is_seen_and_set_right(
    stack: Cluster, tmp_path: Path
) -> None:
    stack.run(SECOND, f"systemctl stop {SOCKET}")
    stack.run(THIRD, f"sysctl -q -w {BIND}=0")

    plan, status = fab(stack, tmp_path, "plan"), fab(stack, tmp_path, "status")

    assert plan.returncode == 2, plan.stdout + plan.stderr
    assert f"\n{THIRD}\n  {BIND} is 0, not 1\n" in plan.stdout
    assert f"{SOCKET} enabled and started" in plan.stdout
    assert status.returncode == 1, status.stdout + status.stderr
    assert f"{SOCKET} does not run on {SECOND} (inactive)" in status.stdout
    assert f"{BIND} is 0, not 1, on {THIRD}" in status.stdout

    done = deploy(stack, tmp_path)

    assert done.returncode == 0, done.stdout + done.stderr
    assert stack.run(THIRD, f"sysctl -n {BIND}").stdout.strip() == "1"
    assert fab(stack, tmp_path, "plan").returncode == 0


def test_a_database_older_than_its_configuration_is_reported(
    stack: Cluster, tmp_path: Path
) -> None:
    config = "/etc/mysql/mariadb.conf.d/70-pacefab-galera.cnf"
    stack.run(SECOND, f"touch -r {config} /run/written && touch {config}")
    try:
        plan = fab(stack, tmp_path, "plan")
        status = fab(stack, tmp_path, "status")
    finally:
        stack.run(SECOND, f"touch -r /run/written {config} && rm /run/written")
    line = f"in force after: fab update-galera ({SECOND}: older than {config})"
    assert plan.returncode == 2, plan.stdout + plan.stderr
    assert line in plan.stdout
    assert f"notice: {line}" in status.stdout
    assert fab(stack, tmp_path, "plan").returncode == 0


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


@contextmanager
def hanging(cluster: Cluster, folder: Path, node: str, program: str) -> Iterator[None]:
    """Stop all processes of a program as a dead disk would: nothing is closed, nothing answered.

    A monitor may see it, and other databases may leave this one behind: that is over afterwards.
    """
    pids = cluster.run(node, f"pidof {program}").stdout.strip()
    assert pids
    cluster.run(node, f"kill -STOP {pids}")
    try:
        yield
    finally:
        cluster.run(node, f"kill -CONT {pids}")
        eyes.until(lambda: has_forgotten(cluster, folder), "what hung is forgotten", 120)


def has_forgotten(cluster: Cluster, folder: Path) -> bool:
    """Whether everything serves again, once Pacemaker is made to forget what has failed."""
    cluster.run(FIRST, "crm_resource --cleanup --quiet")
    return is_healthy(cluster, folder)


def is_healthy(cluster: Cluster, folder: Path) -> bool:
    """Whether status finds nothing wrong."""
    return fab(cluster, folder, "status").returncode == 0


@pytest.mark.parametrize(
    ("service", "program"),
    [
        ("haproxy", "haproxy"),
        ("galera", "mariadbd"),
        ("redis", "redis-server"),
        ("memcached", "memcached"),
    ],
)
def test_a_service_that_hangs_is_degraded_within_seconds(
    stack: Cluster, tmp_path: Path, service: str, program: str
) -> None:
    eyes.until(lambda: is_healthy(stack, tmp_path), "everything serves", 60)
    begun = time.monotonic()
    assert is_healthy(stack, tmp_path)
    usual = time.monotonic() - begun

    with hanging(stack, tmp_path, SECOND, program):
        begun = time.monotonic()
        done = fab(stack, tmp_path, "status")
        seconds = time.monotonic() - begun

    assert done.returncode == 1, done.stdout + done.stderr
    reasons = done.stdout.partition("degraded:")[2]
    assert re.search(rf"{service} \w+ on {SECOND}, yet it does not serve", reasons), done.stdout
    assert "timed out" in reasons or "timeout" in reasons or "Lost connection" in reasons
    # What hangs costs one limit of 2 to 3 s, however many questions wait for it.
    assert seconds < usual + 5, (usual, seconds)


def test_a_dead_health_check_of_a_database_is_degraded(stack: Cluster, tmp_path: Path) -> None:
    eyes.until(lambda: is_healthy(stack, tmp_path), "everything serves", 60)
    stack.run(THIRD, f"systemctl stop {CHECK_SOCKET}")
    try:
        done = fab(stack, tmp_path, "status")
    finally:
        stack.run(THIRD, f"systemctl start {CHECK_SOCKET}")
    assert done.returncode == 1, done.stdout + done.stderr
    reasons = done.stdout.partition("degraded:")[2]
    assert re.search(rf"galera \w+ on {THIRD}, yet it does not serve", reasons), done.stdout
    assert f"{CHECK_SOCKET} does not run on {THIRD}" in reasons


def test_a_proxy_without_a_database_is_degraded_on_every_node(
    stack: Cluster, tmp_path: Path
) -> None:
    """All checks are dead: the databases are in sync, and no client reaches one."""
    eyes.until(lambda: is_healthy(stack, tmp_path), "everything serves", 60)
    for node in NODES:
        stack.run(node, f"systemctl stop {CHECK_SOCKET}")

    def said() -> str:
        return fab(stack, tmp_path, "status").stdout.partition("degraded:")[2]

    try:
        eyes.until(
            lambda: said().count("no server is up behind galera") == len(NODES), "all say", 60
        )
    finally:
        for node in NODES:
            stack.run(node, f"systemctl start {CHECK_SOCKET}")


def test_every_service_is_there_for_programs(stack: Cluster, tmp_path: Path) -> None:
    eyes.until(lambda: is_healthy(stack, tmp_path), "everything serves", 60)
    services = {"galera", "haproxy", "memcached", "redis", "vips"}
    recognised = json.loads(stack.fab("status", "--json", hosts=[FIRST]).stdout)
    for found in (json.loads(fab(stack, tmp_path, "status", "--json").stdout), recognised):
        assert found["verdict"] == "healthy"
        assert set(found["services"]) == services
        galera = found["services"]["galera"]["instances"]
        assert {one["node"]: one["figures"]["cluster_size"] for one in galera} == dict.fromkeys(
            NODES, 3
        )
        (vip,) = found["services"]["vips"]["instances"]
        assert vip["node"] in NODES
        assert VIP_DB in stack.run(vip["node"], "ip -o addr show").stdout
    text = fab(stack, tmp_path, "status", "--prometheus").stdout
    metrics = {metric.name: metric for metric in text_string_to_metric_families(text)}
    serving = metrics["pacefab_service_serving"].samples
    assert {one.labels["service"] for one in serving} == services
    assert {one.value for one in serving} == {1.0}
    assert {one.value for one in metrics["pacefab_haproxy_proxies_up"].samples} == {1.0}


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


def test_it_is_exported_as_the_inventory_that_made_it(stack: Cluster, tmp_path: Path) -> None:
    target, made = tmp_path / "found.yaml", tmp_path / "made.yaml"
    made.write_text(INVENTORY)
    done = stack.fab("export", "--to", str(target), check=True)
    found = read_inventory(target)
    assert found.sections == read_inventory(made).sections
    assert not found.resources
    for secret in (PASSWORD, REDIS_PASSWORD):
        assert secret not in target.read_text() + done.stdout
    planned = fab(stack, tmp_path, "plan", text=target.read_text())
    assert planned.stdout.splitlines()[-1] == "nothing to do", planned.stdout + planned.stderr


def failed_checks(cluster: Cluster, folder: Path, service: str) -> set[tuple[str, str]]:
    """Return name and place of every check of verify-NAME that failed."""
    done = fab(cluster, folder, f"verify-{service}", "--json")
    checks = json.loads(done.stdout)["checks"]
    assert done.returncode == int(any(not check["ok"] for check in checks)), done.stderr
    return {(check["name"], check["where"]) for check in checks if not check["ok"]}


def test_a_file_that_has_the_last_word_at_the_next_boot_is_said(
    stack: Cluster, tmp_path: Path
) -> None:
    path, name = "/etc/sysctl.d/99-own.conf", "net.ipv4.ip_nonlocal_bind"
    said = f"{name} is 0 after the next boot, by {path}: correct it"
    stack.run(SECOND, f"echo {name}=0 >{path}")
    try:
        assert f"notice: {said} ({SECOND})" in fab(stack, tmp_path, "status").stdout
        assert f"note: {said}" in fab(stack, tmp_path, "plan").stdout
    finally:
        stack.run(SECOND, f"rm {path}")


def test_verify_of_every_service_names_what_is_wrong_and_where(
    stack: Cluster, tmp_path: Path
) -> None:
    eyes.until(lambda: is_healthy(stack, tmp_path), "everything serves", 60)
    for service in ("galera", "haproxy", "redis", "vips"):
        assert failed_checks(stack, tmp_path, service) == set(), service
    stack.run(SECOND, f"pkill -STOP -x haproxy; systemctl stop {CHECK_SOCKET}")
    stack.run(THIRD, f"systemctl enable -q redis-server; echo '# by hand' >> {CONFIG}")
    try:
        haproxy_failed = failed_checks(stack, tmp_path, "haproxy")
        galera_failed = failed_checks(stack, tmp_path, "galera")
        redis_failed = failed_checks(stack, tmp_path, "redis")
    finally:
        stack.run(SECOND, f"pkill -CONT -x haproxy; systemctl start {CHECK_SOCKET}")
        stack.run(THIRD, f"systemctl disable -q redis-server; sed -i '/^# by hand$/d' {CONFIG}")
        assert deploy(stack, tmp_path).returncode == 0  # touched files are in force again
    assert ("file as described", f"{CONFIG} on {THIRD}") in haproxy_failed
    answers = [where for name, where in haproxy_failed if name == "answers"]
    assert any(SECOND in where for where in answers)
    assert not any(f"of {FIRST}" in where for where in answers)
    assert ("helper runs", f"{CHECK_SOCKET} on {SECOND}") in galera_failed
    assert redis_failed == {("unit not enabled", THIRD)}


def test_update_restarts_one_node_after_the_other(stack: Cluster, tmp_path: Path) -> None:
    eyes.until(lambda: is_healthy(stack, tmp_path), "everything serves", 60)
    (leader,) = (node for node in NODES if redis(stack, FIRST, node, "role").startswith("master"))
    text = (
        INVENTORY.replace("galera: {}", "galera: {settings: {max_connections: '123'}}")
        .replace("memory: 64", "memory: 96")
        .replace("timeout: 600", "timeout: 500")
    )
    all_changed = dict.fromkeys(NODES, "changed")
    try:
        for service in ("galera", "redis", "haproxy"):
            done = fab(stack, tmp_path, f"update-{service}", "--yes", text=text)
            assert done.returncode == 0, done.stdout + done.stderr
            outcomes = eyes.outcomes(done, f"update-{service}")
            assert outcomes == all_changed, done.stdout
            if service == "redis":
                assert list(outcomes)[-1] == leader, "the promoted one comes last"
        ask = "mariadb -BNe 'SELECT @@max_connections'"
        assert [stack.run(node, ask).stdout.strip() for node in NODES] == ["123"] * 3
        assert not eyes.cib(stack).findall(".//rsc_location")
        again = fab(stack, tmp_path, "update-galera", "--yes", text=text)
        assert eyes.outcomes(again, "update-galera") == dict.fromkeys(NODES, "unchanged")
    finally:
        back = fab(stack, tmp_path, "update-galera", "--yes")
        assert deploy(stack, tmp_path).returncode == 0
    assert back.returncode == 0, back.stdout + back.stderr
    refused = fab(stack, tmp_path, "update-vips", "--yes")
    eyes.assert_refused(refused, "nothing is restarted", "create-vips", status=2)


def test_create_asks_what_is_there_and_changes_it_only_with_update(
    stack: Cluster, tmp_path: Path
) -> None:
    eyes.until(lambda: is_healthy(stack, tmp_path), "everything serves", 60)
    with eyes.unchanged(stack):
        for service in ("galera", "redis", "haproxy", "vips"):
            done = fab(stack, tmp_path, f"create-{service}")
            assert done.returncode == 0, done.stdout + done.stderr
            found = eyes.outcomes(done, f"create-{service}")
            assert set(found.values()) == {"unchanged"}
            assert service == "vips" or set(NODES) < set(found)
            assert " serves" in done.stdout
    stack.run(FIRST, "pcs resource meta lb-haproxy-clone interleave=false")
    try:
        refused = fab(stack, tmp_path, "create-haproxy", "--yes")
        eyes.assert_refused(refused, "interleave: false -> true", "--update", status=1)
    finally:
        updated = fab(stack, tmp_path, "create-haproxy", "--update", "--yes")
    assert updated.returncode == 0, updated.stdout + updated.stderr
    assert eyes.outcomes(updated, "create-haproxy")["openstack"] == "changed"


def test_remove_takes_one_service_out_and_leaves_its_data(stack: Cluster, tmp_path: Path) -> None:
    # The last test: what is removed is not put back.
    before = eyes.cib_state(stack)
    refused = fab(stack, tmp_path, "remove-haproxy", "--yes")
    eyes.assert_refused(refused, "vip-db", "--with-constraints", status=1)
    assert eyes.cib_state(stack) == before
    done = fab(stack, tmp_path, "remove-redis", "--purge", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "never removed: the data in /var/lib/redis" in done.stdout
    root = eyes.cib(stack)
    assert root.find(".//clone[@id='redis-clone']") is None
    assert root.find(".//clone[@id='lb-haproxy-clone']") is not None
    for node in NODES:
        stack.run(node, "! dpkg -s redis-server 2>/dev/null | grep -q '^Status: install'")
        stack.run(
            node, "test ! -e /etc/redis-pacemaker.conf && test -d /var/lib/redis/appendonlydir"
        )
    again = fab(stack, tmp_path, "remove-redis", "--purge", "--yes")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "changed" not in again.stdout.replace("unchanged", "")
