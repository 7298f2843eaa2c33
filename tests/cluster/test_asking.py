"""One rule: what stops or rewrites something that runs is shown, asked, and refused unasked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes
from tests.cluster.lengths import long_but

INTERRUPTING = {
    "remove": (["remove-memcached"], "remove memcached-clone"),
    "purge": (["remove-memcached", "--purge"], "c1: purge memcached"),
    "update": (["update-memcached", "--max-connections", "2222"], "c3: memcached is restarted"),
    "leave": (["remove-node", "--node", "c3"], "stop memcached on c3"),
    "drill": (["drill", "--kind", "process"], "c3: memcached is killed"),
}
"""Words of a task that stops something, and a line of what it shows first."""


@pytest.fixture
def changed(serving: Cluster) -> Iterator[Cluster]:
    """The clone with another value than the desired one."""
    attribute = (
        "crm_resource --resource memcached-clone --meta --parameter-value {} --set-parameter"
    )
    serving.run("c1", f"{attribute.format('false')} interleave")
    yield serving
    serving.run("c1", f"{attribute.format('true')} interleave && crm_resource --wait")


@pytest.fixture
def inventory(serving: Cluster, tmp_path: Path) -> Path:
    """An inventory with another memory size than the nodes have."""
    file = tmp_path / "cluster.yaml"
    file.write_text(
        f"cluster: {serving.name}\n"
        f"nodes: [{', '.join(serving.nodes)}]\n"
        "fencing: {disabled: true, reason: a test}\n"
        "services: {memcached: {memory: 99}}\n"
    )
    return file


@pytest.mark.parametrize("task", long_but(("remove", "update"), INTERRUPTING))
def test_what_stops_something_is_shown_and_refused_without_a_terminal(
    serving: Cluster, task: str
) -> None:
    words, shown = INTERRUPTING[task]
    with eyes.unchanged(serving):
        done = serving.fab(*words)
    assert shown in done.stdout
    eyes.assert_refused(done, "no terminal", "--yes", "nothing was changed", status=2)


@pytest.mark.parametrize(
    ("task", "answer"), [*((task, "n") for task in INTERRUPTING), ("remove", ""), ("leave", "what")]
)
def test_no_answer_but_yes_is_taken_for_one(serving: Cluster, task: str, answer: str) -> None:
    words, shown = INTERRUPTING[task]
    prompt = "type " if task == "drill" else "[y/N]"
    with eyes.unchanged(serving):
        status, screen = eyes.typed(eyes.fab_argv(serving, *words), prompt, answer)
    assert status == 1, screen
    assert shown in screen
    assert "nothing was changed" in screen


def test_ctrl_c_at_the_question_changes_nothing(serving: Cluster) -> None:
    with eyes.unchanged(serving):
        status, screen = eyes.typed(eyes.fab_argv(serving, "remove-memcached"), "[y/N]", "\x03")
    assert status == 130, screen
    assert "interrupted: nothing was changed" in screen


def test_a_dry_run_shows_and_asks_nothing(serving: Cluster) -> None:
    with eyes.unchanged(serving):
        for words, shown in (*INTERRUPTING.values(),):
            if words[0] != "drill":
                done = serving.fab(*words, "--dry-run")
                assert done.returncode == 0, done.stdout + done.stderr
                assert " planned " in done.stdout
                assert shown.rpartition(": ")[2].split()[0] in done.stdout


def test_a_second_run_has_nothing_to_ask(serving: Cluster, inventory: Path) -> None:
    with eyes.unchanged(serving):
        for words in (["update-memcached"], ["create-memcached"], ["install-memcached"]):
            done = serving.fab(*words)
            assert done.returncode == 0, done.stdout + done.stderr
            assert " changed " not in done.stdout


def test_what_is_there_and_different_is_asked_about(changed: Cluster) -> None:
    with eyes.unchanged(changed):
        done = changed.fab("create-memcached", "--update")
    assert "interleave: false -> true" in done.stdout
    eyes.assert_refused(done, "no terminal", "--yes", status=2)


def test_adopt_asks_before_it_rewrites_files(serving: Cluster, inventory: Path) -> None:
    adopt = ("adopt", "--inventory", str(inventory))
    with eyes.unchanged(serving):
        done = serving.fab(*adopt)
        planned = serving.fab(*adopt, "--dry-run")
    eyes.assert_refused(done, "no terminal", "--yes", status=2)
    for text in (done.stdout, planned.stdout):
        assert "99" in text


def test_a_process_outside_pacemaker_is_stopped_only_when_agreed_to(serving: Cluster) -> None:
    serving.fab("remove-memcached", "--yes", check=True)
    serving.run("c2", "systemctl start memcached")
    port = ("install-memcached", "--port", "11333")
    try:
        eyes.until(lambda: eyes.pid(serving, "c2") != "", "its wrapper has become memcached")
        before = eyes.pid(serving, "c2")
        done = serving.fab(*port)
        eyes.assert_refused(done, "no terminal", "--yes", status=2)
        assert "c2: stopped memcached, which ran outside Pacemaker" in done.stdout
        assert eyes.pid(serving, "c2") == before
    finally:
        serving.run("c2", "systemctl stop memcached")
        serving.fab("install-memcached", "create-memcached", check=True)


def test_yes_at_the_terminal_is_enough(serving: Cluster) -> None:
    status, screen = eyes.typed(eyes.fab_argv(serving, "remove-memcached"), "[y/N]", "y")
    assert status == 0, screen
    assert not eyes.has_clone(serving)
    again = serving.fab("remove-memcached")
    assert again.returncode == 0, again.stdout + again.stderr
    serving.fab("create-memcached", check=True)
