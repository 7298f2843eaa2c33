"""What should run where is Pacemaker's word: every command in every state that an operator sets.

The states are set with pcs, as an operator does it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes
from tests.cluster.eyes import Done
from tests.cluster.lengths import long_but

CLONE = "memcached-clone"
SETTLED = "crm_resource --wait --timeout 60"
SOON = 60.0  # seconds: with what is not to run awaited, a command takes its --timeout, 300 s


@dataclass(frozen=True)
class State:
    """How pcs sets and ends it, what every command says of it, where memcached is updated."""

    begin: str
    end: str
    said: str
    updated: tuple[str, ...]
    refused: str = ""  # by a deploy of a change


OPT_IN = f"pcs property set symmetric-cluster=false; pcs constraint location {CLONE} prefers c1 c2"
OPT_OUT = (
    "pcs property set symmetric-cluster=true;"
    f" for n in c1 c2; do pcs constraint delete location-{CLONE}-$n-INFINITY; done"
)
REMOTE = "pcs resource create r9 ocf:pacemaker:remote server=192.0.2.99 op start timeout=5 --force"
MAINTENANCE = "the cluster is in maintenance mode"
STATES = {
    "standby": State(
        "pcs node standby c3", "pcs node unstandby c3",
        "c3 is in standby, its services are not asked: pcs node unstandby c3", ("c1", "c2"),
    ),
    "node maintenance": State(
        "pcs node maintenance c3", "pcs node unmaintenance c3", "c3 is in maintenance", ("c1", "c2")
    ),
    "maintenance": State(
        "pcs property set maintenance-mode=true", "pcs property set maintenance-mode=false",
        MAINTENANCE, (), refused=MAINTENANCE,
    ),
    "unmanaged": State(
        f"pcs resource unmanage {CLONE}", f"pcs resource manage {CLONE}",
        "is unmanaged", (),
    ),
    "disabled": State(
        f"pcs resource disable {CLONE}", f"pcs resource enable {CLONE}",
        f"{CLONE} is disabled (target-role Stopped): pcs resource enable {CLONE}", (),
    ),
    "banned": State(
        f"pcs resource ban {CLONE} c3", f"pcs resource clear {CLONE}",
        f"c3 is banned for {CLONE} by cli-ban-{CLONE}-on-c3: pcs resource clear {CLONE} c3",
        ("c1", "c2"),
    ),
    "opt-in": State(OPT_IN, OPT_OUT, f"{CLONE} is not allowed on c3", ("c1", "c2")),
    "stop-all": State(
        "pcs property set stop-all-resources=true", "pcs property set stop-all-resources=false",
        "stop-all-resources is set", (),
    ),
}  # fmt: skip


@contextmanager
def in_state(cluster: Cluster, state: State) -> Iterator[None]:
    """Have the cluster in a state during the block, and at rest in it and after it."""
    cluster.run("c1", f"{state.begin} && {SETTLED}")
    try:
        yield
    finally:
        cluster.run("c1", f"{state.end}; {SETTLED}")


@pytest.fixture(scope="module")
def inventory(serving: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cluster as it is, as an inventory."""
    text = f"""cluster: {serving.name}
nodes: [c1, c2, c3]
fencing: {{disabled: true, reason: a test}}
services: {{memcached: {{}}}}
"""
    file = tmp_path_factory.mktemp("word") / "lab.yaml"
    file.write_text(text)
    done = fab(serving, "deploy", "--yes", "--inventory", str(file))
    assert done.returncode == 0, done.stdout + done.stderr
    return file


def fab(cluster: Cluster, *args: str) -> Done:
    """Run fab; it is to be done long before its time is up."""
    begun = time.monotonic()
    done = cluster.fab(*args)
    assert time.monotonic() - begun < SOON, done.stdout
    assert "Traceback" not in done.stderr
    return done


@pytest.mark.parametrize("name", long_but(("standby",), STATES))
def test_every_command_has_pacemakers_word(
    serving: Cluster, inventory: Path, name: str, tmp_path: Path
) -> None:
    state, options = STATES[name], ("--inventory", str(inventory))
    with in_state(serving, state):
        status = fab(serving, "status")
        assert state.said in status.stdout
        assert "degraded" not in status.stdout
        assert status.returncode == 0

        verify = fab(serving, "verify-memcached")
        assert verify.returncode == 0, verify.stdout + verify.stderr

        plan = fab(serving, "plan", "--json", *options)
        planned = json.loads(plan.stdout)
        assert any(state.said in notice for notice in planned["notices"])
        assert planned["configuration"] == []

        more = tmp_path / "more.yaml"
        more.write_text(inventory.read_text() + "resources: {lone: {agent: 'ocf:pacemaker:Dummy'}}")
        words = ("deploy", "--yes", "--allow-interruption", "--inventory", str(more))
        deployed = fab(serving, *words)
        assert state.said in deployed.stdout
        if state.refused:
            eyes.assert_refused(deployed, state.refused, "nothing was changed", status=1)
        else:
            assert deployed.returncode == 0, deployed.stdout + deployed.stderr
            serving.run("c1", f"pcs resource delete lone; {SETTLED}")

        update = fab(serving, "update-memcached", "--memory", "70", "--dry-run")
        if state.updated:
            for node in serving.nodes:
                mark = "planned" if node in state.updated else "skipped"
                assert mark in eyes.line_of(update, node, "update-memcached")
            assert state.said in update.stdout
        else:
            assert update.returncode == 1
            assert state.said in update.stdout + update.stderr

        drill = fab(serving, "drill", "--kind", "process", "--yes-break", serving.name)
        eyes.assert_refused(drill, state.said, status=1)


@pytest.mark.long
def test_a_remote_node_is_no_obstacle(serving: Cluster, inventory: Path) -> None:
    """One that does not answer: a failure of its own, and no other service's."""
    remote = State(REMOTE, "pcs resource delete r9 --force", "r9 is offline", ())
    with in_state(serving, remote):
        plan = fab(serving, "plan", "--json", "--inventory", str(inventory))
        assert any("the remote node r9 is" in one for one in json.loads(plan.stdout)["notices"])
        deployed = fab(serving, "deploy", "--yes", "--inventory", str(inventory))
        assert deployed.returncode == 0, deployed.stdout + deployed.stderr
        status = fab(serving, "status")
        assert "r9 is offline" in status.stdout
        assert "memcached is Stopped" not in status.stdout
