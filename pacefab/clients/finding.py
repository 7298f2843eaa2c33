"""Nouns of a check: what hurts in a client's configuration, and the servers that it names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from pacefab.clients.recommended import DEFAULT_PORT, Server


@dataclass(frozen=True)
class Finding:
    """Something that would hurt; `write` is what to put there instead."""

    file: str
    line: int
    seen: str
    why: str
    write: str


@dataclass(frozen=True)
class ServerList:
    """The servers that a client is told, as they are written."""

    file: str
    line: int
    name: str  # of the option: memcache_servers, LOCATION
    servers: tuple[str, ...]

    @property
    def plain(self) -> tuple[str, ...]:
        """The servers with their port, without the marks that some clients want before."""
        return tuple(map(_plain, self.servers))

    def told(self) -> str:
        """Return the option as it is written."""
        return f"{self.name} = {','.join(self.servers) or '(empty)'}"

    def instead(self, servers: Sequence[str]) -> str:
        """Return the option with other servers, given as `plain` has them, as its file wants it."""
        if self.file.endswith(".py"):
            return f'"{self.name}": {json.dumps(list(servers))}'
        marked = [f"inet6:{server}" if server.startswith("[") else server for server in servers]
        return f"{self.name} = {','.join(marked)}"


@dataclass(frozen=True)
class Known:
    """What the live cluster says: its servers in order, and the addresses that are VIPs."""

    servers: tuple[Server, ...]
    vips: frozenset[str]


@dataclass(frozen=True)
class Checked:
    """What one file gave."""

    findings: Sequence[Finding]
    lists: Sequence[ServerList] = ()


def host_of(server: str) -> str:
    """Return a server's host, without port and brackets."""
    bracketed, found, _ = server.rpartition("]")
    return bracketed.lstrip("[") if found else server.partition(":")[0]


def _plain(server: str) -> str:
    bare = server.removeprefix("inet6:").removeprefix("inet:")
    has_port = bare.rpartition("]")[2].count(":") == 1
    return bare if has_port or bare.startswith(("/", "unix:")) else f"{bare}:{DEFAULT_PORT}"
