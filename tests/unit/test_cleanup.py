"""Which failures are tried again on a node that has been changed since."""

from __future__ import annotations

from dataclasses import replace

from pacefab.pacemaker import monitor
from pacefab.pacemaker.nouns.status import FailedAction
from pacefab.workflows.nodes.cleanup import find_failed
from tests.unit import captured


def test_clones_are_tried_again_where_something_changed_and_nothing_that_could_move() -> None:
    status = monitor.parse(captured.text("debian13", "monitor-started.xml"))
    vip = FailedAction("vip-db", "monitor", "c2", "not running")
    status = replace(status, failures=(*status.failures, vip))
    assert find_failed(status, ["c2", "c3"]) == [("memcached", "c2"), ("memcached", "c3")]
    assert find_failed(status, []) == []
