"""Run by a drill as a program of its own: set keys at the Redis that takes the writes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing
from typing import Any, Final

from pacefab.services.load_program import PAUSE_SECONDS, Write, WritingLoad, read_request
from pacefab.services.redis.node_redis import RedisConnection

SECONDS: Final = 2.0
COUNT_SECONDS: Final = 30.0
EXPIRE_SECONDS: Final = "900"  # what a load leaves behind goes by itself
AT_ONCE: Final = 500  # keys in one request


class KeyLoad(WritingLoad):
    """Clients that set keys, each another one."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        super().__init__(request)
        servers, vips = self.doors, request["options"]["vips"]
        doors = [(vip, servers[0][1]) for vip in vips] or servers
        self._places = servers if not vips else []
        self.doors = [doors[number % len(doors)] for number in range(request["threads"])]

    def connect(self, address: str, port: int) -> Write:
        """Return what sets a key and waits for the answer."""
        link = self._leader(address, port)

        def write(text: str) -> None:
            link.ask("SET", self._key(text), "1", "EX", EXPIRE_SECONDS)

        return write

    def missing(self) -> Mapping[str, int]:
        """Return how many keys are no longer there."""
        deadline = time.monotonic() + COUNT_SECONDS
        while True:
            try:
                with closing(self._leader(*self.doors[0])) as link:
                    return {"lost": len(self.written) - self._found(link)}
            except (OSError, ValueError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(PAUSE_SECONDS)

    def _found(self, link: RedisConnection) -> int:
        keys = [self._key(text) for text in self.written]
        parts = (keys[first : first + AT_ONCE] for first in range(0, len(keys), AT_ONCE))
        return sum(int(link.ask("EXISTS", *part) or 0) for part in parts)

    def _leader(self, address: str, port: int) -> RedisConnection:
        """Connect to the VIP, or without one to the node that takes the writes."""
        for door in self._places or [(address, port)]:
            link = RedisConnection(*door, SECONDS)
            link.ask("AUTH", self.request["password"])
            if not self._places or link.statistics().get("role") == "master":
                return link
            link.close()
        raise ValueError("no node takes writes")

    def _key(self, text: str) -> str:
        return f"{self.run}-{text}"


if __name__ == "__main__":
    KeyLoad(read_request()).main()
