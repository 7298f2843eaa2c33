"""What the boards of a cluster are: a file in its folder, written by the harness, read by them."""

from __future__ import annotations

import ipaddress
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from pacefab.harness.errors import HarnessUsageError, one_of

FILE: Final = "boards.json"
USER: Final = "fence"
FIRST_PORT: Final = 6230
"""UDP ports from here on, one for each board; IPMI's own, 623, may belong to the machine itself."""


class BoardFault(StrEnum):
    """What a management board can have, as operators know it from theirs."""

    WRONG_PASSWORD = "wrong-password"  # noqa: S105  (it takes another one than the cluster has)
    DOES_NOTHING = "does-nothing"  # acknowledges a command and leaves the power as it is
    SOFT_OFF = "soft-off"  # "off" is a request to the system, which takes 90 s to follow it
    NEVER_OFF = "never-off"  # the same, and the system never follows
    WRONG_STATE = "wrong-state"  # says on when it is off, and off when it is on
    DIES_WITH_NODE = "dies-with-node"  # has no power of its own: no answer while the node is off
    HANGS = "hangs"  # no answer at all
    SLOW = "slow"  # each answer takes 20 s


@dataclass(frozen=True)
class BoardWiring:
    """One board: UDP port, password, the container whose power it switches, its faults."""

    port: int
    password: str
    container: str
    faults: tuple[BoardFault, ...] = ()


@dataclass(frozen=True)
class Wiring:
    """All boards of a cluster: the address that the nodes reach, their network, by node a board."""

    address: str
    network: str
    boards: Mapping[str, BoardWiring]
    user: str = USER

    def is_reached_from(self, address: str) -> bool:
        """Whether a sender is of this cluster's network; boards answer nobody else."""
        return ipaddress.ip_address(address) in ipaddress.ip_network(self.network)


def plan(network: ipaddress.IPv4Network, containers: Mapping[str, str]) -> Wiring:
    """Return new boards for containers by node, on the address of the network's gateway."""
    boards = {
        node: BoardWiring(FIRST_PORT + number, secrets.token_hex(8), container)
        for number, (node, container) in enumerate(containers.items())
    }
    return Wiring(str(network.network_address + 1), str(network), boards)


def write(folder: Path, wiring: Wiring) -> None:
    """Put the boards' file into a cluster's folder, whole at every moment, for its owner only."""
    file = folder / FILE
    new = file.with_suffix(".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        json.dump(asdict(wiring), out, indent=2)
    new.replace(file)


def read(folder: Path) -> Wiring:
    """Return the boards of a cluster's folder. Raises `OSError` where there are none."""
    found = json.loads((folder / FILE).read_text(encoding="utf-8"))
    boards = {
        node: BoardWiring(**{**board, "faults": tuple(map(BoardFault, board["faults"]))})
        for node, board in found.pop("boards").items()
    }
    return Wiring(boards=boards, **found)


def plant(folder: Path, node: str, *faults: BoardFault) -> None:
    """Give the board of a node these faults, and no other; none: it works again.

    Raises `HarnessUsageError` for a node that has no board.
    """
    wiring = read(folder)
    if node not in wiring.boards:
        raise HarnessUsageError(
            f"no board of a node {node!r}", next_step=one_of(node, list(wiring.boards))
        )
    board = replace(wiring.boards[node], faults=faults)
    write(folder, replace(wiring, boards={**wiring.boards, node: board}))
