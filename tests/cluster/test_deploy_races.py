"""Deploys that are killed, and deploys that meet: the CIB is one inventory's or the other's."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from pacefab.harness.cluster import REPOSITORY_ROOT, Cluster
from tests.cluster import eyes

ROUNDS = 20
HOLD_LOCK = "flock /run/pacefab.lock cat"  # to the end of its standard input
OVERTAKEN = "another user changed the cluster"


def inventory(cluster: Cluster, file: Path, names: list[str]) -> Path:
    """Write an inventory with these resources, an order and a colocation for each."""
    resources = "".join(f"  {name}: {{agent: 'ocf:pacemaker:Dummy'}}\n" for name in names)
    order = "".join(f"    - {{first: base, then: {name}}}\n" for name in names)
    together = "".join(f"    - {{resource: {name}, with: base}}\n" for name in names)
    file.write_text(
        f"cluster: {cluster.name}\n"
        f"nodes: [{', '.join(cluster.nodes)}]\n"
        "resources:\n"
        "  base: {agent: 'ocf:pacemaker:Dummy'}\n"
        f"{resources}constraints:\n  order:\n{order}  colocation:\n{together}"
    )
    return file


def deploy(cluster: Cluster, file: Path, *options: str) -> subprocess.Popen[str]:
    """Start a deploy."""
    common = ("deploy", "--yes", "--allow-interruption", "--inventory", str(file))
    return subprocess.Popen(
        eyes.fab_argv(cluster, *common, *options),
        env=eyes.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=REPOSITORY_ROOT,
    )


def finish(process: subprocess.Popen[str]) -> str:
    """Wait for a deploy that ends well; return what it said."""
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def objects(cluster: Cluster) -> set[str]:
    """Return the ids of all resources and constraints."""
    root = eyes.cib(cluster)
    found = [*root.findall(".//resources//*[@id]"), *root.findall(".//constraints/*")]
    return {one.get("id", "") for one in found if one.tag in KINDS}


def waiting(cluster: Cluster) -> int:
    """Return how many runs wait for the first node's lock."""
    return len(
        cluster.run(cluster.nodes[0], "pgrep -fx 'flock -w 1 9'", check=False).stdout.split()
    )


KINDS = {"primitive", "rsc_order", "rsc_colocation"}


@pytest.fixture(scope="module")
def idle(cluster: Cluster) -> Iterator[Cluster]:
    cluster.reset()
    yield cluster
    cluster.reset()


@pytest.mark.long
def test_killed_at_any_moment_the_cib_is_the_old_or_the_new_one(
    idle: Cluster, tmp_path: Path
) -> None:
    few = inventory(idle, tmp_path / "few.yaml", ["a1"])
    many = inventory(idle, tmp_path / "many.yaml", [f"b{n}" for n in range(8)])
    states = {}
    for file in (many, few):
        begun = time.monotonic()
        finish(deploy(idle, file, "--prune"))
        seconds = time.monotonic() - begun
        states[file] = objects(idle)
    chance = random.Random(20)  # noqa: S311  (when to kill is no secret)
    seen = []

    for number in range(ROUNDS):
        process = deploy(idle, (many, few)[number % 2], "--prune")
        # The machine may be slower now than it was; a deploy that has ended counts as after.
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=chance.uniform(0.2, 1.5 * seconds))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        # A patch that is on its way in is in, or out, a moment later.
        idle.run(idle.nodes[0], "flock /run/pacefab.lock true")
        found = objects(idle)
        assert found in states.values(), found ^ states[few]
        seen.append(found == states[many])

    assert len(set(seen)) == 2, "no deploy was killed before, or none after its change"
    for file, desired in states.items():
        finish(deploy(idle, file, "--prune"))
        assert objects(idle) == desired


def test_of_two_at_once_one_wins_and_the_other_plans_again(idle: Cluster, tmp_path: Path) -> None:
    idle.reset()
    ours = inventory(idle, tmp_path / "ours.yaml", ["ours"])
    theirs = inventory(idle, tmp_path / "theirs.yaml", ["theirs"])
    container = idle.containers[idle.nodes[0]]
    argv = ["docker", "exec", "--interactive", container, *HOLD_LOCK.split()]
    with subprocess.Popen(argv, stdin=subprocess.PIPE) as lock:
        both = [deploy(idle, file) for file in (ours, theirs)]
        eyes.until(lambda: waiting(idle) == 2, "both have planned, and wait for the lock", 50)
        lock.communicate()

    said = [finish(process) for process in both]
    assert sum(OVERTAKEN in text for text in said) == 1, "\n".join(said)
    assert {one for one in objects(idle) if "-" not in one} == {"base", "ours", "theirs"}


def test_rollback_works_with_an_inventory_that_names_no_addresses(
    idle: Cluster, tmp_path: Path
) -> None:
    idle.reset()
    finish(deploy(idle, inventory(idle, tmp_path / "few.yaml", ["few"])))
    few = objects(idle)
    more = inventory(idle, tmp_path / "more.yaml", ["few", "more"])
    finish(deploy(idle, more))
    options = ("--yes", "--allow-interruption", "--inventory", str(more))

    back = idle.fab("rollback", *options)

    assert back.returncode == 0, back.stdout + back.stderr
    assert objects(idle) == few
