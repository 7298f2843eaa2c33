"""Clients that write without rest, and remember what a server has acknowledged."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

from tests.cluster import eyes

PAUSE_SECONDS = 0.02  # so that the writers leave processors to the nodes


@dataclass
class Written:
    """What was acknowledged, and when (seconds of the monotonic clock)."""

    at: dict[str, float] = field(default_factory=dict)

    def await_after(self, moment: float, servers: Iterable[str], seconds: float = 30) -> None:
        """Wait until a write through each of the servers was acknowledged after a moment."""
        late = set(servers)

        def done() -> bool:
            heard = {text.split()[0] for text, at in list(self.at.items()) if at > moment}
            return late <= heard

        eyes.until(done, f"writes through {', '.join(late)} are acknowledged", seconds)

    @property
    def worst_gap(self) -> float:
        """The longest time without any acknowledged write."""
        times = sorted(self.at.values())
        return max(later - earlier for earlier, later in pairwise(times))


@contextmanager
def writing(
    servers: Sequence[str], connect: Callable[[str], Callable[[str], None]]
) -> Iterator[Written]:
    """Write through each server, one text after the other, until the block ends.

    `connect` returns what writes one text and returns once it was acknowledged; after an error a
    writer connects again, and goes on with another text.
    """
    written, done = Written(), threading.Event()

    def work(server: str) -> None:
        write, number = None, 0
        while not done.is_set():
            number += 1
            text = f"{server} {number}"
            try:
                write = write or connect(server)
                write(text)
                written.at[text] = time.monotonic()
            except (OSError, ValueError):
                write = None
            time.sleep(PAUSE_SECONDS)

    threads = [threading.Thread(target=work, args=(server,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        done.set()
        for thread in threads:
            thread.join()
