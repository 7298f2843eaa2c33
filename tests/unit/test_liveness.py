"""Hosts that answer, and hosts that do not: over real sockets, with paramiko at both ends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import paramiko
import pytest
from paramiko.common import AUTH_SUCCESSFUL

from pacefab.transport import liveness


class Server(paramiko.ServerInterface):
    """Takes every user; with `hangs` it does not come to answering any more."""

    def __init__(self) -> None:
        self.hangs = threading.Event()
        self.asked = threading.Event()

    def check_auth_none(self, _: str) -> int:
        """Let everybody in."""
        return AUTH_SUCCESSFUL

    def get_allowed_auths(self, _: str) -> str:
        """Say how."""
        return "none"

    def check_global_request(self, _kind: str, _message: Any) -> bool:
        """Answer as sshd does to what it does not know: no. Or not at all."""
        self.asked.set()
        while self.hangs.is_set():
            time.sleep(0.02)
        return False


@pytest.fixture(scope="module")
def key() -> paramiko.RSAKey:
    return paramiko.RSAKey.generate(2048)


@pytest.fixture
def session(
    key: paramiko.RSAKey, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[paramiko.Transport, Server]]:
    monkeypatch.setattr(liveness, "ASK_SECONDS", 0.1)
    monkeypatch.setattr(liveness, "SILENT_SECONDS", 0.4)
    monkeypatch.setattr(liveness, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(liveness, "_watcher", None)
    here, there = socket.socketpair()
    served, server = paramiko.Transport(there), Server()
    served.add_server_key(key)
    served.start_server(event=threading.Event(), server=server)
    session = paramiko.Transport(here)
    session.start_client(timeout=20)
    session.auth_none("root")
    yield session, server
    server.hangs.clear()
    session.close()
    served.close()


def test_a_host_that_answers_stays(session: tuple[paramiko.Transport, Server]) -> None:
    transport, server = session
    liveness.watch(transport)
    for _ in range(3):
        server.asked.clear()
        assert server.asked.wait(20)
    assert transport.is_active()
    assert liveness.silence(transport) == ""


def test_the_session_of_one_that_does_not_is_closed_and_it_is_known_why(
    session: tuple[paramiko.Transport, Server],
) -> None:
    transport, server = session
    server.hangs.set()
    liveness.watch(transport)
    deadline = time.monotonic() + 20
    while transport.is_active():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert "no sign of life" in liveness.silence(transport)
