"""Which failures are tried again on a node that has been changed since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pacefab.pacemaker import monitor
from pacefab.pacemaker.nouns.status import FailedAction
from pacefab.transport.command import Section, Step
from pacefab.workflows.nodes.cleanup import find_failed, forget
from pacefab.workflows.nodes.doorway import Asked
from tests.unit import captured


@dataclass
class Node:
    """A node that keeps what it was asked to do."""

    asked: list[str] = field(default_factory=list)

    def query(self, steps: Sequence[Step], **_options: Any) -> Mapping[str, Section]:
        """Keep it."""
        self.asked += [step.name for step in steps]
        return {step.name: Section(step.name, 0, "", "") for step in steps}


def test_clones_are_tried_again_where_something_changed_and_nothing_that_could_move() -> None:
    status = monitor.parse(captured.text("debian13", "monitor-started.xml"))
    vip = FailedAction("vip-db", "monitor", "c2", "not running")
    status = replace(status, failures=(*status.failures, vip))
    assert find_failed(status, ["c2", "c3"]) == [("memcached", "c2"), ("memcached", "c3")]
    assert find_failed(status, []) == []


def test_what_a_drill_made_fail_is_forgotten_a_fence_devices_monitor_too() -> None:
    status = monitor.parse(captured.text("debian13", "monitor-started.xml"))
    fence = FailedAction("fence-c2", "monitor", "c2", "Lost connection to fencer")
    node = Node()
    forget(cast("Asked", node), replace(status, failures=(*status.failures, fence)), {"c2"})
    assert node.asked == ["cleanup fence-c2 c2", "cleanup memcached c2"]
    forget(cast("Asked", node), replace(status, failures=()), {"c2"})
    assert len(node.asked) == 2
