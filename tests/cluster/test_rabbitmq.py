"""RabbitMQ on three nodes: confirmed messages survive any node, and all of them at once."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from pacefab.cli.inventory import read_inventory
from pacefab.harness.cluster import Cluster
from pacefab.services.rabbitmq.node_amqp import AmqpConnection
from tests.cluster import eyes
from tests.cluster.eyes import Done
from tests.cluster.health import await_healthy, status
from tests.cluster.writers import writing

PORT = 5672
USER, PASSWORD, ANOTHER = "admin", 'with # and "', "another one"
SECRETS = {"PACEFAB_SECRET_RABBITMQ": PASSWORD, "PACEFAB_SECRET_RABBITMQ_COOKIE": "FOR-TESTS-ALONE"}
READ_SECONDS = 60  # a queue that comes back with all nodes elects its leader first
BACK_SECONDS = 180  # Erlang starts slowly on a busy machine


def deploy(cluster: Cluster, file: Path, **secrets: str) -> Done:
    return cluster.fab("deploy", "--yes", "--inventory", str(file), env={**SECRETS, **secrets})


@pytest.fixture(scope="module")
def inventory(module_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An inventory of the nodes with RabbitMQ."""
    file = tmp_path_factory.mktemp("inventory") / "cluster.yaml"
    nodes = [
        f"  - {{name: {n}, address: {module_cluster.address(n)}}}" for n in module_cluster.nodes
    ]
    fencing = "fencing: {disabled: true, reason: containers have no power switch}"
    services = "services: {rabbitmq: {}}"
    lines = [f"cluster: {module_cluster.name}", "nodes:", *nodes, fencing, services, ""]
    file.write_text("\n".join(lines))
    return file


@pytest.fixture(scope="module")
def serving(module_cluster: Cluster, inventory: Path) -> Cluster:
    """The nodes with RabbitMQ deployed."""
    done = deploy(module_cluster, inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr
    assert SECRETS["PACEFAB_SECRET_RABBITMQ_COOKIE"] not in done.stdout + done.stderr
    return module_cluster


def link(
    address: str, user: str = USER, password: str = PASSWORD, seconds: float = 5
) -> AmqpConnection:
    made = AmqpConnection(address, PORT, seconds)
    made.open(user, password)
    return made


def publisher(queue: str, address: str) -> Callable[[str], None]:
    """Return what publishes a text and waits for its confirm."""
    own = link(address)

    def publish(text: str) -> None:
        own.extend(5)
        own.publish(queue, text.encode())

    return publish


def declare(address: str, queue: str) -> None:
    """Make a durable queue, and leave its type to RabbitMQ."""
    with closing(link(address)) as own:
        own.declare(queue, {})


def messages(cluster: Cluster, node: str, queue: str) -> set[str]:
    """Take every message off a queue, once it has a leader: until then it answers with errors."""
    found: set[str] = set()

    def emptied() -> bool:
        try:
            with closing(link(cluster.address(node), seconds=READ_SECONDS)) as own:
                while (body := own.get(queue)) is not None:
                    own.extend(READ_SECONDS)
                    found.add(body.decode())
        except (OSError, ValueError):
            return False
        return True

    eyes.until(emptied, f"the queue {queue} is read to its end", READ_SECONDS)
    return found


def queues(cluster: Cluster, node: str) -> dict[str, str]:
    """Return the type of each queue, by RabbitMQ's own program."""
    command = "rabbitmqctl --quiet --formatter json list_queues name type"
    rows = json.loads(cluster.run(node, command, timeout=120).stdout)
    return {row["name"]: row["type"] for row in rows}


def test_every_node_serves_and_queues_are_quorum_queues(serving: Cluster, inventory: Path) -> None:
    first = serving.nodes[0]
    declare(serving.address(first), "of-no-type")
    assert queues(serving, first)["of-no-type"] in {"quorum", "rabbit_quorum_queue"}
    shown = status(serving, inventory)
    assert shown.returncode == 0, shown.stdout
    running = json.loads(
        serving.run(
            first, "rabbitmqctl --quiet --formatter json cluster_status", timeout=120
        ).stdout
    )["running_nodes"]
    assert sorted(running) == sorted(f"rabbit@{serving.address(node)}" for node in serving.nodes)


def test_a_second_deploy_changes_nothing(serving: Cluster, inventory: Path) -> None:
    before = eyes.cib_state(serving)
    done = deploy(serving, inventory)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "changed" not in done.stdout.replace("unchanged", "")
    assert eyes.cib_state(serving) == before


def test_it_is_exported_as_the_inventory_that_made_it(
    serving: Cluster, inventory: Path, tmp_path: Path
) -> None:
    target = tmp_path / "found.yaml"
    done = serving.fab("export", "--to", str(target), env=SECRETS, check=True)
    found, made = read_inventory(target), read_inventory(inventory)
    assert (found.sections, found.resources) == (made.sections, made.resources)
    for secret in SECRETS.values():
        assert secret not in target.read_text() + done.stdout
    planned = serving.fab("plan", "--json", "--inventory", str(target), env=SECRETS)
    plan = json.loads(planned.stdout)  # what the harness has set would be recorded
    assert not any(plan[part] for part in ("configuration", "hosts", "leftover")), planned.stdout


def test_nobody_gets_in_without_the_password(serving: Cluster) -> None:
    for node in serving.nodes:
        for user, password in (("guest", "guest"), (USER, "wrong")):
            with pytest.raises(ValueError, match="ACCESS_REFUSED"):
                link(serving.address(node), user, password)
        listening = serving.run(node, "ss -Hltn 'sport = :15672'").stdout.split()
        assert listening[3] == "127.0.0.1:15672"


def test_nobody_reads_the_secrets_on_a_node(serving: Cluster) -> None:
    cookie = SECRETS["PACEFAB_SECRET_RABBITMQ_COOKIE"]
    for node in serving.nodes:
        shown = serving.run(node, "stat -c '%a %U' /var/lib/rabbitmq/.erlang.cookie").stdout
        assert shown == "400 rabbitmq\n"
        readable = f"runuser -u nobody -- grep -rlsF -e '{PASSWORD}' -e {cookie} /etc /var/lib"
        assert not serving.run(node, readable, check=False).stdout
        assert not serving.run(node, f"grep -rlF '{PASSWORD}' /etc", check=False).stdout
        argv = serving.run(node, r"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n'").stdout
        assert "beam.smp" in argv
        assert cookie not in argv


@pytest.mark.long
def test_a_new_password_is_in_force_at_once(serving: Cluster, inventory: Path) -> None:
    address = serving.address(serving.nodes[1])
    changed = deploy(serving, inventory, PACEFAB_SECRET_RABBITMQ=ANOTHER)
    assert changed.returncode == 0, changed.stdout + changed.stderr
    link(address, password=ANOTHER).close()
    with pytest.raises(ValueError, match="ACCESS_REFUSED"):
        link(address)
    assert deploy(serving, inventory).returncode == 0
    link(address).close()


@pytest.mark.long
def test_no_confirmed_message_is_lost_whichever_node_is_killed(
    serving: Cluster, inventory: Path
) -> None:
    addresses = {node: serving.address(node) for node in serving.nodes}
    declare(addresses[serving.nodes[0]], "orders")
    with writing([*addresses.values()], partial(publisher, "orders")) as written:
        for victim in serving.nodes:
            serving.container(victim).kill()
            killed = time.monotonic()
            written.await_after(killed, {*addresses.values()} - {addresses[victim]})
            serving.restart_node(victim)
            written.await_after(killed, [addresses[victim]], BACK_SECONDS)
            await_healthy(serving, inventory, BACK_SECONDS)
    lost = set(written.at) - messages(serving, serving.nodes[0], "orders")
    assert not lost, f"{len(lost)} of {len(written.at)} confirmed messages are lost"
    assert written.worst_gap < 30


@pytest.mark.long
def test_a_drill_loses_no_confirmed_message(
    serving: Cluster, inventory: Path, tmp_path: Path
) -> None:
    file = tmp_path / "drill.json"
    done = serving.fab(
        "drill", "--service", "rabbitmq", "--kind", "process", "--json", str(file),
        "--yes-break", serving.name, "--inventory", str(inventory), env=SECRETS, timeout=400,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert PASSWORD not in done.stdout + done.stderr + file.read_text()
    (drill,) = json.loads(file.read_text())["drills"]
    assert drill["items"]["stored"] > 100
    assert drill["items"]["lost"] == 0
    assert drill["redelivered"] is not None
    assert 0 < drill["worst_gap_seconds"] < 30
    assert not [name for name in queues(serving, serving.nodes[0]) if "drill" in name]


def test_a_node_is_not_stopped_while_a_queue_needs_it(serving: Cluster, inventory: Path) -> None:
    first = serving.nodes[0]
    only = {"x-quorum-initial-group-size": 1, "x-queue-type": "quorum"}
    with closing(link(serving.address(first))) as own:
        own.declare("on-one-node", only)
    changed = inventory.with_name("changed.yaml")
    changed.write_text(inventory.read_text().replace("rabbitmq: {}", "rabbitmq: {memory: 400}"))
    begun = serving.run(first, "systemctl show -P ActiveEnterTimestampMonotonic rabbitmq-server")
    update = ["update-rabbitmq", "--yes", "--timeout", "5", "--inventory", str(changed)]
    done = serving.fab(*update, env=SECRETS)
    again = serving.run(first, "systemctl show -P ActiveEnterTimestampMonotonic rabbitmq-server")
    with closing(link(serving.address(first))) as own:
        own.delete("on-one-node")
    assert done.returncode == 1, done.stdout
    assert "queue on-one-node" in done.stdout + done.stderr
    assert "rabbitmq-queues grow" in done.stdout + done.stderr
    assert again.stdout == begun.stdout


@pytest.mark.long
def test_a_rabbitmq_that_hangs_is_said_to(serving: Cluster, inventory: Path) -> None:
    victim = serving.nodes[1]
    # All tests before it let the cluster be healthy.
    serving.run(victim, "pkill -STOP -x beam.smp")
    try:
        begun = time.monotonic()
        shown = status(serving, inventory)
        took = time.monotonic() - begun
    finally:
        serving.run(victim, "pkill -CONT -x beam.smp")
    assert shown.returncode == 1, shown.stdout
    assert f"rabbitmq Started on {victim}, yet it does not serve" in shown.stdout
    assert took < 10
    await_healthy(serving, inventory, BACK_SECONDS)
