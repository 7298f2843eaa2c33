"""The options that make a client fail over quickly, each with its reason.

The numbers are measured on three nodes (tests/cluster/test_clients.py), with one memcached stopped
and with one node's packets dropped. Without them the libraries wait for 1 s to for ever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pacefab.services.memcached.client_options import DEAD_SECONDS, PYMEMCACHE_OPTIONS, TIMEOUT
from pacefab.services.memcached.probe import Target

DEFAULT_PORT = 11211
BACKEND = "oslo_cache.memcache_pool"

TIMEOUT_WHOLE = 1  # seconds; keystonemiddleware takes whole ones only
POOL_WAIT = 5  # seconds

_TIMEOUT_WHY = (
    "seconds that a call waits for a server that no longer answers; on a local network an answer"
    " takes 1 ms, a packet sent again 0.2 s"
)
_DEAD_WHY = (
    "seconds until a dead server is tried again: each try may cost the timeout; longer ones add up"
    " when servers are restarted one after the other"
)
_SERVERS_WHY = (
    "every server, in the same order and spelling on every host: place and name decide where a key"
    " is; never a VIP, never the local one alone"
)


class Server(Target):
    """The memcached of one node, where clients reach it."""

    @property
    def oslo(self) -> str:
        """As python-memcached reads it, which oslo.cache and keystonemiddleware use."""
        return f"inet6:{self}" if ":" in self.address else str(self)


@dataclass(frozen=True)
class Option:
    """One setting of a client, and why it is set so."""

    name: str
    value: Any
    reason: str
    alias: str = ""  # another name that releases of the library know it by


def cache_options(servers: Sequence[Server]) -> tuple[Option, ...]:
    """Return oslo.cache's section [cache]: nova, keystone, heat and others.

    The time limit stands under its older name, which every release of oslo.cache reads.
    """
    return (
        Option("enabled", "true", "without it nothing is cached, whatever stands below"),
        Option(
            "backend", BACKEND,
            "fails over, and one thread's finding that a server is dead spares all others;"
            " dogpile.cache.pymemcache raises errors, and hangs where packets are dropped",
        ),
        Option("memcache_servers", _joined(servers), _SERVERS_WHY),
        Option("memcache_socket_timeout", TIMEOUT, _TIMEOUT_WHY, alias="socket_timeout"),
        Option("memcache_dead_retry", DEAD_SECONDS, _DEAD_WHY + " (default: 300)"),
        Option(
            "memcache_pool_connection_get_timeout", POOL_WAIT,
            "seconds that a thread waits for a connection that others hold; longer than the socket"
            " timeout, or a dead server becomes an error",
        ),
    )  # fmt: skip


def authtoken_options(servers: Sequence[Server]) -> tuple[Option, ...]:
    """Return keystonemiddleware's options in [keystone_authtoken]: every API service."""
    return (
        Option("memcached_servers", _joined(servers), _SERVERS_WHY, alias="memcache_servers"),
        Option("memcache_pool_socket_timeout", TIMEOUT_WHOLE, _TIMEOUT_WHY + " (default: 3)"),
        Option("memcache_pool_dead_retry", DEAD_SECONDS, _DEAD_WHY + " (default: 300)"),
        Option(
            "memcache_pool_conn_get_timeout", POOL_WAIT,
            "seconds that a request waits for a connection that others hold (default: 10)",
        ),
    )  # fmt: skip


_HASH_CLIENT_WHY = {
    "connect_timeout": "seconds to connect; by default for ever",
    "timeout": _TIMEOUT_WHY + "; by default for ever",
    "retry_attempts": "a server that fails once is left out at once; with 2, the default, writes to"
    " it are lost for 2 s without a word",
    "dead_timeout": _DEAD_WHY + " (default: 60)",
    "ignore_exc": "a lost server is a cache miss, not an exception",
    "default_noreply": "wait for the answer to a set, or a lost one goes unnoticed",
    "no_delay": "without it a set waits up to 40 ms for the kernel",
}
HASH_CLIENT = tuple(
    Option(name, value, _HASH_CLIENT_WHY[name]) for name, value in PYMEMCACHE_OPTIONS.items()
)
"""Options of pymemcache's HashClient; Django's PyMemcacheCache hands them on."""


def _joined(servers: Sequence[Server]) -> str:
    return ",".join(server.oslo for server in servers)
