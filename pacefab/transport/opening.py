"""Opening a session: every hop's name, TCP, banner, keys and login, all within one limit.

paramiko has a limit for each of them, so that a host that hangs in several takes their sum.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from fabric import Connection
from paramiko import Channel
from paramiko.ssh_exception import ChannelException, SSHException

from pacefab.transport.way.dialling import NoConnectionError, ProxyProgram, dial, start_proxy
from pacefab.transport.way.hop import Hop
from pacefab.transport.way.identities import Given
from pacefab.transport.way.session import LiveTransport, log_in

CONNECT_SECONDS = 10
_REFUSED_SECONDS = 5  # how long a session that sshd refuses is asked for again


class TimeUpError(OSError):
    """The host took the connection, and opened no session within the limit."""


class HopError(Exception):
    """No session with a hop: `hop`, the `cause`, and what a program on the way `said`."""

    def __init__(self, hop: Hop, cause: Exception, said: str = "") -> None:
        super().__init__(str(cause))
        self.hop = hop
        self.cause = cause
        self.said = said


class _Closable(Protocol):
    def close(self) -> None: ...


class Session:
    """An open session with a host, and all that it goes through.

    Args:
        seconds: the limit for opening it.
        given: how to log in.
        accept_new: note the keys of hosts that no known_hosts file has.
    """

    def __init__(self, seconds: float, given: Given, *, accept_new: bool) -> None:
        self._seconds = seconds
        self._given = given
        self._accept_new = accept_new
        self._parts: list[_Closable] = []
        self._current: Hop | None = None

    @classmethod
    def unopened(cls) -> Session:
        """Return one of which everything says that it is not open."""
        return cls(CONNECT_SECONDS, Given(), accept_new=False)

    def open(self, hop: Hop) -> LiveTransport:
        """Return the transport to a host.

        Raises:
            HopError: it could not be.
        """
        with self._limited(hop):
            return self._open(hop)

    def channel(self, seconds: float) -> Channel:
        """Return a new session for a command; a refused one is asked for again for a moment.

        sshd may be about to end the one before it (MaxSessions). `seconds` is the limit.

        Raises:
            ChannelException: sshd allows no more.
            SSHException, EOFError: the connection is lost.
        """
        deadline = time.monotonic() + _REFUSED_SECONDS
        while True:
            try:
                return self._transport.open_session(timeout=seconds)
            except ChannelException:
                if time.monotonic() > deadline:
                    raise
            time.sleep(0.1)

    def reason(self) -> str:
        """Return why the connection ended, as the beginning of a sentence; empty: not known."""
        error = self._transport.get_exception() if self._parts else None
        return f"{error}; " if error and str(error) else ""

    @property
    def _transport(self) -> LiveTransport:
        if self._parts and isinstance(self._parts[-1], LiveTransport):
            return self._parts[-1]
        raise EOFError("no session is open")

    def close(self) -> None:
        """Close it, and what it goes through, the nearest to the host first."""
        while self._parts:
            self._parts.pop().close()

    def _open(self, hop: Hop) -> LiveTransport:
        via = self._open(hop.via) if hop.via else None
        self._current = hop
        later = self._seconds + 1  # than our own limit
        sock: Any
        if via:
            sock = via.open_channel("direct-tcpip", (hop.host, hop.port), ("", 0), timeout=later)
        elif hop.command:
            sock = self._keep(start_proxy(hop)).sock
        else:
            sock = dial(hop, self._seconds)
        transport = LiveTransport(sock)
        self._keep(transport)
        log_in(transport, hop, self._given, accept_new=self._accept_new, seconds=later)
        return transport

    def _keep(self, part: Any) -> Any:
        self._parts.append(part)
        return part

    @contextlib.contextmanager
    def _limited(self, target: Hop) -> Iterator[None]:
        """End what happens inside after the limit, whatever it waits for."""
        expired = threading.Event()

        def end() -> None:
            expired.set()
            for part in list(self._parts):
                part.close()

        timer = threading.Timer(self._seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
            if expired.is_set():  # at the very moment
                raise TimeUpError(self._stage())
        except (SSHException, OSError, EOFError, ValueError) as error:
            cause: Exception = error
            if expired.is_set() and not isinstance(error, NoConnectionError):
                cause = TimeUpError(self._stage())
            said = self._said()
            self.close()
            raise HopError(self._current or target, cause, said) from error
        finally:
            timer.cancel()

    def _stage(self) -> str:
        """Return what a host did until time was up."""
        transport = self._parts[-1] if self._parts else None
        if not isinstance(transport, LiveTransport) or not transport.remote_version:
            return "it took the connection, then said nothing"
        return "it took the connection, but opened no session in time"

    def _said(self) -> str:
        return "\n".join(part.said() for part in self._parts if isinstance(part, ProxyProgram))


def session_for(connection: Connection, hop: Hop, *, accept_new: bool) -> Session:
    """Return a session that is to be opened as Fabric's options and settings say.

    Its limit is that of -t, of ssh's ConnectTimeout, or ours.
    """
    given = connection.connect_kwargs.get("timeout")
    configured = hop.settings.number("connecttimeout")
    seconds = given or configured or connection.connect_timeout or CONNECT_SECONDS
    return Session(float(seconds), _given_by(connection), accept_new=accept_new)


def _given_by(connection: Connection) -> Given:
    """Return what Fabric's options and settings say about logging in."""
    options: Mapping[str, Any] = connection.connect_kwargs
    files = options.get("key_filename") or []
    named = [files] if isinstance(files, str) else [str(name) for name in files]
    identities = [str(path) for path in connection.config.authentication.identities]
    return Given(
        files=list(dict.fromkeys([*identities, *named])),
        passphrase=options.get("passphrase"),
        password=options.get("password"),
        agent=bool(options.get("allow_agent", True)),
        defaults=bool(options.get("look_for_keys", True)),
    )
