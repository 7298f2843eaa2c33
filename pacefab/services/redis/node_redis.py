"""Runs on a node, not here: ask one Redis for its role; write to it where it takes the writes.

Standard library only, Python 3.6 and newer. argv[1] is JSON: {"address": "192.0.2.11",
"port": 6379, "seconds": 2.0, "config": path}; the password is the configuration's, which is the
same on all nodes. JSON comes out: {"info": {...}} of its statistics, after a value was set, read
and deleted on the one that leads, or {"error": ...}. The key goes by itself after a minute if we
are killed in between.
"""
# ruff: noqa: UP006, UP035, UP041, UP045

import json
import os
import socket
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Dict, Optional


class RedisConnection:
    """A connection, as RESP is spoken on it (https://redis.io/docs/latest/develop/reference)."""

    def __init__(self, address: str, port: int, seconds: float) -> None:
        self._socket = socket.create_connection((address, port), timeout=seconds)
        self._socket.settimeout(seconds)
        self._stream = self._socket.makefile("rb")

    def close(self) -> None:
        """Close the connection without a word: the server notices."""
        self._socket.close()

    def ask(self, *words: str) -> Optional[str]:
        """Send a command and return its answer; None for no value. An error is a ValueError."""
        parts = [word.encode() for word in words]
        raw = b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)
        self._socket.sendall(b"*%d\r\n%s" % (len(parts), raw))
        line = self._stream.readline()
        if not line.endswith(b"\r\n"):
            raise ValueError("the server closed the connection")
        kind, rest = line[:1], line[1:-2].decode(errors="replace")
        if kind == b"-":
            raise ValueError(rest)
        if kind != b"$":
            return rest
        size = int(rest)
        return self._stream.read(size + 2)[:-2].decode(errors="replace") if size >= 0 else None

    def statistics(self) -> Dict[str, str]:
        """Return what INFO says."""
        lines = (self.ask("INFO") or "").splitlines()
        fields = [line.partition(":") for line in lines if ":" in line and line[:1] != "#"]
        return {name: value for name, _, value in fields}


def password_of(config: str) -> str:
    """Return the password in a configuration, which only root and Redis can read."""
    lines = Path(config).read_text(encoding="utf-8").splitlines()
    words = [line.split(None, 1) for line in lines if line.startswith("requirepass ")]
    return words[-1][1].strip() if words else ""


def probe(request: Dict[str, Any]) -> Dict[str, Any]:
    """Ask once; errors are part of the answer."""
    try:
        password = password_of(request["config"])
        with closing(
            RedisConnection(request["address"], request["port"], request["seconds"])
        ) as link:
            if password:
                link.ask("AUTH", password)
            info = link.statistics()
            if info.get("role") == "master":
                write(link)
            return {"info": info}
    except socket.timeout:
        return {"error": f"timed out after {request['seconds']:g} s"}
    except (OSError, ValueError) as error:
        return {"error": getattr(error, "strerror", None) or str(error)}


def write(link: RedisConnection) -> None:
    """Set, read and delete a key."""
    key, value = f"pacefab-probe-{os.urandom(8).hex()}", str(time.time())
    link.ask("SET", key, value, "EX", "60")
    found = link.ask("GET", key)
    link.ask("DEL", key)
    if found != value:
        raise ValueError("a value that was set was not there")


if __name__ == "__main__":
    json.dump(probe(json.loads(sys.argv[1])), sys.stdout)
