"""The whole classic stack from one inventory, on bare nodes: deployed, asked, changed, taken back.

Other eyes look at it: crm_mon, cibadmin, the MariaDB client, plain sockets.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done

INVENTORY = REPOSITORY_ROOT / "inventory" / "openstack.yaml"
SECRETS = {
    "PACEFAB_SECRET_HACLUSTER": "correct horse battery",
    "PACEFAB_SECRET_GALERA": "staple of the galera",
    "PACEFAB_SECRET_HAPROXY_STATS": "statistics for few eyes",
}
NODES = ("controller1-vm", "controller2-vm", "controller3-vm")
FIRST, SECOND, THIRD = NODES
LISTING = """\
 Clone Set: lb-haproxy-clone [lb-haproxy]
     Started: [ controller1-vm controller2-vm controller3-vm ]
 vip-db (ocf::heartbeat:IPaddr2):       Started controller1-vm
 vip-rabbitmq   (ocf::heartbeat:IPaddr2):       Started controller2-vm
 vip-keystone   (ocf::heartbeat:IPaddr2):       Started controller3-vm
 vip-glance     (ocf::heartbeat:IPaddr2):       Started controller1-vm
 vip-cinder     (ocf::heartbeat:IPaddr2):       Started controller2-vm
 vip-swift      (ocf::heartbeat:IPaddr2):       Started controller3-vm
 vip-neutron    (ocf::heartbeat:IPaddr2):       Started controller1-vm
 vip-nova       (ocf::heartbeat:IPaddr2):       Started controller2-vm
 vip-horizon    (ocf::heartbeat:IPaddr2):       Started controller3-vm
 vip-heat       (ocf::heartbeat:IPaddr2):       Started controller1-vm
 vip-ceilometer (ocf::heartbeat:IPaddr2):       Started controller2-vm
 vip-qpid       (ocf::heartbeat:IPaddr2):       Started controller3-vm
 Master/Slave Set: galera-master [galera]
     Masters: [ controller1-vm controller2-vm controller3-vm ]
 Clone Set: memcached-clone [memcached]
     Started: [ controller1-vm controller2-vm controller3-vm ]
"""
PIDS = "for p in haproxy mariadbd memcached; do pgrep -ox $p | sed s/^/$p:/; done"
FIREWALL = "firewall: unmanaged"
VIP_DB, OTHER_VIP_DB = "192.0.2.101", "192.0.2.131"


def argv(cluster: Cluster, *args: str, inventory: Path) -> list[str]:
    """Return the command line of fab with an inventory instead of -H."""
    words = eyes.fab_argv(cluster, *args, "--inventory", str(inventory), hosts="-")
    place = words.index("-H")
    return words[:place] + words[place + 2 :]


def fab(cluster: Cluster, *args: str, inventory: Path = INVENTORY) -> Done:
    """Run fab with an inventory instead of -H."""
    return subprocess.run(
        argv(cluster, *args, inventory=inventory),
        env=eyes.environment(**SECRETS),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
        cwd=REPOSITORY_ROOT,
        stdin=subprocess.DEVNULL,
    )


def changed(folder: Path, *edits: tuple[str, str]) -> Path:
    """Return a copy of the inventory with texts replaced."""
    text = INVENTORY.read_text()
    for old, new in edits:
        assert old in text
        text = text.replace(old, new)
    file = folder / "changed.yaml"
    file.write_text(text)
    return file


@pytest.fixture(scope="module")
def deployed(openstack_nodes: Cluster) -> Done:
    """What deploying the stack said, on nodes that had nothing but sshd."""
    return fab(openstack_nodes, "deploy", "--yes")


@pytest.fixture(scope="module")
def stack(openstack_nodes: Cluster, deployed: Done) -> Cluster:
    """The nodes with the whole stack."""
    assert deployed.returncode == 0, deployed.stdout + deployed.stderr
    return openstack_nodes


def sql(cluster: Cluster, node: str, statement: str, *where: str) -> str:
    """Run a statement by the MariaDB client of a node; by default through its own socket."""
    argv = " ".join(["mariadb", "--batch", "--skip-column-names", *where])
    return cluster.run(node, argv, stdin=statement).stdout.strip()


def pids(cluster: Cluster) -> dict[str, str]:
    """Return the process ids of every service on every node."""
    return {node: cluster.run(node, PIDS).stdout for node in cluster.nodes}


def configuration(cluster: Cluster) -> str:
    """Return the configuration sections of the CIB."""
    return cluster.run(FIRST, "cibadmin --query --scope configuration").stdout


def holder(cluster: Cluster, address: str) -> list[str]:
    """Return the nodes that have an address."""
    shown = f"ip -o addr show to {address}"
    return [node for node in cluster.nodes if cluster.run(node, shown).stdout]


@pytest.mark.every_image
def test_bare_nodes_become_the_classic_stack(stack: Cluster) -> None:
    shown = fab(stack, "status", "--format", "classic")

    assert shown.stdout == LISTING, shown.stdout + shown.stderr


@pytest.mark.every_image
def test_the_database_answers_through_the_load_balancer(stack: Cluster) -> None:
    sql(
        stack,
        FIRST,
        "CREATE DATABASE pacefab; CREATE TABLE pacefab.t (id INT PRIMARY KEY, v TEXT);"
        "CREATE USER app IDENTIFIED BY 'for tests'; GRANT ALL ON pacefab.* TO app;",
    )
    through = ("--host", VIP_DB, "--port", "3306", "--user", "app", "--password='for tests'")

    sql(stack, SECOND, "INSERT INTO pacefab.t VALUES (1, 'written through vip-db');", *through)

    reading = "SET SESSION wsrep_sync_wait = 1; SELECT v FROM pacefab.t;"
    assert sql(stack, THIRD, reading) == "written through vip-db"
    # It was HAProxy that took the connection, at an address that one node holds.
    listening = stack.run(THIRD, f"ss -Hlntp 'src {VIP_DB} and sport = :3306'").stdout
    assert "LISTEN" in listening
    assert len(holder(stack, VIP_DB)) == 1


@pytest.mark.every_image
def test_the_cache_is_one_for_all(stack: Cluster) -> None:
    eyes.talk(stack, FIRST, "192.0.2.12", r"set k 0 60 5\r\nhello\r\n")

    assert "hello" in eyes.talk(stack, THIRD, "192.0.2.12", r"get k\r\n")


@pytest.mark.every_image
def test_a_second_deploy_changes_nothing(stack: Cluster) -> None:
    before, processes = configuration(stack), pids(stack)

    again = fab(stack, "deploy", "--yes")
    planned = fab(stack, "plan")

    assert again.returncode == 0, again.stdout + again.stderr
    assert "unchanged" in eyes.line_of(again, "openstack", "deploy")
    assert configuration(stack) == before
    assert pids(stack) == processes
    assert (planned.returncode, planned.stdout.splitlines()[-1]) == (0, "nothing to do")


@pytest.mark.every_image
def test_the_stack_is_exported_as_the_inventory_that_made_it(
    stack: Cluster, tmp_path: Path
) -> None:
    target = tmp_path / "found.yaml"
    words = eyes.fab_argv(stack, "export", "--to", str(target), hosts=FIRST)
    environment = eyes.environment(**SECRETS)
    done = subprocess.run(
        words, env=environment, capture_output=True, text=True, timeout=300, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "  haproxy_stats\n" in done.stdout
    found, made = read_inventory(target), read_inventory(INVENTORY)
    assert list(found.sections) == list(made.sections)
    for part in ("cluster", "nodes", "properties", "defaults", "fencing", "services"):
        assert getattr(found, part) == getattr(made, part), target.read_text()
    assert (found.resources, found.constraints) == (made.resources, made.constraints)
    for secret in SECRETS.values():
        assert secret not in target.read_text() + done.stdout
    planned = fab(stack, "plan", inventory=target)
    assert (planned.returncode, planned.stdout.splitlines()[-1]) == (0, "nothing to do")


def test_secrets_are_nowhere_to_be_read(stack: Cluster, deployed: Done) -> None:
    for secret in SECRETS.values():
        assert secret not in deployed.stdout + deployed.stderr
        for node in stack.nodes:
            readable = "find /etc /var/lib/pacefab /tmp /run -xdev -type f -perm -004 -print0"
            found = stack.run(
                node,
                f"{readable} 2>/dev/null | xargs -0 grep -lF -- '{secret}' 2>/dev/null",
                check=False,
            )
            assert found.stdout == ""


def test_a_moved_address_restarts_itself_alone_and_comes_back(
    stack: Cluster, tmp_path: Path
) -> None:
    moved = changed(tmp_path, (f"{VIP_DB}}}", f"{OTHER_VIP_DB}}}"))
    old, processes = configuration(stack), pids(stack)

    planned = fab(stack, "plan", "--json", inventory=moved)
    refused = fab(stack, "deploy", "--yes", inventory=moved)

    assert planned.returncode == 2, planned.stderr
    plan = json.loads(planned.stdout)
    assert {one["resource"] for one in plan["pacemaker"]} == {"vip-db"}
    assert [one["id"] for one in plan["configuration"]] == ["vip-db"]
    assert "101 -> 192.0.2.131" in str(plan["configuration"])
    eyes.assert_refused(refused, "vip-db", "--allow-interruption", status=1)
    assert configuration(stack) == old

    done = fab(stack, "deploy", "--yes", "--allow-interruption", inventory=moved)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (holder(stack, VIP_DB), len(holder(stack, OTHER_VIP_DB))) == ([], 1)

    # Done means that Pacemaker is done, also where it takes its time to begin.
    with eyes.slow_to_decide(stack, 6):
        back = fab(stack, "rollback", "--yes", "--allow-interruption")
    assert back.returncode == 0, back.stdout + back.stderr
    assert (holder(stack, OTHER_VIP_DB), len(holder(stack, VIP_DB))) == ([], 1)
    assert fab(stack, "plan").returncode == 0
    assert pids(stack) == processes
    history = fab(stack, "history").stdout
    assert len(re.findall(r"^ +\d+  ", history, re.MULTILINE)) >= 3, history


@pytest.mark.long
def test_deploy_asks_before_it_changes_anything(stack: Cluster, tmp_path: Path) -> None:
    more = changed(tmp_path, ("resource-stickiness: 100 ", "resource-stickiness: 101 "))
    line, environment = argv(stack, "deploy", inventory=more), eyes.environment(**SECRETS)
    old = configuration(stack)

    unasked = fab(stack, "deploy", inventory=more)
    eyes.assert_refused(unasked, "--yes", status=2)
    status, seen = eyes.typed(line, "[y/N]", "n", environment)
    assert (status, "not agreed to" in seen) == (1, True), seen
    assert configuration(stack) == old

    status, seen = eyes.typed(line, "[y/N]", "y", environment)
    assert status == 0, seen
    assert 'value="101"' in configuration(stack)
    assert fab(stack, "rollback", "--yes").returncode == 0


def test_drift_is_shown_exactly_and_repaired(stack: Cluster) -> None:
    stack.run(FIRST, "pcs resource update vip-glance arp_count=9")
    stack.run(FIRST, "crm_resource --wait --timeout 60", timeout=70)

    planned = fab(stack, "plan", "--json")
    plan = json.loads(planned.stdout)

    assert planned.returncode == 2
    assert [one["differences"] for one in plan["configuration"]] == [
        ["vip-glance parameter arp_count: 9 -> absent"]
    ]
    repaired = fab(stack, "deploy", "--yes", "--allow-interruption")
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert fab(stack, "plan").returncode == 0


def test_what_others_created_is_left_alone(stack: Cluster) -> None:
    stack.run(FIRST, "pcs resource create theirs ocf:pacemaker:Dummy")
    try:
        planned = fab(stack, "plan")
        assert planned.returncode == 0, planned.stdout
        assert "unmanaged, left alone: theirs" in planned.stdout
        assert fab(stack, "deploy", "--yes", "--prune").returncode == 0
        assert 'id="theirs"' in configuration(stack)
    finally:
        stack.run(FIRST, "pcs resource delete theirs")


def test_what_the_inventory_no_longer_names_goes_with_prune_alone(
    stack: Cluster, tmp_path: Path
) -> None:
    fewer = changed(
        tmp_path,
        ("      - {name: qpid, vip: qpid, port: 5672, timeout: 5400}\n", ""),
        ("      - {name: qpid, address: 192.0.2.112}\n", ""),
    )
    options = ("deploy", "--yes", "--allow-interruption")

    kept = fab(stack, *options, inventory=fewer)
    assert kept.returncode == 0, kept.stdout + kept.stderr
    assert 'id="vip-qpid"' in configuration(stack)

    planned = fab(stack, "plan", "--prune", inventory=fewer)
    assert (planned.returncode, "vip-qpid" in planned.stdout) == (2, True)
    pruned = fab(stack, *options, "--prune", inventory=fewer)
    assert pruned.returncode == 0, pruned.stdout + pruned.stderr
    assert "vip-qpid" not in configuration(stack)
    assert fab(stack, "deploy", "--yes").returncode == 0
    assert len(holder(stack, "192.0.2.112")) == 1


def test_a_reviewed_plan_is_applied_exactly_or_refused(stack: Cluster, tmp_path: Path) -> None:
    moved = changed(tmp_path, ("192.0.2.110}", "192.0.2.140}"))
    file = tmp_path / "plan.json"

    assert fab(stack, "plan", "--save", str(file), inventory=moved).returncode == 2
    assert file.stat().st_mode & 0o777 == 0o600
    stack.run(FIRST, "pcs resource update vip-glance arp_count=9")
    stack.run(FIRST, "crm_resource --wait --timeout 60", timeout=70)
    other = fab(stack, "deploy", str(file), "--allow-interruption", inventory=moved)
    eyes.assert_refused(other, "no longer what was reviewed", "vip-glance", status=1)
    stack.run(FIRST, "pcs resource update vip-glance arp_count=")
    stack.run(FIRST, "crm_resource --wait --timeout 60", timeout=70)
    same = fab(stack, "deploy", str(file), "--allow-interruption", inventory=moved)

    assert same.returncode == 0, same.stdout + same.stderr
    assert len(holder(stack, "192.0.2.140")) == 1
    assert fab(stack, "rollback", "--yes", "--allow-interruption").returncode == 0


def test_a_parameter_that_no_agent_knows_is_refused(stack: Cluster, tmp_path: Path) -> None:
    sleepy = "  sleepy: {agent: 'ocf:pacemaker:Dummy', parameters: {op_slep: 1}}"
    wrong = changed(tmp_path, (FIREWALL, f"{FIREWALL}\nresources:\n{sleepy}"))
    old = configuration(stack)

    done = fab(stack, "deploy", "--yes", inventory=wrong)

    eyes.assert_refused(done, "sleepy", "op_slep", "op_sleep", status=1)
    assert configuration(stack) == old


def test_when_a_start_fails_configuration_and_files_are_put_back(
    stack: Cluster, tmp_path: Path
) -> None:
    lazy = "  lazy: {agent: 'ocf:heartbeat:IPaddr2', parameters: {ip: 192.0.2.9, nic: none0}}"
    failing = changed(
        tmp_path,
        (FIREWALL, f"{FIREWALL}\nresources:\n{lazy}"),
        ("port: 8777", "port: 8778"),
    )
    old, files = configuration(stack), eyes.read(stack, FIRST, "/etc/haproxy/haproxy.cfg")

    done = fab(stack, "deploy", "--yes", inventory=failing)

    eyes.assert_refused(done, "lazy", "put back", status=1)
    assert resources(configuration(stack)) == resources(old)
    assert eyes.read(stack, FIRST, "/etc/haproxy/haproxy.cfg") == files
    stack.run(FIRST, "crm_resource --cleanup --quiet")
    assert fab(stack, "plan").returncode == 0


def resources(text: str) -> str:
    """Return the resources of a CIB's configuration."""
    return text[text.index("<resources>") : text.index("</resources>")]
