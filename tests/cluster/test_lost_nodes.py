"""Nodes that are lost while a cluster is changed, or before: paused, killed, cut off, without sshd.

Each time the configuration of memcached (a file on every node) and a resource (in the CIB) change
together. Where they stand is read on the nodes themselves.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes

TOLD_SECONDS = 30  # a host that is frozen has to be reported by then
# A program that a script of ours calls, in its place; about one thing it waits for its release.
HELD_PROGRAM = r"""
cat >"/usr/local/sbin/$1" <<END
#!/bin/sh
case "\$*" in *$2*) touch /run/held; while [ -e /run/hold ]; do sleep 0.1; done ;; esac
exec $(command -v "$1") "\$@"
END
chmod 755 "/usr/local/sbin/$1"
touch /run/hold
"""
IS_HELD = "test -e /run/held"
WRITING, PATCHING = ("mktemp", "memcached"), ("crm_diff", "original")
LOCK_IS_AWAITED = "pgrep -fx 'flock -w 1 9'"
CUT_CONNECTION = "pkill -9 -f '[s]shd: root@notty'"
NO_SSHD = "systemctl stop ssh.socket ssh sshd 2>/dev/null; pkill -9 sshd; true"
SSHD = "systemctl start ssh 2>/dev/null || systemctl start sshd"
# Everything but loopback: the other nodes, and whoever manages the cluster.
CUT_OFF = "nft -f -"
RULES = """\
table inet cut_off {
  chain in { type filter hook input priority -300; policy drop; iif lo accept; }
  chain out { type filter hook output priority -300; policy drop; oif lo accept; }
}
"""


class State(NamedTuple):
    """What one deploy wants: the size in memcached's file, and the resource beside it."""

    size: int
    resource: str


OLD, NEW = State(64, "old"), State(65, "new")


class Stage:
    """The cluster, and inventories for it."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        self.cluster = cluster
        self.folder = folder

    def options(self, state: State) -> list[str]:
        """Return how a deploy of a state is typed."""
        file = self.folder / f"{state.resource}.yaml"
        file.write_text(
            f"cluster: {self.cluster.name}\n"
            f"nodes: [{', '.join(self.cluster.nodes)}]\n"
            "fencing: {disabled: true, reason: containers have no power switch}\n"
            f"services: {{memcached: {{memory: {state.size}}}}}\n"
            f"resources: {{{state.resource}: {{agent: 'ocf:pacemaker:Dummy'}}}}\n"
        )
        rest = ("--yes", "--prune", "--allow-interruption", "--timeout", "120")
        return ["deploy", *rest, "--inventory", str(file)]

    def deploy(self, state: State, *more: str) -> eyes.Done:
        """Deploy a state, first node first."""
        return self.cluster.fab(*self.options(state), *more)

    def begin(self, state: State, first: str) -> subprocess.Popen[str]:
        """Begin to deploy a state, through the node that is named first."""
        others = [node for node in self.cluster.nodes if node != first]
        return eyes.start(self.cluster, *self.options(state), hosts=",".join([first, *others]))

    def size(self, node: str) -> int:
        """Return the size in a node's file."""
        text = eyes.read(self.cluster, node, eyes.config_path(self.cluster))
        return int(re.findall(r"-m\s*(\d+)|CACHESIZE=\"?(\d+)", text)[-1][0] or 0)

    def resources(self, node: str) -> set[str]:
        """Return which of the resources a node's CIB has."""
        found = eyes.cib(self.cluster, node).findall(".//resources/primitive")
        return {one.get("id", "") for one in found}

    def agree(self, state: State, *nodes: str) -> None:
        """Assert that files and CIB of nodes, by default of all, are those of a state."""
        for node in nodes or self.cluster.nodes:
            assert (node, self.size(node)) == (node, state.size)
            assert (node, self.resources(node)) == (node, {state.resource})

    def dc(self) -> str:
        """Return the DC."""
        said = self.cluster.run(self.cluster.nodes[0], "crm_mon -1").stdout
        return str(re.findall(r"Current DC: (\S+)", said)[0])

    def others(self, node: str) -> list[str]:
        """Return the other nodes."""
        return [other for other in self.cluster.nodes if other != node]

    def says(self, node: str, command: str) -> Callable[[], bool]:
        """Return what asks whether a command succeeds on a node."""
        return lambda: self.cluster.run(node, command, check=False).returncode == 0

    @contextmanager
    def holding(self, node: str, program: tuple[str, str]) -> Iterator[Callable[[], None]]:
        """Let a node's script wait in the middle; yield what lets it go on, as the end does."""
        name, about = program

        def release() -> None:
            self.cluster.run(node, "rm -f /run/hold", check=False)

        self.cluster.run(node, f"set -- {name} {about}\n{HELD_PROGRAM}")
        try:
            yield release
        finally:
            release()
            self.cluster.run(node, f"rm -f /usr/local/sbin/{name} /run/held", check=False)


@pytest.fixture(scope="module")
def stage(bare: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Stage:
    stage = Stage(bare, tmp_path_factory.mktemp("inventories"))
    done = stage.deploy(OLD)
    assert done.returncode == 0, done.stdout + done.stderr
    return stage


@pytest.fixture(autouse=True)
def _old(stage: Stage) -> None:
    """Begin with the old state on three nodes that are there."""
    stage.cluster.wait_formed()
    done = stage.deploy(OLD)
    assert done.returncode == 0, done.stdout + done.stderr
    stage.agree(OLD)


def ended(process: subprocess.Popen[str], seconds: float = 120) -> str:
    """Return what a deploy said that lost a node: it has ended in time, and says so."""
    said, _ = process.communicate(timeout=seconds)
    assert process.returncode == 1, said
    assert "Traceback" not in said
    return said


def finish_after_return(stage: Stage) -> None:
    """Assert that one run with all nodes makes them all alike."""
    stage.cluster.wait_formed()
    done = stage.deploy(NEW)
    assert done.returncode == 0, done.stdout + done.stderr
    stage.agree(NEW)


@pytest.mark.long
def test_the_doorway_is_killed_before_its_patch_and_a_run_goes_on_without_it(
    stage: Stage,
) -> None:
    first = stage.dc()
    second, third = stage.others(first)
    with stage.holding(first, PATCHING):
        process = stage.begin(NEW, first)
        eyes.until(stage.says(first, IS_HELD), "the patch is being made", 60)
        assert stage.size(second) == NEW.size
        assert stage.resources(second) == {OLD.resource}
        stage.cluster.container(first).kill()
    said = ended(process)
    assert re.search(rf"{first} .*unreachable", said), said
    stage.agree(NEW, second, third)

    refused = stage.deploy(OLD)
    eyes.assert_refused(refused, "nothing was changed", f"--without {first}")
    stage.agree(NEW, second, third)

    plan = stage.cluster.fab("plan", *stage.options(OLD)[-2:], "--without", first)
    assert f"{first}: neither asked nor changed" in plan.stdout, plan.stdout + plan.stderr
    without = stage.deploy(OLD, "--without", first)
    assert without.returncode == 0, without.stdout + without.stderr
    stage.agree(OLD, second, third)

    stage.cluster.restart_node(first)
    assert stage.size(first) == NEW.size
    finish_after_return(stage)


def test_the_dc_has_no_sshd_any_more_after_the_patch(stage: Stage) -> None:
    """It is a member as before: only the way to it is lost."""
    lost = stage.dc()
    process = stage.begin(NEW, lost)
    eyes.until(lambda: NEW.resource in stage.resources(lost), "the patch is in", 60)
    stage.cluster.run(lost, NO_SSHD)
    try:
        said = ended(process)
        assert re.search(rf"{lost} .*unreachable", said), said
        stage.agree(NEW)
    finally:
        stage.cluster.run(lost, SSHD)
    finish_after_return(stage)


def test_a_connection_that_breaks_is_made_again_and_the_change_is_made_once(
    stage: Stage,
) -> None:
    lost = stage.others(stage.dc())[0]
    with stage.holding(lost, WRITING) as release:
        process = stage.begin(NEW, stage.dc())
        eyes.until(stage.says(lost, IS_HELD), "the node's file is being written", 60)
        stage.cluster.run(lost, CUT_CONNECTION)
        eyes.until(stage.says(lost, LOCK_IS_AWAITED), "the end of what is at work is awaited", 60)
        release()
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 0, said
    assert "it is asked again" in said
    stage.agree(NEW)


@pytest.mark.long
def test_where_the_change_fails_elsewhere_a_node_that_was_lost_goes_back_too(
    stage: Stage,
) -> None:
    """What the lost one was doing is awaited over a new connection, and undone."""
    first = stage.dc()
    lost, broken = stage.others(first)
    path = eyes.config_path(stage.cluster)
    text = eyes.read(stage.cluster, broken, path)
    with eyes.covered(stage.cluster, broken, path, text), stage.holding(lost, WRITING) as release:
        process = stage.begin(NEW, first)
        eyes.until(stage.says(lost, IS_HELD), "the node's file is being written", 60)
        stage.cluster.run(lost, CUT_CONNECTION)
        eyes.until(stage.says(lost, LOCK_IS_AWAITED), "the end of what is at work is awaited", 60)
        release()
        said = ended(process)
    assert f"previous files restored on {first}, {lost}" in said
    stage.agree(OLD)


@pytest.mark.long
def test_another_node_is_cut_off_before_the_patch(stage: Stage) -> None:
    first = stage.dc()
    lost, third = stage.others(first)
    with stage.holding(lost, WRITING) as release:
        process = stage.begin(NEW, first)
        eyes.until(stage.says(lost, IS_HELD), "the node's file is being written", 60)
        stage.cluster.run(lost, CUT_OFF, stdin=RULES)
        try:
            release()
            said = ended(process)
            assert re.search(rf"{lost} .*unreachable", said), said
            stage.agree(NEW, first, third)
        finally:
            stage.cluster.run(lost, "nft delete table inet cut_off")
    finish_after_return(stage)


@pytest.mark.long
def test_the_doorway_is_frozen_after_its_patch(stage: Stage) -> None:
    first = stage.dc()
    second, third = stage.others(first)
    container = stage.cluster.container(first)
    process = stage.begin(NEW, first)
    eyes.until(lambda: NEW.resource in stage.resources(second), "the patch is in", 60)
    stage.cluster.pause(first)
    try:
        said = ended(process, TOLD_SECONDS + 60)
        assert re.search(rf"{first} .*unreachable", said), said
        stage.agree(NEW, second, third)
    finally:
        container.unpause()
    finish_after_return(stage)


@pytest.mark.long
def test_a_ban_that_a_killed_update_left_behind_ends_by_itself(stage: Stage) -> None:
    cluster, first = stage.cluster, stage.cluster.nodes[0]
    process = eyes.start(cluster, "update-memcached", "--yes", "--memory", "66")
    eyes.until(lambda: len(eyes.started_on(cluster)) == 2, "memcached is stopped on a node")
    process.send_signal(signal.SIGKILL)
    process.communicate()
    found = eyes.cib(cluster).find(".//rsc_location/rule/date_expression[@operation='lt']")
    assert found is not None
    until = cluster.run(first, "date -u -d '+3 seconds' '+%Y-%m-%d %H:%M:%SZ'").stdout.strip()
    name = found.get("id")
    cluster.run(
        first,
        f"cibadmin --modify --xpath \"//date_expression[@id='{name}']\" --xml-pipe",
        stdin=f'<date_expression id="{name}" end="{until}"/>',
    )
    eyes.until(lambda: len(eyes.started_on(cluster)) == 3, "memcached is back", 60)
