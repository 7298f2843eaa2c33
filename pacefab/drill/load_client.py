"""A client load as a program of its own: what one application with a cache would do, and see.

Run by `load.py` in a process of its own, so that nothing that fab does is taken for a stall of the
cache. argv[1] is JSON (`load.Setup`); a JSON record a line comes out (`load.Load` reads it), its
times are seconds of the monotonic clock, which processes of one machine share. A line on standard
input asks for the marked items to be counted; its end ends the load, so it never outlives fab.
"""

from __future__ import annotations

import json
import random
import secrets
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Final

from pymemcache.client.hash import HashClient

GETS_OF_TEN: Final = 9
TICK_SECONDS: Final = 0.01
EXPIRE_SECONDS: Final = 900  # what a load leaves behind goes by itself
VALUE: Final = b"x" * 100
AT_ONCE: Final = 500  # keys in one request
PATIENCE: Final = {"timeout": 10.0, "connect_timeout": 10.0}  # a slow server has its items still

Operation = tuple[float, str]  # seconds that it took; hit, miss, stored, unanswered or error


class LoadGenerator:
    """Threads that get and set keys at a given rate, each through a client of its own."""

    def __init__(self, setup: dict[str, Any]) -> None:
        self._setup = setup
        # Another run's items would be hits where this one's were lost.
        self._run = secrets.token_hex(4)
        self._done: list[Operation] = []
        self._printing = threading.Lock()

    def client(self, **changes: float) -> HashClient:
        """Return a client that knows all servers, none of them as dead, with changed options."""
        servers = [(address, port) for address, port in self._setup["servers"]]
        return HashClient(servers, **(self._setup["options"] | changes))

    def say(self, record: str, **values: object) -> None:
        """Print one record."""
        with self._printing:
            print(json.dumps({"record": record, "at": time.monotonic(), **values}), flush=True)  # noqa: T201

    def fill(self) -> None:
        """Store the keys of the load, and the marked ones that nobody touches until the count."""
        client = self.client(**PATIENCE)
        for kind in ("load", "marked"):
            batches = self._batches(kind)
            failed = [
                client.set_many(dict.fromkeys(keys, VALUE), EXPIRE_SECONDS) for keys in batches
            ]
            self.say("filled", kind=kind, stored=self._setup[kind] - sum(map(len, failed)))

    def count(self) -> None:
        """Tell how many marked items are still there, where a client with all servers looks."""
        client = self.client(**PATIENCE)
        self.say("counted", found=sum(len(client.get_many(k)) for k in self._batches("marked")))

    def work(self) -> None:
        """Get and set for ever; what is behind the schedule after a stall is left out."""
        client, rate = self.client(), self._setup["rate"] / self._setup["threads"]
        rest, last = 0.0, time.monotonic()
        while True:
            time.sleep(TICK_SECONDS)
            now = time.monotonic()
            rest = min(rest + (now - last) * rate, rate / 10)
            last = now
            for _ in range(int(rest)):
                self._use_cache(client)
            rest -= int(rest)

    def _use_cache(self, client: HashClient) -> None:
        """Do as applications do: look a value up, and store it when it is not there."""
        key = self._key("load", random.randrange(self._setup["load"]))  # noqa: S311  # no secret
        look_up = random.randrange(10) < GETS_OF_TEN  # noqa: S311
        if not look_up or self._do(client.get, key) in {"miss", "error"}:
            self._do(client.set, key, VALUE, EXPIRE_SECONDS)

    def _do(self, call: Any, *arguments: object) -> str:
        begun = time.monotonic()
        try:
            answer = call(*arguments)
        except Exception:  # noqa: BLE001  # whatever reaches the application counts
            outcome = "error"
        else:
            if len(arguments) == 1:
                outcome = "miss" if answer is None else "hit"
            else:
                outcome = "stored" if answer else "unanswered"
        self._done.append((time.monotonic() - begun, outcome))
        return outcome

    def tell(self) -> None:
        """Print what was done, one record for each window."""
        while True:
            time.sleep(self._setup["window"])
            done, self._done = self._done, []
            self.say("window", **_summary(done))

    def _batches(self, kind: str) -> Iterator[list[str]]:
        numbers = range(self._setup[kind])
        for first in numbers[::AT_ONCE]:
            yield [self._key(kind, number) for number in numbers[first : first + AT_ONCE]]

    def _key(self, kind: str, number: int) -> str:
        return f"pacefab-drill-{self._run}-{kind}-{number}"


def _summary(done: list[Operation]) -> dict[str, float]:
    seconds = [took for took, _ in done]
    outcomes = [outcome for _, outcome in done]
    counts = {name: outcomes.count(name) for name in ("hit", "miss", "stored", "unanswered")}
    return {
        **counts,
        "error": outcomes.count("error"),
        "worst": max(seconds, default=0.0),
        "median": statistics.median(seconds) if seconds else 0.0,
    }


def main() -> None:
    """Fill the cache, then load it until standard input ends."""
    load = LoadGenerator(json.loads(sys.argv[1]))
    load.fill()
    workers = [load.work] * load._setup["threads"]  # noqa: SLF001
    for target in (*workers, load.tell):
        threading.Thread(target=target, daemon=True).start()
    for _ in sys.stdin:
        load.count()


if __name__ == "__main__":
    main()
