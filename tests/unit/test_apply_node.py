"""A change that never began, or ended on its way, in an operator's words."""

from __future__ import annotations

import pytest

from pacefab.errors import RefusedError
from pacefab.transport.command import LOCK, LOCK_WAITED_FOR
from pacefab.workflows.nodes.apply_node import check_lock, waits
from tests.unit import captured


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
