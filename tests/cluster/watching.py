"""On how many nodes memcached answers, all the while that something else goes on."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pacefab.harness.cluster import Cluster
from tests.cluster import eyes


def connected(cluster: Cluster, node: str) -> socket.socket:
    """Return a connection to a node's memcached."""
    return socket.create_connection((cluster.address(node), eyes.PORT), timeout=30)


@contextmanager
def watched(cluster: Cluster) -> Iterator[list[int]]:
    """Collect all the while on how many nodes memcached answers."""
    found: list[int] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.1):
            found.append(sum(answers(cluster, node) for node in cluster.nodes))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    yield found
    over.set()
    thread.join()


def answers(cluster: Cluster, node: str) -> bool:
    """Whether a node's memcached answers."""
    with suppress(OSError), connected(cluster, node) as link:
        link.sendall(b"version\r\n")
        return link.recv(100).startswith(b"VERSION")
    return False
