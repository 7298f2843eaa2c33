"""The stream to a host's sshd: a socket, a channel of the hop before it, or a program's."""

from __future__ import annotations

import os
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any

from pacefab.transport.way.hop import Hop

_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


class NoConnectionError(OSError):
    """No address of the name took the connection; `errors` has what each did instead."""

    def __init__(self, errors: Mapping[str, OSError]) -> None:
        super().__init__("no address took the connection")
        self.errors = errors


def dial(hop: Hop, seconds: float) -> socket.socket:
    """Return a socket that is connected; the addresses of a name share the time.

    Raises:
        socket.gaierror: the name has none.
        NoConnectionError: none of them took the connection.
    """
    deadline = time.monotonic() + seconds
    family = _FAMILIES.get(hop.settings.one("addressfamily") or "", socket.AF_UNSPEC)
    found = socket.getaddrinfo(hop.host, hop.port, family, socket.SOCK_STREAM)
    errors: dict[str, OSError] = {}
    for tried, (its_family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(its_family, kind, protocol)
        sock.settimeout(max((deadline - time.monotonic()) / (len(found) - tried), 0.1))
        try:
            _bind(sock, hop)
            sock.connect(address)
        except OSError as error:
            sock.close()
            errors[str(address[0])] = error
        else:
            _tune(sock)
            return sock
    raise NoConnectionError(errors)


def _bind(sock: socket.socket, hop: Hop) -> None:
    if interface := hop.settings.one("bindinterface"):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.encode() + b"\0")
    if address := hop.settings.one("bindaddress"):
        found = socket.getaddrinfo(address, 0, sock.family, socket.SOCK_STREAM)
        sock.bind(found[0][4])


def _tune(sock: socket.socket) -> None:
    """Send packets at once, as ssh(1) does.

    Otherwise the kernel holds back a small packet until the one before is acknowledged, which the
    other side puts off by 40 ms (tcp(7)): several times for each connection and command.
    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@dataclass(frozen=True)
class ProxyProgram:
    """A program that connects to a host, and the stream to it."""

    sock: socket.socket
    process: subprocess.Popen[bytes]
    errors: IO[bytes]

    def close(self) -> None:
        """End the program."""
        self.sock.close()
        if self.process.poll() is None:
            self.process.terminate()

    def said(self) -> str:
        """Return the end of what it wrote to its standard error."""
        self.errors.seek(0, os.SEEK_END)
        self.errors.seek(max(self.errors.tell() - _TAIL, 0))
        return self.errors.read().decode(errors="replace").replace("\r", "").strip()


_TAIL = 2000  # bytes


def start_proxy(hop: Hop) -> ProxyProgram:
    """Start a hop's ProxyCommand, in the user's shell as ssh does; it can ask nothing.

    Raises:
        OSError: it cannot be started.
    """
    ours, theirs = socket.socketpair()
    errors = tempfile.TemporaryFile()  # noqa: SIM115  # read when something went wrong
    shell = os.environ.get("SHELL") or "/bin/sh"
    environment = {**os.environ, "SSH_ASKPASS_REQUIRE": "never"}
    with theirs:
        process = subprocess.Popen(
            [shell, "-c", f"exec {hop.command}"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
    if hop.settings.says("proxyusefdpass", default=False):
        ours = _passed(ours)
    return ProxyProgram(ours, process, errors)


def _passed(sock: socket.socket) -> socket.socket:
    """Return the socket that the program hands over (ProxyUseFdpass)."""
    with sock:
        sock.settimeout(10)
        _, descriptors, _, _ = socket.recv_fds(sock, 1, 1)
    if not descriptors:
        raise OSError("ProxyCommand passed no connection")
    return socket.socket(fileno=descriptors[0])


def peer_of(sock: Any) -> str | None:
    """Return the address that a socket is connected to; None when it is no socket of IP."""
    try:
        return str(sock.getpeername()[0])
    except (OSError, AttributeError, IndexError, TypeError):
        return None
