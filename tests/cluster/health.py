"""What the product's own status says of a cluster, and the wait until it has nothing to say."""

from __future__ import annotations

import time
from pathlib import Path

from pacefab.harness.cluster import Cluster
from tests.cluster.eyes import Done


def status(cluster: Cluster, inventory: Path) -> Done:
    """Return what status says by an inventory."""
    return cluster.fab("status", "--inventory", str(inventory))


def await_healthy(cluster: Cluster, inventory: Path, seconds: float) -> None:
    """Wait until status has nothing to say; when that never comes, show what it says."""
    deadline = time.monotonic() + seconds
    while (shown := status(cluster, inventory)).returncode:
        assert time.monotonic() < deadline, shown.stdout + shown.stderr
