"""An application's load on the cache, through the client library that the application would use.

A program of its own, so that each library has its own interpreter: it sets and gets keys from
several threads until its standard input ends, then prints JSON; once every thread has used all its
keys, and with them all servers, it prints "ready" first. `calls` has each call's start
(seconds of the monotonic clock, which all processes share), its seconds and how it ended: hit, miss
(a get right after a set found nothing), stale (an older value), set, error (an exception reached
the application) or hung (it had not come back in the end). `connections` has the start and the
host of each.

Usage: client_load.py KIND CONFIGURATION THREADS ROUNDS

With ROUNDS a thread ends after so many sets and gets and the next takes over, as threads do that
live for a request; 0: never.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

PAUSE_SECONDS = 0.02  # between a thread's rounds: a load, and not the machine's limit
KEYS = 60  # of a thread; spread over three servers, each has some

Call = tuple[float, float, str]


class Cache(Protocol):
    """What all the libraries can do; a missing key is None."""

    def set(self, key: str, value: int) -> None:
        """Store a value."""

    def get(self, key: str) -> int | None:
        """Return a value."""


class OsloCache:
    """oslo.cache, as nova, keystone, … use it: a dogpile region made of the section [cache]."""

    def __init__(self, file: str) -> None:
        from oslo_cache import core  # noqa: PLC0415
        from oslo_config import cfg  # noqa: PLC0415

        conf = cfg.ConfigOpts()
        core.configure(conf)
        conf(["--config-file", file])
        self._region = core.configure_cache_region(conf, core.create_region())
        self._nothing = core.NO_VALUE

    def set(self, key: str, value: int) -> None:
        """Store a value."""
        self._region.set(key, value)

    def get(self, key: str) -> int | None:
        """Return a value."""
        found = self._region.get(key)
        return None if found is self._nothing else int(found)


class TokenCache:
    """keystonemiddleware's cache of tokens, made of the section [keystone_authtoken]."""

    def __init__(self, file: str) -> None:
        from keystonemiddleware.auth_token import AuthProtocol  # noqa: PLC0415
        from oslo_config import cfg  # noqa: PLC0415

        conf = cfg.ConfigOpts()
        conf(["--config-file", file])
        self._cache = AuthProtocol(None, {"oslo_config_config": conf})._token_cache  # noqa: SLF001
        self._cache.initialize({})

    def set(self, key: str, value: int) -> None:
        """Store a token's data."""
        self._cache.set(key, {"value": value})

    def get(self, key: str) -> int | None:
        """Return a token's data."""
        found = self._cache.get(key)
        return found and int(found["value"])


class DjangoCache:
    """Django's default cache, as Horizon uses it; each round is a request that then ends."""

    def __init__(self, file: str) -> None:
        from django.conf import settings  # noqa: PLC0415

        if not settings.configured:
            settings.configure(CACHES=_executed(file)["CACHES"])

    def set(self, key: str, value: int) -> None:
        """Store a value."""
        from django.core.cache import cache  # noqa: PLC0415

        cache.set(key, value)

    def get(self, key: str) -> int | None:
        """Return a value, and end the request: Django closes its connections then."""
        from django.core.cache import cache  # noqa: PLC0415
        from django.core.signals import request_finished  # noqa: PLC0415

        found = cache.get(key)
        request_finished.send(sender=None)
        return found if found is None else int(found)


class PymemcacheCache:
    """pymemcache's HashClient, one for each thread."""

    def __init__(self, file: str) -> None:
        self._client = _executed(file)["client"]

    def set(self, key: str, value: int) -> None:
        """Store a value."""
        self._client.set(key, str(value))

    def get(self, key: str) -> int | None:
        """Return a value."""
        found = self._client.get(key)
        return None if found is None else int(found)


def _executed(file: str) -> dict[str, Any]:
    names: dict[str, Any] = {}
    exec(Path(file).read_text(), names)  # noqa: S102  (generated for this run)
    return names


KINDS: dict[str, Callable[[str], Cache]] = {
    "oslo": OsloCache,
    "authtoken": TokenCache,
    "django": DjangoCache,
    "pymemcache": PymemcacheCache,
}
OF_A_THREAD = {"pymemcache"}  # a client that threads must not share


class Worker:
    """One thread of the application at a time; `calls` has what they saw."""

    def __init__(self, name: str, make: Callable[[], Cache], rounds: int) -> None:
        self.calls: list[Call] = []
        self._name = name
        self._make = make
        self._rounds = rounds
        self._number = 0
        self._begun: float | None = None

    def work(self) -> None:
        """Do rounds for ever, each `rounds` in a thread of their own."""
        while True:
            thread = threading.Thread(target=self._work, daemon=True)
            thread.start()
            thread.join()

    def _work(self) -> None:
        cache = self._make()
        for _ in range(self._rounds) if self._rounds else itertools.count():
            self._round(cache)
            time.sleep(PAUSE_SECONDS)

    def _round(self, cache: Cache) -> None:
        """Set a key, get it back and compare."""
        self._number += 1
        number, key = self._number, f"{self._name}-{self._number % KEYS}"
        if self._timed(lambda: cache.set(key, number)) is None:
            return
        answer = self._timed(lambda: cache.get(key))
        if answer is not None:
            begun, seconds, _ = self.calls[-1]
            word = {None: "miss", number: "hit"}.get(answer[0], "stale")
            self.calls[-1] = (begun, seconds, word)

    def _timed(self, call: Callable[[], int | None]) -> tuple[int | None] | None:
        """Note a call; return what it returned, nothing when it raised."""
        self._begun, outcome = time.monotonic(), "set"
        try:
            return (call(),)
        except Exception as error:  # noqa: BLE001  (what reaches the application is counted)
            outcome = f"error {type(error).__name__}: {error}"
            return None
        finally:
            self.calls.append((self._begun, time.monotonic() - self._begun, outcome))
            self._begun = None

    def hung(self) -> list[Call]:
        """Return the call that has not come back."""
        begun = self._begun
        return [] if begun is None else [(begun, time.monotonic() - begun, "hung")]


def main(kind: str, file: str, threads: str, rounds: str) -> None:
    """Run the load, print what it saw."""
    connections: list[tuple[float, str]] = []

    def on_event(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            connections.append((time.monotonic(), str(arguments[1][0])))

    sys.addaudithook(on_event)
    make = KINDS[kind]
    shared = None if kind in OF_A_THREAD else make(file)
    stem = Path(file).stem
    workers = [
        Worker(f"{stem}-{n}", lambda: shared or make(file), int(rounds))
        for n in range(int(threads))
    ]
    for worker in workers:
        threading.Thread(target=worker.work, daemon=True).start()
    while not all(len(worker.calls) >= 2 * KEYS for worker in workers):
        time.sleep(PAUSE_SECONDS)
    print("ready", flush=True)  # noqa: T201
    sys.stdin.read()
    calls = [call for worker in workers for call in (*worker.calls, *worker.hung())]
    json.dump({"calls": sorted(calls), "connections": connections}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)  # a hung thread must not keep the process


if __name__ == "__main__":
    main(*sys.argv[1:])
