"""The process that is all boards of a cluster: it lives as long as the cluster's folder has them.

`python -m pacefab.harness.power.boards FOLDER`. It says "ready" on standard output once every board
listens.
"""

from __future__ import annotations

import heapq
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

from pyghmi.ipmi.private import session

from pacefab.harness.errors import HarnessError

from . import wiring
from .board import ManagementBoard
from .switch import PowerSwitch

LOG: Final = "boards.log"
READY: Final = "ready"
POLL_SECONDS: Final = 0.5
"""How soon a process ends whose cluster is gone."""


class _Agenda:
    """What is to be done later, in the order of its time."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def add(self, seconds: float, do: Callable[[], None]) -> None:
        heapq.heappush(self._entries, (time.monotonic() + seconds, next(self._numbers), do))

    def run_due(self) -> None:
        while self._entries and self._entries[0][0] <= time.monotonic():
            heapq.heappop(self._entries)[2]()


def serve(folder: Path) -> None:
    """Be the boards of a cluster until its folder is gone."""
    agenda = _Agenda()
    wired = wiring.read(folder)
    with ThreadPoolExecutor(len(wired.boards)) as executor:
        for node, board in wired.boards.items():
            switch = PowerSwitch(board.container, executor, agenda.add)
            ManagementBoard(node, partial(wiring.read, folder), switch, agenda.add)
        # pyghmi ends a wait by a packet to itself, for which it takes every socket to be bound to
        # the loopback address too.
        session.myself = wired.address
        print(READY, flush=True)
        while (folder / wiring.FILE).exists():
            # The folder may go while a request is under way.
            with suppress(FileNotFoundError):
                session.Session.wait_for_rsp(POLL_SECONDS)
                agenda.run_due()


def start(folder: Path) -> None:
    """Start the boards of a cluster in a process of their own, which ends with its folder.

    Raises `HarnessError` when they do not listen.
    """
    command = [sys.executable, "-m", __name__, str(folder)]
    log = folder / LOG
    # Its own session: a Ctrl-C at the terminal is none of its business.
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            start_new_session=True,
            text=True,
        )
    said = process.stdout.readline() if process.stdout else ""
    if said.strip() != READY:
        seen = log.read_text(encoding="utf-8", errors="replace")
        raise HarnessError("starting the management boards", seen=seen)


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
