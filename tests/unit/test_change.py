"""A change that never began, or ended on its way, in an operator's words."""

from __future__ import annotations

import pytest

from fabfile.deploy.change import check_lock
from fabfile.errors import RefusedError
from fabfile.transport.command import LOCK
from tests.unit import captured


def test_a_node_that_another_run_changes_is_told() -> None:
    with pytest.raises(RefusedError, match="another run"):
        check_lock(captured.section(LOCK, status=1))
    check_lock(captured.section(LOCK))
