"""Each node of a Galera that takes writes loses its power: what was committed is there."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import drilling, eyes
from tests.cluster.writers import writing

pytestmark = pytest.mark.long

NODES = ("c1", "c2", "c3")
RECOVERY_SECONDS = 90
SERVICES = "services: {memcached: {}, galera: {}}\n"
CLIENT = "mariadb --batch --skip-column-names --unbuffered test"
CREATE = (
    "CREATE DATABASE IF NOT EXISTS test; "
    "CREATE TABLE IF NOT EXISTS test.kept (word VARCHAR(40) PRIMARY KEY) ENGINE=InnoDB"
)

EMPTY = "DELETE FROM test.kept"  # each writing begins with the same words


@pytest.fixture(scope="module")
def galera(fenced_cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Galera on all nodes of a cluster that fences; return the inventory."""
    file = drilling.write_inventory(fenced_cluster, tmp_path_factory.mktemp("galera"), SERVICES)
    fenced_cluster.fab("deploy", "--yes", "--inventory", str(file), check=True, timeout=900)
    fenced_cluster.run("c1", f"mariadb --execute '{CREATE}'")
    return file


def connect(cluster: Cluster, node: str) -> Callable[[str], None]:
    """Return what commits a row at a node's own database, and returns once it said so."""
    argv = ["docker", "exec", "--interactive", cluster.containers[node], *CLIENT.split()]
    client = subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    assert client.stdin is not None
    assert client.stdout is not None
    say, answers = client.stdin, client.stdout

    def write(word: str) -> None:
        try:
            print(
                "INSERT INTO kept VALUES", f"('{word}');", f"SELECT '{word}';", file=say, flush=True
            )
            answer = answers.readline().strip()
        except OSError:
            answer = ""
        if answer != word:
            client.kill()
            client.wait()
            raise ValueError(answer)

    return write


def kept(cluster: Cluster, node: str) -> set[str]:
    """Return the rows that a node's own database has."""
    query = "SET SESSION wsrep_sync_wait = 1; SELECT word FROM kept"
    return set(cluster.run(node, f"{CLIENT} --execute '{query}'").stdout.splitlines())


@pytest.mark.parametrize("node", NODES)
def test_no_committed_row_is_lost_and_the_others_go_on(
    fenced_cluster: Cluster, galera: Path, tmp_path: Path, node: str
) -> None:
    others = [each for each in NODES if each != node]
    fenced_cluster.run("c1", f"mariadb --execute '{EMPTY}'")
    with writing(NODES, lambda each: connect(fenced_cluster, each)) as written:
        written.await_after(0, NODES)
        (found,) = drilling.drill(fenced_cluster, node, tmp_path, "--kind", "power", rest=SERVICES)
        eyes.until(
            lambda: fenced_cluster.fab("status", "--inventory", str(galera)).returncode == 0,
            "every database is in sync again",
            RECOVERY_SECONDS,
        )
        written.await_after(max(written.at.values()), NODES)

    assert found["fencing"]["switched_off"] == [node]
    assert found["fencing"]["active_twice"] == []
    assert found["fencing"]["back_seconds"] < RECOVERY_SECONDS
    assert written.worst_gap < RECOVERY_SECONDS
    rows = kept(fenced_cluster, node)
    assert set(written.at) <= rows
    assert all(kept(fenced_cluster, each) == rows for each in others)
