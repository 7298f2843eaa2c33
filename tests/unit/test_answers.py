"""Several tasks of one command look once, as long as nothing is changed and it is moments ago."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest

from pacefab.errors import CommandError
from pacefab.transport import answers, command
from pacefab.transport.command import RECORD, Step, shell, step
from pacefab.transport.connection import Access, Host

LOOK = (step("name", "echo", "c1"), shell("size", 'echo "$1"', "64"))


class Node(Host):
    """A host whose scripts run here, and are kept."""

    def __init__(self) -> None:
        super().__init__("c1", MagicMock(), Access())
        self.scripts: list[str] = []
        self.lost = False

    def _run(self, script: str, **_options: Any) -> str:
        self.scripts.append(script)
        if self.lost:
            raise CommandError("run a command", "the connection was lost", "", host=self.name)
        here = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True)
        return here.stdout


@pytest.fixture(autouse=True)
def nothing_done(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(answers, "_worked", -answers.SECONDS)
    return iter(())


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


@pytest.fixture
def node(clock: list[float]) -> Node:
    looked = Node()
    looked.begin("install")
    looked.observe(LOOK)
    clock[0] += 0.3
    return looked


def rounds(node: Node, *steps: Step) -> int:
    """Return how often the node is asked for what it says."""
    before = len(node.scripts)
    found = node.observe(steps or LOOK)
    assert [found[step.name].out for step in LOOK] == ["c1\n", "64\n"]
    return len(node.scripts) - before


def test_a_later_task_takes_what_an_earlier_one_saw(node: Node) -> None:
    node.begin("create")
    assert rounds(node) == 0
    node.begin("status")
    assert rounds(node) == 0


def test_within_a_task_who_looks_again_sees_what_is_new(node: Node) -> None:
    node.begin("install")
    assert rounds(node) == 1
    assert rounds(node) == 1


def test_a_later_task_that_looks_twice_sees_what_is_new(node: Node) -> None:
    node.begin("remove")
    assert rounds(node) == 0
    assert rounds(node) == 1
    node.begin("status")
    assert rounds(node) == 0


def test_only_what_is_new_is_asked(node: Node) -> None:
    node.begin("create")
    assert rounds(node, *LOOK, step("word", "echo", "w")) == 1
    assert "section word" in node.scripts[-1]
    assert "section name" not in node.scripts[-1]
    node.begin("status")
    assert rounds(node, *LOOK, step("word", "echo", "w")) == 0


def test_the_same_name_with_another_question_is_another_one(node: Node) -> None:
    node.begin("create")
    found = node.observe([shell("size", 'echo "$1"', "77")])
    assert found["size"].out == "77\n"


def test_old_answers_are_not_taken(node: Node, clock: list[float]) -> None:
    node.begin("create")
    clock[0] += answers.SECONDS
    assert rounds(node) == 1


@pytest.mark.parametrize("work", ["query", "shell", "lost"])
def test_what_is_done_on_any_host_makes_all_answers_old(
    node: Node, clock: list[float], work: str
) -> None:
    other = Node()
    if work == "query":
        other.query([step("cleanup", "true")])
    elif work == "shell":
        other._opened = True  # noqa: SLF001  # no connection is needed to see this
        other._connection.run.return_value.exited = 0  # noqa: SLF001
        other.shell("true")
    else:
        other.lost = True
        with pytest.raises(CommandError):
            other.query([step("name", "true")])
    clock[0] += 0.1
    node.begin("create")
    assert rounds(node) == 1
    node.begin("status")
    assert rounds(node) == 0


def test_a_change_makes_all_answers_old(
    node: Node, clock: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = f"printf '%s' '{RECORD}lock\n{command._UNIT}0\n\n'"  # noqa: SLF001
    monkeypatch.setattr("pacefab.transport.connection.render_change", lambda *_: answer)
    Node().change([step("write", "touch", str(tmp_path / "f"))], seconds=5)
    clock[0] += 0.1
    node.begin("create")
    assert rounds(node) == 1


def test_questions_to_services_are_asked_each_time_and_change_nothing(node: Node) -> None:
    node.begin("create")
    for _ in range(2):
        assert node.ask([step("probe", "echo", "y")], side_by_side=True)["probe"].out == "y\n"
    assert len(node.scripts) == 3
    assert rounds(node) == 0
