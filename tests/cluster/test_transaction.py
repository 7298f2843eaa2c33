"""A change is one transaction: killed anywhere, it is named, finished or undone; one at a time."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes, stopping
from tests.cluster.lengths import long_but

HISTORY = "/var/lib/pacefab/history"
State = tuple[tuple[str, ...], ...]


def inventory(cluster: Cluster, folder: Path, name: str, memory: int) -> Path:
    """Write an inventory with a resource of this name, and memcached with so many MiB."""
    file = folder / f"{name}.yaml"
    file.write_text(
        f"cluster: {cluster.name}\n"
        f"nodes: [{', '.join(cluster.nodes)}]\n"
        f"resources:\n  {name}: {{agent: 'ocf:pacemaker:Dummy'}}\n"
        f"services:\n  memcached: {{memory: {memory}}}\n"
    )
    return file


def words(task: str, file: Path) -> Sequence[str]:
    """Return what an operator types who agrees to everything."""
    more = {"deploy": ["--prune", "--allow-interruption"], "rollback": ["--allow-interruption"]}
    return [task, "--yes", *more.get(task, []), "--inventory", str(file)]


def ok(cluster: Cluster, *args: str) -> str:
    """Run a task that ends well; return what it said."""
    done = cluster.fab(*args)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def state(cluster: Cluster) -> State:
    """Return the resources and bans of the CIB, then each node's setting of memcached."""
    root = eyes.cib(cluster)
    found = (
        *root.findall("configuration/resources//primitive"),
        *root.findall(".//rsc_location"),
    )
    ids = tuple(sorted(one.get("id", "") for one in found))
    setting = f"sed -n 's/^-m //p' {eyes.config_path(cluster)} 2>/dev/null"
    return (ids, *((cluster.run(node, setting, check=False).stdout,) for node in cluster.nodes))


def unfinished(cluster: Cluster) -> dict[str, str]:
    """Return the entries that each node calls begun."""
    look = f"cd {HISTORY} && grep -lx 'begun *' */state || true"
    return {node: cluster.run(node, look).stdout for node in cluster.nodes}


def assert_named(cluster: Cluster, file: Path, task: str) -> None:
    """Assert that status, plan and history name a change that was not finished."""
    status = cluster.fab("status", "--json", "--inventory", str(file))
    assert status.returncode == 1, status.stdout + status.stderr
    shown = json.loads(status.stdout)
    assert [one["task"] for one in shown["unfinished"]][-1] == task
    assert any(reason.startswith(f"not finished: {task} of ") for reason in shown["reasons"])
    for look in ("plan", "history"):
        said = cluster.fab(look, "--inventory", str(file)).stdout
        assert f"not finished: {task} of " in said, said


def assert_ended(cluster: Cluster, file: Path) -> None:
    """Assert that nothing is left of a change that was cut off."""
    assert not any(unfinished(cluster).values())
    status = cluster.fab("status", "--inventory", str(file))
    assert status.returncode == 0, status.stdout + status.stderr
    for node in cluster.nodes:
        left = cluster.run(node, f"find {HISTORY} -name '*.new'").stdout
        assert left == ""
    resting = "! pgrep -f 'pacefab #[p]acefab' >/dev/null"
    assert all(cluster.run(node, resting, check=False).returncode == 0 for node in cluster.nodes)


class Two:
    """A cluster that was deployed by one inventory, then by another; what it was by each."""

    def __init__(self, cluster: Cluster, folder: Path) -> None:
        """Deploy both."""
        self.cluster = cluster
        self.old = inventory(cluster, folder, "before", 64)
        self.new = inventory(cluster, folder, "after", 65)
        self.states = {}
        for file in (self.old, self.new, self.old):
            ok(cluster, *words("deploy", file))
            self.states[file] = state(cluster)

    def begin(self, file: Path) -> None:
        """Have the cluster be as one of them says."""
        if state(self.cluster) != self.states[file]:
            ok(self.cluster, *words("deploy", file))


@pytest.fixture(scope="module")
def two(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    cluster.reset()
    yield Two(cluster, tmp_path_factory.mktemp("inventories"))
    cluster.reset()


KILLED = [
    (stopping.NODES_CHANGED, "before", "rollback"),
    (stopping.ONE_NODE_CHANGED, "after", "deploy"),
    (stopping.ONE_NODE_CHANGED, "after", "rollback"),
    (stopping.NODES_CHANGED, "after", "rollback"),
    (stopping.PATCHED, "after", "deploy"),
    (stopping.PATCHED, "after", "rollback"),
]
SHORT = [
    (stopping.ONE_NODE_CHANGED, "after", "deploy"),
    (stopping.PATCHED, "after", "rollback"),
]


@pytest.mark.parametrize(("point", "moment", "way"), long_but(SHORT, KILLED))
def test_a_killed_deploy_is_named_and_finished_or_undone(
    two: Two, point: str, moment: str, way: str
) -> None:
    two.begin(two.old)
    stopping.killed(two.cluster, *words("deploy", two.new), point=point, moment=moment)
    assert_named(two.cluster, two.new, "deploy")

    ok(two.cluster, *words(way, two.new))

    assert state(two.cluster) == two.states[two.new if way == "deploy" else two.old]
    assert_ended(two.cluster, two.new)


@pytest.mark.long
def test_a_rollback_after_a_killed_and_repeated_deploy_goes_back_before_the_first(
    two: Two,
) -> None:
    two.begin(two.old)
    stopping.killed(two.cluster, *words("deploy", two.new), point=stopping.NODES_CHANGED)
    ok(two.cluster, *words("deploy", two.new))
    assert state(two.cluster) == two.states[two.new]

    ok(two.cluster, *words("rollback", two.new))

    assert state(two.cluster) == two.states[two.old]
    assert_ended(two.cluster, two.new)


@pytest.mark.long
def test_a_deploy_that_only_did_not_say_that_it_is_done_is_finished_by_the_next(two: Two) -> None:
    two.begin(two.old)
    stopping.killed(two.cluster, *words("deploy", two.new), point=stopping.ENDING, moment="before")
    assert_named(two.cluster, two.new, "deploy")

    said = ok(two.cluster, *words("deploy", two.new))

    assert " unchanged " in said
    assert state(two.cluster) == two.states[two.new]
    assert_ended(two.cluster, two.new)


@pytest.mark.long
@pytest.mark.parametrize("point", [stopping.NODES_CHANGED, stopping.PATCHED])
def test_a_killed_rollback_that_is_repeated_goes_on_to_the_same_target(
    two: Two, point: str
) -> None:
    two.begin(two.old)
    ok(two.cluster, *words("deploy", two.new))
    stopping.killed(two.cluster, *words("rollback", two.new), point=point)
    assert_named(two.cluster, two.new, "rollback")
    stopping.killed(
        two.cluster, *words("rollback", two.new), point=stopping.ENDING, moment="before"
    )

    ok(two.cluster, *words("rollback", two.new))

    assert state(two.cluster) == two.states[two.old]
    assert_ended(two.cluster, two.old)


@pytest.mark.long
@pytest.mark.parametrize(
    ("point", "way"),
    [(stopping.STOPPED, "update-memcached"), (stopping.NODE_UPDATED, "rollback")],
)
def test_a_killed_update_is_finished_or_undone(two: Two, point: str, way: str) -> None:
    two.begin(two.old)
    # Its own setting, so that the update has something to write.
    more = inventory(two.cluster, two.old.parent, "before", 66)
    before = state(two.cluster)
    try:
        stopping.killed(two.cluster, *words("update-memcached", more), point=point)
        assert_named(two.cluster, more, "update-memcached")
        refused = two.cluster.fab(*words("deploy", more))
        eyes.assert_refused(refused, "not finished: update-memcached", "fab rollback", status=1)

        ok(two.cluster, *words(way, more))

        settings = ("66\n",) if way == "update-memcached" else ("64\n",)
        assert state(two.cluster) == (before[0], *[settings] * len(two.cluster.nodes))
        assert eyes.started_on(two.cluster) == two.cluster.nodes
        assert_ended(two.cluster, more)
    finally:
        inventory(two.cluster, two.old.parent, "before", 64)


@pytest.mark.long
@pytest.mark.parametrize("way", ["remove-memcached", "rollback"])
def test_a_killed_remove_is_finished_or_undone(two: Two, way: str) -> None:
    two.begin(two.old)
    before = state(two.cluster)
    stopping.killed(two.cluster, *words("remove-memcached", two.old), point=stopping.REMOVED)
    named = json.loads(two.cluster.fab("status", "--json", "--inventory", str(two.old)).stdout)
    assert [one["task"] for one in named["unfinished"]] == ["remove-memcached"]

    ok(two.cluster, *words(way, two.old))

    assert not any(unfinished(two.cluster).values())
    if way == "rollback":
        assert state(two.cluster) == before
        assert_ended(two.cluster, two.old)
    else:
        assert eyes.has_clone(two.cluster) is False


@pytest.mark.long
def test_what_a_killed_create_started_before_pacemaker_was_given_it_is_stopped_again(
    two: Two,
) -> None:
    two.begin(two.old)
    ok(two.cluster, *words("remove-memcached", two.old))
    create = words("create-memcached", two.old)
    stopping.killed(two.cluster, *create, point=stopping.PATCHED, moment="before")
    assert all(eyes.processes(two.cluster).values())
    assert eyes.has_clone(two.cluster) is False

    said = ok(two.cluster, *words("rollback", two.old))

    assert "memcached.service was started by a run that was cut off" in said
    assert not any(eyes.processes(two.cluster).values())
    assert not any(unfinished(two.cluster).values())
    ok(two.cluster, *words("deploy", two.old))


@pytest.mark.long
def test_another_task_says_what_is_not_finished_and_which_two_commands_end_it(two: Two) -> None:
    two.begin(two.old)
    stopping.killed(two.cluster, *words("deploy", two.new), point=stopping.NODES_CHANGED)
    before = state(two.cluster)

    refused = two.cluster.fab(*words("remove-memcached", two.new))

    eyes.assert_refused(refused, "not finished: deploy of ", "fab deploy", "fab rollback", status=1)
    assert state(two.cluster) == before
    ok(two.cluster, *words("rollback", two.new))
    assert_ended(two.cluster, two.old)


def test_of_three_operators_at_once_each_has_the_cluster_for_itself(
    two: Two, tmp_path: Path
) -> None:
    two.begin(two.old)
    operators = 3
    files = [inventory(two.cluster, tmp_path, f"own{n}", 70 + n) for n in range(operators)]
    runs = [stopping.start(two.cluster, *words("deploy", file), "--wait", "240") for file in files]

    said = [process.communicate(timeout=300)[0] for process in runs]

    assert [process.returncode for process in runs] == [0] * operators, "\n".join(said)
    assert sum("planned again" in text for text in said) >= operators - 1, "\n".join(said)
    ids, *settings = state(two.cluster)
    last = next(n for n in range(operators) if f"own{n}" in ids)
    assert ids == ("memcached", f"own{last}")
    assert settings == [(f"{70 + last}\n",)] * len(two.cluster.nodes)
    assert_ended(two.cluster, files[last])


def test_who_does_not_wait_is_refused_and_reads_whose_change_it_is(two: Two) -> None:
    two.begin(two.old)
    with stopped(two, two.new) as held:
        before = state(two.cluster)
        with eyes.unchanged(two.cluster):
            refused = two.cluster.fab(*words("deploy", two.old), "--wait", "0")
            looked = two.cluster.fab("plan", "--inventory", str(two.new))
        assert state(two.cluster) == before
    eyes.assert_refused(refused, "deploy by ", " since ", "holds the cluster", "--wait", status=1)
    assert looked.returncode == 2  # reading needs no lease
    assert held.returncode == 0, held.stdout


@contextmanager
def stopped(two: Two, file: Path, elsewhere: str = "") -> Iterator[subprocess.Popen[str]]:
    """Have a deploy stand still, with files changed and the CIB not; let it go on afterwards."""
    process = stopping.start(
        two.cluster, *words("deploy", file), point=stopping.NODES_CHANGED, number=signal.SIGSTOP,
        elsewhere=elsewhere,
    )  # fmt: skip
    try:
        stat = Path(f"/proc/{process.pid}/stat")
        eyes.until(lambda: stat.read_text().rpartition(")")[2].split()[0] == "T", "it stops", 60)
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        held, _ = process.communicate(timeout=120)
        process.stdout = None
        Path(file.parent / "held").write_text(held)


def test_a_run_that_stood_still_has_lost_its_lease_and_does_not_go_on(two: Two) -> None:
    two.begin(two.old)
    with stopped(two, two.new, "another-machine/pid:[1]") as held:
        # The lease has not ended yet: whoever comes waits for it, and for no more than its time.
        said = ok(two.cluster, *words("deploy", two.old))
    assert "waiting for its end" in said
    assert held.returncode == 1
    text = (two.new.parent / "held").read_text()
    assert re.search("this run was cut off or stopped for too long", text), text
    assert state(two.cluster) == two.states[two.old]
    assert_ended(two.cluster, two.old)


@pytest.mark.long
def test_one_session_at_a_time_is_enough(two: Two) -> None:
    two.begin(two.old)
    change = "sed -i '1i MaxSessions 1' /etc/ssh/sshd_config && systemctl reload ssh*"
    undo = "sed -i '1d' /etc/ssh/sshd_config && systemctl reload ssh*"
    two.cluster.run("c1", change)
    try:
        ok(two.cluster, *words("deploy", two.new))
        ok(two.cluster, *words("rollback", two.new))
    finally:
        two.cluster.run("c1", undo)
    assert state(two.cluster) == two.states[two.old]


def test_a_node_that_cannot_note_the_change_keeps_all_from_it(two: Two) -> None:
    two.begin(two.old)
    held = f"mv {HISTORY} {HISTORY}.held && touch {HISTORY}"
    two.cluster.run("c2", held)
    before = state(two.cluster)
    try:
        refused = two.cluster.fab(*words("deploy", two.new))
        assert state(two.cluster) == before
    finally:
        two.cluster.run("c2", f"rm {HISTORY} && mv {HISTORY}.held {HISTORY}")
    eyes.assert_refused(refused, "c2", "history", "nothing was changed", status=1)
    assert_ended(two.cluster, two.old)


@pytest.mark.long
def test_every_node_has_the_history_and_a_damaged_note_is_a_line_of_its_own(two: Two) -> None:
    two.begin(two.new)
    ok(two.cluster, *words("deploy", two.old))
    newest = two.cluster.run("c1", f"ls {HISTORY} | tail -1").stdout.strip()
    note = f"{HISTORY}/{newest}/note.json"
    alike = {
        two.cluster.fab("history", hosts=[node]).stdout.replace(node, "") for node in ("c2", "c3")
    }
    assert len(alike) == 1
    two.cluster.run("c1", f"cp -a {note} /run/note && truncate -s 40 {note}")
    try:
        said = two.cluster.fab("history", "--inventory", str(two.old))
        assert said.returncode == 0
        assert f"{newest}: its note on c1 is damaged" in said.stdout
        ok(two.cluster, *words("rollback", two.old))
    finally:
        two.cluster.run("c1", f"mv /run/note {note}")
    assert state(two.cluster) == two.states[two.new]
