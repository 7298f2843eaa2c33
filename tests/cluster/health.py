"""What the product's own status says of a cluster, and the wait until it has nothing to say."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from pacefab.harness.cluster import Cluster
from tests.cluster.eyes import Done


def status(cluster: Cluster, inventory: Path) -> Done:
    """Return what status says by an inventory."""
    return cluster.fab("status", "--inventory", str(inventory))


def await_healthy(cluster: Cluster, ask: Callable[[], Done], seconds: float) -> None:
    """Wait until status has nothing to say; when that never comes, show what it says.

    What Pacemaker remembers of a hang or a kill is forgotten on the way: how much of it a monitor
    saw depends on how fast the machine is.
    """
    deadline = time.monotonic() + seconds
    while (shown := ask()).returncode:
        assert time.monotonic() < deadline, shown.stdout + shown.stderr
        cluster.run(cluster.nodes[0], "crm_resource --cleanup --quiet", check=False)
