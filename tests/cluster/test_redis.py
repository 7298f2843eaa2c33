"""Redis on three nodes: a password, a VIP that follows who takes the writes, any node killed."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from pacefab.services.redis.node_redis import RedisConnection
from tests.cluster import eyes
from tests.cluster.eyes import Done
from tests.cluster.health import await_healthy, status
from tests.cluster.writers import writing

PORT = 6379
PASSWORD = "open-sesame"  # noqa: S105  (of containers)
BACK_SECONDS = 120


def deploy(cluster: Cluster, file: Path, password: str = PASSWORD) -> Done:
    secrets = {"PACEFAB_SECRET_REDIS": password}
    return cluster.fab("deploy", "--yes", "--inventory", str(file), env=secrets)


@pytest.fixture(scope="module")
def vip(module_cluster: Cluster) -> str:
    """An address of the nodes' network that nothing has."""
    return module_cluster.address(module_cluster.nodes[0]).rpartition(".")[0] + ".200"


@pytest.fixture(scope="module")
def inventory(module_cluster: Cluster, vip: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory of the nodes with Redis and a VIP that follows it."""
    file = tmp_path_factory.mktemp("inventory") / "cluster.yaml"
    nodes = [
        f"  - {{name: {n}, address: {module_cluster.address(n)}}}" for n in module_cluster.nodes
    ]
    lines = [
        f"cluster: {module_cluster.name}",
        "nodes:",
        *nodes,
        "fencing: {disabled: true, reason: containers have no power switch}",
        "services:",
        "  redis: {memory: 64}",
        f"  vips: {{follows: redis, addresses: [{{name: store, address: {vip}}}]}}",
        "",
    ]
    file.write_text("\n".join(lines))
    return file


@pytest.fixture(scope="module")
def serving(module_cluster: Cluster, inventory: Path) -> Cluster:
    """The nodes with Redis deployed."""
    done = deploy(module_cluster, inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    return module_cluster


def ask(cluster: Cluster, node: str, address: str, words: str, password: str = PASSWORD) -> str:
    """Run a command of Redis from a node, by its own client."""
    command = f"REDISCLI_AUTH={password} redis-cli -h {address} {words}"
    return cluster.run(node, command, check=False).stdout.strip()


def promoted(cluster: Cluster) -> str:
    """Return the node that Redis itself calls the master; empty while there is not one."""
    role = "info replication | grep -q '^role:master' && echo yes"
    running = [node for node in cluster.nodes if cluster.container(node).status == "running"]
    masters = [node for node in running if ask(cluster, node, "127.0.0.1", role) == "yes"]
    return masters[0] if len(masters) == 1 else ""


def setter(address: str) -> Callable[[str], None]:
    """Return what writes a key and waits for the answer."""
    own = RedisConnection(address, PORT, 3)
    own.ask("AUTH", PASSWORD)

    def write(text: str) -> None:
        own.ask("SET", text, "1")

    return write


def test_the_vip_leads_to_the_one_that_takes_writes(serving: Cluster, vip: str) -> None:
    for node in serving.nodes:
        assert ask(serving, node, vip, f"set from-{node} 1") == "OK"
    assert ask(serving, serving.nodes[0], vip, "wait 2 5000") == "2"
    for node in serving.nodes:
        assert ask(serving, node, serving.address(node), "dbsize") == "3"


def test_no_port_answers_without_the_password(serving: Cluster, vip: str) -> None:
    for address in (vip, *(serving.address(node) for node in serving.nodes)):
        said = serving.run(serving.nodes[0], f"redis-cli -h {address} get from-c1").stdout
        assert said.startswith("NOAUTH"), said


def test_nobody_reads_the_password_on_a_node(serving: Cluster) -> None:
    for node in serving.nodes:
        readable = f"runuser -u nobody -- grep -rlsF {PASSWORD} /etc /var/lib /run"
        assert not serving.run(node, readable, check=False).stdout
        argv = serving.run(node, r"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n'").stdout
        assert "redis-server" in argv
        assert PASSWORD not in argv


def test_a_second_deploy_changes_nothing(serving: Cluster, inventory: Path) -> None:
    before = eyes.cib_state(serving)
    done = deploy(serving, inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed" not in done.stdout.replace("unchanged", "")
    assert eyes.cib_state(serving) == before


def test_a_new_password_is_in_force_at_once(serving: Cluster, inventory: Path, vip: str) -> None:
    first, processes = serving.nodes[0], "pidof redis-server"
    before = [serving.run(node, processes).stdout for node in serving.nodes]
    for password, other in (("another-one", PASSWORD), (PASSWORD, "another-one")):
        done = deploy(serving, inventory, password)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ask(serving, first, vip, "ping", password) == "PONG"
        assert "PONG" not in ask(serving, first, vip, "ping", other)
    assert [serving.run(node, processes).stdout for node in serving.nodes] == before


@pytest.mark.long
def test_without_followers_it_takes_no_write(serving: Cluster, inventory: Path, vip: str) -> None:
    leader = promoted(serving)
    followers = [node for node in serving.nodes if node != leader]
    for node in followers:
        serving.run(node, "pkill -STOP -x redis-server")
    try:
        eyes.until(
            lambda: ask(serving, leader, vip, "set key 1").startswith("NOREPLICAS"),
            "a write is refused",
        )
        begun = time.monotonic()
        shown = status(serving, inventory)
        took = time.monotonic() - begun
    finally:
        for node in followers:
            serving.run(node, "pkill -CONT -x redis-server")
    assert shown.returncode == 1, shown.stdout
    assert all(f"on {node}" in shown.stdout for node in followers)
    assert took < 10
    await_healthy(serving, inventory, BACK_SECONDS)


@pytest.mark.long
def test_a_drill_sees_the_vip_follow(serving: Cluster, inventory: Path, tmp_path: Path) -> None:
    victim, file = promoted(serving), tmp_path / "drill.json"
    eased = tmp_path / "cluster.yaml"  # replication does not wait
    eased.write_text(f"{inventory.read_text()}objectives: {{worst_gap: 60s, lost: 1000}}\n")
    done = serving.fab(
        "drill", "--service", "redis", "--kind", "stop-node", "--hold", "2", "--json", str(file),
        "--yes-break", serving.name, "--inventory", str(eased), timeout=400,
        env={"PACEFAB_SECRET_REDIS": PASSWORD},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr + file.read_text()
    (drill,) = json.loads(file.read_text())["drills"]
    assert drill["node"] == victim
    assert drill["items"]["stored"] > 100
    assert drill["items"]["lost"] <= 1000
    (move,) = drill["vips"]
    assert (move["resource"], move["from"]) == ("vip-store", victim)
    assert promoted(serving) not in {"", victim}


@pytest.mark.long
def test_the_vip_follows_when_the_promoted_node_is_killed(
    serving: Cluster, inventory: Path, vip: str
) -> None:
    victim = promoted(serving)
    with writing([vip], setter) as written:
        written.await_after(time.monotonic(), [vip])
        serving.container(victim).kill()
        killed = time.monotonic()
        written.await_after(killed + 1, [vip], BACK_SECONDS)
    eyes.until(lambda: promoted(serving) not in {"", victim}, "another one leads")
    with closing(RedisConnection(vip, PORT, 5)) as own:
        own.ask("AUTH", PASSWORD)
        lost = [text for text in written.at if own.ask("GET", text) is None]
    # Replication does not wait: what was acknowledged in the last moment may be gone.
    late = [text for text in lost if killed - written.at[text] > 1]
    assert not late, f"{len(lost)} of {len(written.at)} acknowledged writes are lost"
    assert written.worst_gap < 60
    serving.restart_node(victim)
    await_healthy(serving, inventory, BACK_SECONDS)
