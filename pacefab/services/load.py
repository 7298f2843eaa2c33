"""What the clients of a service do while a drill breaks it: a part of the service's description.

The load runs from the operator's machine as a process of its own (`load_program.py` has what all
have in common), and prints what it did. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pacefab.addresses import bracketed


@dataclass(frozen=True)
class LoadServer:
    """Where one node's instance answers clients; `barred` is why no load can use it, if so."""

    node: str
    address: str
    port: int
    barred: str = ""

    def __str__(self) -> str:
        return f"{bracketed(self.address)}:{self.port}"


@dataclass(frozen=True)
class ClientLoad:
    """The load of a service, and what a drill has to know to break an instance.

    Args:
        resource: the primitive whose instances are broken.
        servers: every node's instance, in the order of the nodes.
        hello: what a client says first, and how a server that is alive begins its `answer`.
        program: module that is run; it gets `request` as a line of JSON.
        what: what the clients do, a sentence for the report.
        threads: clients at the same time.
        rate: operations per second of all, if the operator does not choose.
        options: of the clients, as the report shows them.
        secrets: by the names under which the program gets them; never shown.
        keeps: whether all that was acknowledged has to be there afterwards; a cache need not.
        unit: the systemd unit whose processes are killed or stopped.
        process: where an agent starts it without: a regular expression of its command line.
        back_seconds: after which clients come back to a server that was away.
    """

    resource: str
    servers: tuple[LoadServer, ...]
    hello: bytes
    answer: bytes
    program: str
    what: str
    threads: int
    rate: int
    options: Mapping[str, Any] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    keeps: bool = True
    unit: str = ""
    process: str = ""
    back_seconds: float = 0.0

    @property
    def request(self) -> dict[str, Any]:
        """What the program gets."""
        servers = [(server.address, server.port) for server in self.servers]
        known = {"servers": servers, "threads": self.threads, "options": dict(self.options)}
        return {**known, **self.secrets}
