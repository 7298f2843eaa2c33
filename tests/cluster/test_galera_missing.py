"""A Galera that waits for a dead node: named, started without it, and joined by it later."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pacefab.harness import formation
from pacefab.harness.cluster import Cluster
from pacefab.harness.parallel import on_all
from tests.cluster import eyes

pytestmark = pytest.mark.long

FIRST, SECOND, THIRD = NODES = ("c1", "c2", "c3")
RESOURCE, CLONE = "galera", "galera-clone"
BAN = f"pacefab-without-{CLONE}-{THIRD}"
STATE = "/var/lib/mysql/grastate.dat"
WITHOUT = ("start-galera", "--without", THIRD)


def sql(cluster: Cluster, node: str, *words: str) -> str:
    """Return what a node's own database answers; empty where none does."""
    command = f"mariadb --batch --skip-column-names --execute '{' '.join(words)}'"
    return cluster.run(node, command, check=False).stdout.strip()


def size(cluster: Cluster, node: str) -> str:
    """Return how many nodes a database that is in sync sees; empty where none is."""
    found = sql(cluster, node, "SHOW STATUS WHERE Variable_name IN",
                '("wsrep_cluster_size", "wsrep_local_state_comment")')  # fmt: skip
    said = dict(line.split("\t") for line in found.splitlines())
    synced = said.get("wsrep_local_state_comment") == "Synced"
    return said["wsrep_cluster_size"] if synced else ""


def attribute(cluster: Cluster, node: str, name: str) -> str:
    """Return a transient attribute of a node; empty where it has none."""
    query = f"crm_attribute --node {node} --lifetime reboot --name {name} --query --quiet"
    return cluster.run(FIRST, query, check=False).stdout.strip()


def reported(cluster: Cluster, node: str) -> str:
    """Return the number of a node's last transaction as the agent has reported it."""
    return attribute(cluster, node, f"{RESOURCE}-last-committed")


def has_reported(cluster: Cluster, node: str) -> bool:
    """Whether the agent has reported a node's number."""
    return bool(reported(cluster, node))


def is_online(cluster: Cluster, node: str) -> bool:
    """Whether Pacemaker has a node among those that may run resources."""
    shown = cluster.run(FIRST, "crm_mon -1 --output-as=xml", check=False).stdout
    return (
        re.search(f'<node name="{node}" [^>]*online="true"[^>]*pending="false"', shown) is not None
    )


def kept(cluster: Cluster, node: str) -> str:
    """Return the numbers that a node's table holds."""
    return ",".join(sql(cluster, node, "SELECT number FROM test.kept ORDER BY number").split())


def has_quorum(cluster: Cluster) -> bool:
    """Whether the first node's Pacemaker has it."""
    return cluster.run(FIRST, "crm_node --quorum", check=False).stdout.strip() == "1"


def is_dc_elected(cluster: Cluster) -> bool:
    """Whether the first node's Pacemaker has decided who decides."""
    return "partition" in cluster.run(FIRST, "crm_mon -1", check=False).stdout


def boot(cluster: Cluster, node: str) -> None:
    """Start a node's machine and its part of the cluster."""
    cluster.container(node).start()
    formation.join(cluster.containers[node])


@pytest.fixture(scope="module")
def inventory(module_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galera on all nodes."""
    file = tmp_path_factory.mktemp("inventory") / "cluster.yaml"
    nodes = [f"  - {{name: {n}, address: {module_cluster.address(n)}}}" for n in NODES]
    fencing = "fencing: {disabled: true, reason: containers have no power switch}"
    lines = [f"cluster: {module_cluster.name}", "nodes:", *nodes, fencing, "services: {galera: {}}"]
    file.write_text("\n".join([*lines, ""]))
    return file


@pytest.fixture(scope="module")
def rows(module_cluster: Cluster, inventory: Path) -> Cluster:
    """Three databases; the second one stopped before the last row was written."""
    cluster = module_cluster
    cluster.fab("deploy", "--yes", "--inventory", str(inventory), check=True)
    create = "CREATE TABLE test.kept (number INT PRIMARY KEY) ENGINE=InnoDB"
    sql(cluster, FIRST, f"CREATE DATABASE IF NOT EXISTS test; {create}")
    cluster.run(SECOND, "pcs cluster stop", timeout=90)
    for number in range(1, 6):
        sql(cluster, FIRST, "INSERT INTO test.kept VALUES", f"({number})")
    assert sql(cluster, THIRD, "SELECT COUNT(*) FROM test.kept") == "5"
    return cluster


@pytest.fixture(scope="module")
def alone(rows: Cluster) -> Cluster:
    """The first node alone, after all of them lost their power."""
    on_all(lambda node: rows.container(node).kill(), NODES)
    boot(rows, FIRST)
    eyes.until(lambda: is_dc_elected(rows), "the first node has a DC", 90)
    return rows


@pytest.fixture(scope="module")
def waiting(alone: Cluster) -> Cluster:
    """Two of the nodes, which have reported and wait for the third."""
    boot(alone, SECOND)
    for node in (FIRST, SECOND):
        eyes.until(partial(has_reported, alone, node), f"{node} reports", 120)
    return alone


@contextmanager
def undecided(cluster: Cluster) -> Iterator[None]:
    """Have Pacemaker decide nothing during the block: a promotion that is due is not begun."""
    for node in (FIRST, SECOND):
        cluster.run(node, "pkill -STOP -x pacemaker-sched")  # the kernel keeps 15 letters
    try:
        yield
    finally:
        for node in (FIRST, SECOND):
            cluster.run(node, "pkill -CONT -x pacemaker-sched")


def test_without_quorum_nothing_is_begun(alone: Cluster) -> None:
    assert not has_quorum(alone)

    done = alone.fab("start-galera", "--without", f"{SECOND},{THIRD}", "--data-loss-accepted")

    eyes.assert_refused(done, "no quorum", SECOND, THIRD, "pcs quorum expected-votes 1", status=1)
    assert not attribute(alone, FIRST, f"{RESOURCE}-bootstrap")


def test_status_names_who_is_waited_for_and_the_way_out(waiting: Cluster, inventory: Path) -> None:
    said = f"{RESOURCE} is started nowhere before {THIRD} has reported its last transaction"

    status = waiting.fab("status")
    plan = waiting.fab("plan", "--inventory", str(inventory))

    assert status.returncode == 1, status.stdout + status.stderr
    text = " ".join(status.stdout.split())
    assert said in text
    assert f"pcs cluster start {THIRD}; where that is lost: fab start-galera --without" in text
    assert said in " ".join(plan.stdout.split()), plan.stdout + plan.stderr


def test_it_is_shown_first_and_not_begun_without_the_word(waiting: Cluster) -> None:
    first, second = reported(waiting, FIRST), reported(waiting, SECOND)
    assert int(first) > int(second)
    before = eyes.cib_state(waiting, FIRST)

    shown = waiting.fab(*WITHOUT, "--dry-run")
    asked = waiting.fab(*WITHOUT, "--yes")
    plain = waiting.fab("start-galera")

    assert shown.returncode == 0, shown.stdout + shown.stderr
    text = " ".join(shown.stdout.split())
    assert f"{FIRST}: last transaction {first}, started first" in text
    assert f"{SECOND}: last transaction {second}, takes what it lacks from it" in text
    assert f"{THIRD}: last transaction unknown" in text
    assert re.search(rf"Pacemaker: promote {RESOURCE}:\d+ on {FIRST}", text)
    eyes.assert_refused(asked, "--data-loss-accepted", status=1)
    eyes.assert_refused(plain, THIRD, "offline", "--without", status=1)
    assert eyes.cib_state(waiting, FIRST) == before


def test_it_is_refused_where_a_node_lives_or_data_are_of_two_histories(waiting: Cluster) -> None:
    alive = waiting.fab("start-galera", "--without", SECOND, "--data-loss-accepted")
    strange = waiting.fab("start-galera", "--without", "c9", "--data-loss-accepted")
    uuid = "11111111-2222-3333-4444-555555555555"
    waiting.run(SECOND, f"cp -p {STATE} /run/state; sed -i 's/^uuid:.*/uuid: {uuid}/' {STATE}")
    try:
        other = waiting.fab(*WITHOUT, "--data-loss-accepted")
    finally:
        waiting.run(SECOND, f"cp -p /run/state {STATE}; rm /run/state")

    eyes.assert_refused(alive, f"{SECOND} is online", status=1)
    eyes.assert_refused(strange, "no node c9", status=1)
    eyes.assert_refused(other, "different clusters", FIRST, f"{SECOND}: uuid {uuid}", status=1)


def test_ctrl_c_takes_back_what_was_set(waiting: Cluster) -> None:
    with undecided(waiting):
        running = eyes.start(waiting, *WITHOUT, "--data-loss-accepted")
        try:
            score = partial(attribute, waiting, FIRST, f"master-{RESOURCE}")
            eyes.until(lambda: score() == "100", "the first node is marked", 60)
            running.send_signal(signal.SIGINT)
            text, _ = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130, text
    assert "it was taken back, nothing is changed" in " ".join(text.split())
    assert not attribute(waiting, FIRST, f"{RESOURCE}-bootstrap")
    assert not attribute(waiting, FIRST, f"master-{RESOURCE}")
    assert eyes.cib(waiting, FIRST).find(".//rsc_location") is None


def test_it_starts_from_the_highest_number_within_two_minutes(waiting: Cluster) -> None:
    began = time.monotonic()
    done = waiting.fab(*WITHOUT, "--data-loss-accepted")
    seconds = time.monotonic() - began

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{FIRST}: last transaction" in done.stdout
    assert f"started from {FIRST}" in " ".join(done.stdout.split())
    assert seconds < 120, done.stdout
    for node in (FIRST, SECOND):
        assert size(waiting, node) == "2"
        assert kept(waiting, node) == "1,2,3,4,5"

    with_cib = eyes.cib_state(waiting, FIRST)
    again = waiting.fab(*WITHOUT, "--data-loss-accepted")
    assert again.returncode == 0, again.stdout + again.stderr
    assert " unchanged " in again.stdout
    assert eyes.cib_state(waiting, FIRST) == with_cib


def test_the_lost_node_joins_with_a_whole_copy_when_it_is_let_in(waiting: Cluster) -> None:
    sql(waiting, FIRST, "INSERT INTO test.kept VALUES (6)")
    boot(waiting, THIRD)
    eyes.until(partial(is_online, waiting, THIRD), f"{THIRD} is in the cluster", 90)
    waiting.run(FIRST, "crm_resource --wait --timeout 60", timeout=90)
    assert waiting.run(THIRD, "pgrep -x mariadbd", check=False).stdout == ""
    said = f"{THIRD} is banned for {CLONE} by {BAN}: fab start-galera"
    assert said in " ".join(waiting.fab("status").stdout.split())

    shown = waiting.fab("start-galera", "--dry-run")
    done = waiting.fab("start-galera", "--yes")

    assert f"{THIRD} takes a whole copy" in " ".join(shown.stdout.split())
    assert done.returncode == 0, done.stdout + done.stderr
    assert eyes.cib(waiting).find(".//rsc_location") is None
    for node in NODES:
        assert size(waiting, node) == "3"
        assert kept(waiting, node) == "1,2,3,4,5,6"
    assert eyes.exists(waiting, THIRD, f"{STATE}.left-out")
    healthy = waiting.fab("status")
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
