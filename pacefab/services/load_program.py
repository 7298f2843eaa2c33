"""What the loads of all services have in common: each runs as a process of its own.

The first line of standard input is JSON: what `ClientLoad.request` says, with `rate` (operations
per second) and `window` (seconds that a record sums up). Out comes a JSON record a line, its times
in seconds of the monotonic clock, which processes of one machine share: "filled" once the load can
begin, "window" for each interval, "counted" when asked for. A further line on standard input asks
for the count; its end ends the load, which so never outlives fab.
"""

from __future__ import annotations

import json
import os
import secrets
import statistics
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

Operation = tuple[float, str]  # seconds that it took, and its outcome
Write = Callable[[str], None]

PAUSE_SECONDS: Final = 0.05  # before a connection that failed is made again
END_SECONDS: Final = 10.0  # for an operation that is under way


class LoadProgram(ABC):
    """Clients that work in threads, and what they measure."""

    acknowledging: frozenset[str] = frozenset({"stored"})  # outcomes

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.request = request
        # Another run's data would be taken for this one's.
        self.run = f"pacefab-drill-{secrets.token_hex(4)}"
        self._done: list[Operation] = []
        self._gap = 0.0
        self._acknowledged = time.monotonic()
        self._printing = threading.Lock()

    @abstractmethod
    def fill(self) -> None:
        """Get ready, and say "filled" with how much of what was to be `stored` is."""

    @abstractmethod
    def workers(self) -> Iterable[Callable[[], None]]:
        """Return what the threads run, each for ever."""

    @abstractmethod
    def count(self) -> None:
        """Say "counted", with what is `lost` of what was `stored`."""

    def say(self, record: str, **values: object) -> None:
        """Print one record."""
        with self._printing:
            print(json.dumps({"record": record, "at": time.monotonic(), **values}), flush=True)  # noqa: T201

    def note(self, begun: float, outcome: str) -> None:
        """Note an operation that ends now."""
        now = time.monotonic()
        self._done.append((now - begun, outcome))
        if outcome in self.acknowledging:
            self._gap = max(self._gap, now - self._acknowledged)
            self._acknowledged = now

    def report(self) -> None:
        """Print what was done, one record for each window."""
        while True:
            time.sleep(self.request["window"])
            done, self._done = self._done, []
            gap, self._gap = self._gap, 0.0
            open_gap = time.monotonic() - self._acknowledged
            self.say("window", **_summary(done), gap=max(gap, open_gap))

    def main(self) -> None:
        """Work until standard input ends."""
        threading.excepthook = _end  # a load of which a part is missing measures something else
        try:
            self.fill()
        except (OSError, ValueError) as error:
            sys.exit(str(error))
        for work in (*self.workers(), self.report):
            threading.Thread(target=work, daemon=True).start()
        for _ in sys.stdin:
            self.count()


class WritingLoad(LoadProgram):
    """Writers, one a server, that remember what was acknowledged."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        self.written: set[str] = set()
        self.doors: list[tuple[str, int]] = [tuple(door) for door in request["servers"]]
        self._ended = threading.Event()
        self._writing = threading.Semaphore(0)

    @abstractmethod
    def connect(self, address: str, port: int) -> Write:
        """Return what writes one text, and returns once that was acknowledged.

        Raises:
            OSError: there is no connection, or an answer did not come in time.
            ValueError: the server refused; a new connection may do better.
        """

    @abstractmethod
    def missing(self) -> Mapping[str, int]:
        """Return what is `lost` of what was `written`, which no more is, and other counts."""

    def fill(self) -> None:
        """Have one text acknowledged through every server. Errors of `connect`."""
        for number, door in enumerate(self.doors):
            self._write(self.connect(*door), f"{number}-first")
        self.say("filled", stored=len(self.written), of=len(self.doors))

    def workers(self) -> Iterable[Callable[[], None]]:
        """Return a writer for each server."""
        return [lambda n=number: self._work(n) for number in range(len(self.doors))]  # type: ignore[misc]

    def count(self) -> None:
        """Stop writing, and say what of it is there."""
        self._ended.set()
        for _ in self.doors:
            self._writing.acquire(timeout=END_SECONDS)
        self.say("counted", stored=len(self.written), **self.missing())

    def _work(self, place: int) -> None:
        """Write at the given rate; what is behind the schedule after an error is left out."""
        write, number, pause = None, 0, len(self.doors) / self.request["rate"]
        due = time.monotonic()
        while not self._ended.wait(max(0.0, due - time.monotonic())):
            due, number, begun = max(due + pause, time.monotonic()), number + 1, time.monotonic()
            try:
                write = write or self.connect(*self.doors[place])
                self._write(write, f"{place}-{number}")
            except (OSError, ValueError):
                write = None
                self.note(begun, "error")
                time.sleep(PAUSE_SECONDS)
        self._writing.release()

    def _write(self, write: Write, text: str) -> None:
        begun = time.monotonic()
        write(text)
        self.written.add(text)
        self.note(begun, "stored")


def _end(args: threading.ExceptHookArgs) -> None:
    sys.stderr.write(f"{args.exc_type.__name__}: {args.exc_value}\n")
    sys.stderr.flush()
    os._exit(1)


def _summary(done: list[Operation]) -> dict[str, float]:
    seconds = [took for took, _ in done]
    outcomes = [outcome for _, outcome in done]
    counts = ("hit", "miss", "stored", "unanswered", "error")
    return {
        **{name: outcomes.count(name) for name in counts},
        "worst": max(seconds, default=0.0),
        "median": statistics.median(seconds) if seconds else 0.0,
    }


def read_request() -> dict[str, Any]:
    """Return what standard input begins with."""
    found: dict[str, Any] = json.loads(sys.stdin.readline())
    return found
