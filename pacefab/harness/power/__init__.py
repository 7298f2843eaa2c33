"""Power for clusters of containers: a management board for each node, and faults of boards."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from pathlib import Path

from . import boards, wiring
from .fencing import configure
from .wiring import BoardFault, plant

__all__ = ["BoardFault", "configure", "plant", "start"]


def start(folder: Path, network: ipaddress.IPv4Network, containers: Mapping[str, str]) -> None:
    """Start a board for each node's container; they end with the folder. Raises `HarnessError`."""
    wiring.write(folder, wiring.plan(network, containers))
    boards.start(folder)
