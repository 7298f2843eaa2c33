"""Opening a session: what the network did is said by its own error, and one limit holds for all."""

from __future__ import annotations

import errno
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from fabric import Config, Connection
from paramiko.ssh_exception import NoValidConnectionsError

from pacefab.errors import PacefabError, UnreachableError
from pacefab.transport.connection import Access, Host
from pacefab.transport.explaining import explain
from pacefab.transport.opening import HopError, TimeUpError
from pacefab.transport.way.dialling import NoConnectionError
from pacefab.transport.way.hop import Hop
from pacefab.transport.way.settings import HostSettings

LIMIT = 1


def said(error: Exception, host: str = "192.0.2.7") -> tuple[str, str]:
    found = explain("c1", HopError(Hop("c1", host, 22, "root", HostSettings()), error))
    assert found.host == "c1"
    assert found.attempted == f"open an SSH session to root@{host}:22"
    return found.seen, found.next_step


def of(number: int) -> OSError:
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("number", "seen", "next_step"),
    [
        (errno.ECONNREFUSED, "the port refused the connection", "does sshd run there"),
        (errno.EHOSTUNREACH, "no route to the host", "is it switched on"),
        (errno.EHOSTDOWN, "no route to the host", "is it switched on"),
        (errno.ENETUNREACH, "the network is unreachable", "ip route get 192.0.2.7"),
        (errno.ETIMEDOUT, "no answer in time", "-t SECONDS"),
        (errno.ECONNRESET, "the connection was reset", "MaxStartups"),
        (errno.EPERM, "this machine forbids the connection", "firewall"),
        (errno.EMFILE, "Too many open files", "ssh -v"),
    ],
)
def test_the_network_says_itself_what_it_did(number: int, seen: str, next_step: str) -> None:
    for error in (
        of(number),
        NoConnectionError({"192.0.2.7": of(number)}),
        NoValidConnectionsError({("192.0.2.7", 22): of(number)}),
    ):
        found = said(error)
        assert seen in found[0]
        assert next_step in found[1]


def test_addresses_that_did_different_things_are_all_named() -> None:
    errors = {"2001:db8::7": of(errno.ENETUNREACH), "192.0.2.7": of(errno.ECONNREFUSED)}
    seen, next_step = said(NoConnectionError(errors))
    assert seen == (
        "2001:db8::7: the network is unreachable; 192.0.2.7: the port refused the connection"
    )
    assert "sshd" in next_step  # of the address that is nearest to a session


def test_a_name_that_nobody_knows_is_no_name_server_that_is_silent() -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    silent = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
    assert "unknown host" in said(unknown)[0]
    assert "no name server answered" in said(silent)[0]


def test_time_that_is_up_is_said_with_what_the_host_did() -> None:
    seen, next_step = said(TimeUpError("it took the connection, then said nothing"))
    assert seen == "it took the connection, then said nothing"
    assert "-t SECONDS" in next_step


@pytest.fixture
def hung() -> Iterator[int]:
    """The port of a machine that takes connections and says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        yield server.getsockname()[1]


@pytest.fixture
def stuck() -> Iterator[int]:
    """The port of a machine that greets as sshd does, and then says nothing."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        taken = []

        def greet() -> None:
            peer, _ = server.accept()
            taken.append(peer)
            peer.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")

        threading.Thread(target=greet, daemon=True).start()
        yield server.getsockname()[1]
        for peer in taken:
            peer.close()


def opened(port: int, **config: object) -> tuple[PacefabError, float]:
    """Open a session to a port of this machine; return the error, and how long it took."""
    way = Connection("127.0.0.1", user="root", port=port, config=Config(overrides=config))
    started = time.monotonic()
    with pytest.raises(UnreachableError) as error:
        Host("c1", way, Access()).query([])
    return error.value, time.monotonic() - started


@pytest.mark.parametrize(
    "config", [{"connect_kwargs": {"timeout": LIMIT}}, {"timeouts": {"connect": LIMIT}}]
)
def test_a_host_that_takes_the_connection_and_says_nothing(
    hung: int, config: dict[str, object]
) -> None:
    error, seconds = opened(hung, **config)
    assert error.seen == "it took the connection, then said nothing"
    assert LIMIT <= seconds < LIMIT + 5  # paramiko's own limits are 10 s and more


def test_a_host_that_stops_halfway(stuck: int) -> None:
    error, seconds = opened(stuck, connect_kwargs={"timeout": LIMIT})
    assert error.seen == "it took the connection, but opened no session in time"
    assert seconds < LIMIT + 5


def test_the_command_line_is_nearer_than_a_setting(hung: int) -> None:
    both = {"connect_kwargs": {"timeout": LIMIT}, "timeouts": {"connect": 60}}
    assert opened(hung, **both)[1] < LIMIT + 5


def test_a_port_that_nobody_listens_on() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        port = server.getsockname()[1]
    assert opened(port)[0].seen == "the port refused the connection"
