"""What a node hears from memcached, and from what is not one that anybody may use."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pacefab.services.memcached import probe
from pacefab.services.memcached.node_probe import ask
from pacefab.services.memcached.probe import Answer, Target
from tests.unit import captured

SECONDS = 2.0


@contextmanager
def server(said: bytes, *, closes: bool = False) -> Iterator[int]:
    """Have a server say something to whoever asks; return its port."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            link, _ = listening.accept()
            with link:
                link.recv(4096)
                link.sendall(said)
                if not closes:
                    ended.wait(10)

        ended = threading.Event()
        threading.Thread(target=serve, daemon=True).start()
        yield listening.getsockname()[1]
        ended.set()


def answer(said: bytes, *, closes: bool = False, barred: str = "") -> Answer:
    with server(said, closes=closes) as port:
        begun = time.monotonic()
        found = ask("127.0.0.1", port, SECONDS)
        target = Target("c1", "127.0.0.1", port, barred)
    if said:
        assert time.monotonic() - begun < SECONDS / 2, "an error line ends the conversation"
    sections = captured.section("probe", json.dumps([found]))
    return probe.parse([target], sections)[target]


@pytest.mark.parametrize(
    ("said", "barred"),
    [
        (b"CLIENT_ERROR unauthenticated\r\n", "it wants a password (-Y)"),
        (b"\x15\x03\x01\x00\x02\x02\x46", "it speaks TLS (-Z)"),
    ],
)
def test_one_that_says_what_it_wants_serves_and_cannot_be_asked(said: bytes, barred: str) -> None:
    found = answer(said)
    assert (found.served, found.error, found.barred) == (True, "", barred)
    assert found.stats == {}


@pytest.mark.parametrize("barred", ["it wants a password (-S)", "it speaks TLS (-Z)"])
def test_one_that_closes_serves_when_its_settings_say_why(barred: str) -> None:
    assert answer(b"", closes=True).served is False
    found = answer(b"", closes=True, barred=barred)
    assert (found.served, found.barred) == (True, barred)


def test_one_that_hangs_does_not_serve_whatever_its_settings_say() -> None:
    found = answer(b"", barred="it wants a password (-Y)")
    assert (found.served, found.error) == (False, "timeout")


@pytest.mark.parametrize(
    "said",
    [
        b"ERROR Too many open connections\r\n",
        b"SERVER_ERROR out of memory\r\n",
        b"-ERR unknown command 'stats'\r\n",
        b"HTTP/1.1 400 Bad Request\r\n",
    ],
)
def test_any_other_first_line_is_the_error(said: bytes) -> None:
    found = answer(said)
    assert found.served is False
    assert said.decode().strip() in found.error.replace('"', "'")
