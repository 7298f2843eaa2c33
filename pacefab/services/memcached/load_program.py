"""Run by a drill as a program of its own: what one application with a cache does and measures."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from pymemcache.client.hash import HashClient

from pacefab.services.load_program import LoadProgram, read_request

ITEMS: Final = {"load": 10_000, "marked": 6_000}  # the marked ones are stored, then counted after
GETS_OF_TEN: Final = 9
TICK_SECONDS: Final = 0.01
EXPIRE_SECONDS: Final = 900  # what a load leaves behind goes by itself
VALUE: Final = b"x" * 100
AT_ONCE: Final = 500  # keys in one request
PATIENCE: Final = {"timeout": 10.0, "connect_timeout": 10.0}  # a slow server has its items still


class CacheLoad(LoadProgram):
    """Threads that get and set keys at a given rate, each through a client of its own."""

    acknowledging = frozenset({"hit", "miss", "stored"})

    def client(self, **changes: float) -> HashClient:
        """Return a client that knows all servers, none of them as dead, with changed options."""
        servers = [(address, port) for address, port in self.request["servers"]]
        return HashClient(servers, **(self.request["options"] | changes))

    def fill(self) -> None:
        """Store the keys of the load, and the marked ones, untouched until they are counted."""
        client = self.client(**PATIENCE)
        failed = [
            key
            for kind in ITEMS
            for keys in self._batches(kind)
            for key in client.set_many(dict.fromkeys(keys, VALUE), EXPIRE_SECONDS)
        ]
        every = sum(ITEMS.values())
        self.say("filled", stored=every - len(failed), of=every)

    def workers(self) -> Iterable[Callable[[], None]]:
        """Return the threads."""
        return [self._work] * self.request["threads"]

    def count(self) -> None:
        """Report how many marked items are still there for a client with all servers."""
        client, stored = self.client(**PATIENCE), ITEMS["marked"]
        found = sum(len(client.get_many(keys)) for keys in self._batches("marked"))
        self.say("counted", stored=stored, lost=stored - found)

    def _work(self) -> None:
        """Get and set for ever; what is behind the schedule after a stall is left out."""
        client, rate = self.client(), self.request["rate"] / self.request["threads"]
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
        key = self._key("load", random.randrange(ITEMS["load"]))  # noqa: S311  # no secret
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
        self.note(begun, outcome)
        return outcome

    def _batches(self, kind: str) -> Iterator[list[str]]:
        numbers = range(ITEMS[kind])
        for first in numbers[::AT_ONCE]:
            yield [self._key(kind, number) for number in numbers[first : first + AT_ONCE]]

    def _key(self, kind: str, number: int) -> str:
        return f"{self.run}-{kind}-{number}"


if __name__ == "__main__":
    CacheLoad(read_request()).main()
