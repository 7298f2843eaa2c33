"""A change that never began, or ended on its way, in an operator's words."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pacefab.errors import CommandError, PacefabError, RefusedError
from pacefab.pacemaker.corosync.plan import CorosyncPlan
from pacefab.transport.command import LOCK, LOCK_WAITED_FOR, Section, Step, step
from pacefab.workflows.nodes.apply_node import (
    NotUndoneError,
    change_node,
    check_lock,
    run_steps,
    waits,
)
from pacefab.workflows.nodes.node_plan import NodePlan
from pacefab.workflows.nodes.progress import Stopwatch
from pacefab.workflows.rollout.corosync_change import CorosyncChange
from pacefab.workflows.rollout.node_changes import NodeChanges
from tests.unit import captured
from tests.unit.test_lost_nodes import Watched


def test_a_node_that_another_run_changes_is_reported() -> None:
    with pytest.raises(RefusedError, match="another run"):
        check_lock(captured.section(LOCK, status=1))
    check_lock(captured.section(LOCK))


def test_a_wait_that_is_said_every_second_is_noted_once_and_so_is_its_end() -> None:
    lock = "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend"
    noted: list[str] = []
    on_line = waits(noted.append)
    for line in (LOCK_WAITED_FOR, f"{lock}\n", "Setting up memcached (1.6.18) ...", lock, lock):
        on_line(line)
    assert noted == [LOCK_WAITED_FOR, lock, "the wait is over"]


class Node:
    """A node that does the steps it is given, or ends at those that it is not to do."""

    def __init__(self, *fails: str) -> None:
        self.fails = fails
        self.done: list[str] = []

    def change(self, steps: Sequence[Step], **_: Any) -> dict[str, Section]:
        """Do the steps until one fails."""
        sections = {LOCK: Section(LOCK, 0, "", "")}
        for one in steps:
            self.done.append(one.name)
            sections[one.name] = Section(one.name, int(one.name in self.fails), "", "no space")
            if one.name in self.fails:
                break
        return sections


PLAN = NodePlan(
    changes=("cache.conf changed",),
    steps=(step("write", "true", undo=["put back"]), step("apply", "true")),
)
LIES = CommandError("run a command", "it sent more than 32 MiB", "look")


def changed(node: Node, seen: PacefabError | NodePlan) -> NodePlan:
    """Change a node that then says of itself what is given, or raises it."""

    def replan() -> NodePlan:
        if isinstance(seen, PacefabError):
            raise seen
        return seen

    return change_node(cast("Any", node), PLAN, replan=replan, note=lambda _: None)


def test_a_node_that_is_as_planned_afterwards_is_done() -> None:
    node = Node()
    assert changed(node, NodePlan()) == PLAN
    assert node.done == ["write", "apply"]


@pytest.mark.parametrize("seen", [LIES, PLAN], ids=["makes no sense", "is not as planned"])
def test_what_was_done_is_undone_where_the_look_at_it_fails(seen: PacefabError | NodePlan) -> None:
    node = Node()
    with pytest.raises(CommandError, match=r"32 MiB|still to do") as caught:
        changed(node, seen)
    assert node.done == ["write", "apply", "put back: write"]
    assert "the old files were put back" in caught.value.next_step


def test_where_that_fails_too_the_change_is_not_called_undone() -> None:
    node = Node("put back: write")
    with pytest.raises(NotUndoneError, match="32 MiB") as caught:
        changed(node, LIES)
    assert "putting the old files back failed too" in caught.value.next_step
    watch = Watched()
    plans = SimpleNamespace(plan_node=lambda *_: raising(LIES))
    seen = SimpleNamespace(hosts={"c1": node}, answered={"c1": None}, again=lambda _: None)
    nodes = NodeChanges(
        cast("Any", plans),
        cast("Any", seen),
        watch,
        Stopwatch("deploy", watch),
        "",
        CorosyncChange(CorosyncPlan(), {}, "test", watch),
    )
    (outcome,) = nodes.change({"c1": PLAN}, 1)
    assert not outcome.mark.ok
    assert nodes.restore(1, keep=False) == []
    assert nodes.stuck == ["c1"]


def raising(error: PacefabError) -> NodePlan:
    raise error


@pytest.mark.parametrize(
    ("ends", "error"),
    [
        ({"apply": 1, "undo write": 0}, CommandError),
        ({"apply": 1, "undo write": 1}, NotUndoneError),
        ({}, NotUndoneError),  # the limit of its time: what it was at has no end
    ],
    ids=["undone", "not undone", "cut off"],
)
def test_a_change_that_did_not_undo_what_it_did_is_not_called_undone(
    ends: dict[str, int], error: type[PacefabError]
) -> None:
    sections = {"write": Section("write", 0, "", "")}
    sections |= {name: Section(name, status, "", "why") for name, status in ends.items()}

    def change(*_: Any, **__: Any) -> dict[str, Section]:
        return {LOCK: Section(LOCK, 0, "", ""), **sections}

    with pytest.raises(CommandError) as caught:
        run_steps(cast("Any", SimpleNamespace(change=change)), PLAN.steps, note=lambda _: None)
    assert type(caught.value) is error
