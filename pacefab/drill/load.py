"""A client load beside a drill: `load_client.py` in a process of its own."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from pacefab.drill.timeline import Window
from pacefab.errors import CommandError
from pacefab.waiting import Pending, wait_until

_PROGRAM = Path(__file__).with_name("load_client.py")
_END_SECONDS = 5.0


@dataclass(frozen=True)
class Setup:
    """What the load is.

    Args:
        servers: address and port of each memcached, in the order of the clients.
        options: of pymemcache's HashClient.
        rate: operations per second, all threads together.
        threads: each has a client of its own.
        load: keys that are got and set at random.
        marked: items that are stored before and counted after, and not touched in between.
        window: seconds that a record sums up.
    """

    servers: tuple[tuple[str, int], ...]
    options: Mapping[str, Any]
    rate: int = 4000
    threads: int = 4
    load: int = 10_000
    marked: int = 6_000
    window: float = 0.2


@dataclass
class Load:
    """The load while it runs; as a context manager it ends with the block."""

    setup: Setup
    windows: list[Window] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)

    def __enter__(self) -> Self:
        argv = [sys.executable, "-I", str(_PROGRAM), json.dumps(asdict(self.setup))]
        # A session of its own: Ctrl-C is for fab, which ends the load by closing its input.
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            start_new_session=True,
        )  # fmt: skip
        threading.Thread(target=self._listen, name="load", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(_END_SECONDS)

    def fill(self, seconds: float) -> int:
        """Return how many marked items are stored, once the load runs.

        Raises:
            CommandError: it does not within `seconds`, or not all items could be stored.
        """
        stored = self._wait("filled marked", seconds)
        if stored < self.setup.marked:
            seen = f"only {stored} of {self.setup.marked} items could be stored"
            raise CommandError("fill the cache", seen, "nothing was broken; see: fab status")
        return stored

    def count(self, seconds: float) -> int:
        """Return how many of the marked items are still there. Same errors as `fill`."""
        self._counts.pop("counted", None)
        if self._process.stdin is None:
            raise AssertionError("the process was made with a pipe")
        with contextlib.suppress(BrokenPipeError):  # it ended: waiting for it shows why
            self._process.stdin.write("count\n")
            self._process.stdin.flush()
        return self._wait("counted", seconds)

    def _wait(self, what: str, seconds: float) -> int:
        def look() -> int | Pending | None:
            ended = self._process.poll() is not None
            return self._counts.get(what, None if ended else Pending())

        found = wait_until(look, seconds, poll=0.05)
        if found is None or isinstance(found, Pending):
            raise CommandError("run the client load", self._last_words(), "see: fab status")
        return found

    def _last_words(self) -> str:
        if self._process.poll() is None or self._process.stderr is None:
            return "it gave no answer in time"
        return self._process.stderr.read().strip() or "it ended"

    def _listen(self) -> None:
        for line in self._process.stdout or ():
            record = json.loads(line)
            name = record.pop("record")
            if name == "window":
                self.windows.append(Window(**record))
            elif name == "filled":
                self._counts[f"filled {record['kind']}"] = record["stored"]
            else:
                self._counts[name] = record["found"]
