"""Opening a session: name, TCP, banner, keys and authentication, all within one limit.

paramiko has a limit for each of them, so that a host that hangs in several takes their sum; and it
gives up at the first address of a name that has no route.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

import paramiko
from fabric import Connection
from paramiko.ssh_exception import (
    AuthenticationException,
    BadHostKeyException,
    ChannelException,
    NoValidConnectionsError,
    SSHException,
)

from pacefab.errors import PacefabError, UnreachableError
from pacefab.transport.host_keys import UnknownHostKeyError, known_as

CONNECT_SECONDS = 10
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}


class NoConnectionError(OSError):
    """No address of the name took the connection; `errors` has what each did instead."""

    def __init__(self, errors: Mapping[str, OSError]) -> None:
        super().__init__("no address took the connection")
        self.errors = errors


class TimeUpError(OSError):
    """The host took the connection, and opened no session within the limit."""


def open_session(connection: Connection) -> None:
    """Open a connection within its limit: that of -t, of ssh's ConnectTimeout, or ours.

    Raises:
        OSError, SSHException, EOFError, ValueError: it could not be; see `explain`.
    """
    options = _options(connection)
    seconds = options.pop("timeout", None) or connection.connect_timeout or CONNECT_SECONDS
    connection.connect_timeout = None  # Fabric refuses to have it from two sources
    later = seconds + 1  # than our own limit
    options |= {"timeout": later, "banner_timeout": later, "auth_timeout": later}
    connection.connect_kwargs = options
    with _limited(connection, seconds):
        if not connection.gateway:
            options["sock"] = _dial(connection, seconds)
        connection.open()
    connection.client.get_transport().set_keepalive(15)


def _options(connection: Connection) -> dict[str, Any]:
    options: dict[str, Any] = dict(connection.connect_kwargs)
    options.pop("sock", None)  # of an earlier session, which was lost
    # Fabric adds each host's IdentityFile to the one mapping that all hosts share.
    given = [str(path) for path in connection.config.authentication.identities]
    own = connection.ssh_config.get("identityfile", [])
    if given or own:
        options["key_filename"] = [*given, *own]
    if connection.ssh_config.get("identitiesonly") == "yes":
        options.setdefault("allow_agent", False)
        options.setdefault("look_for_keys", False)
    options.setdefault("transport_factory", _transport)
    return options


def _transport(sock: Any, **options: Any) -> paramiko.Transport:
    """Make the session, its packets sent at once, as ssh(1) does.

    Otherwise the kernel holds back a small packet until the one before is acknowledged, which the
    other side puts off by 40 ms (tcp(7)): several times for each connection and command.
    """
    if isinstance(sock, socket.socket):  # not a gateway's channel or a ProxyCommand
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return paramiko.Transport(sock, **options)


@contextlib.contextmanager
def _limited(connection: Connection, seconds: float) -> Iterator[None]:
    """End what happens inside after `seconds`, whatever it waits for."""
    expired = threading.Event()

    def end() -> None:
        expired.set()
        for hop in _hops(connection):
            if transport := hop.client.get_transport():
                transport.close()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    except (SSHException, OSError, EOFError) as error:
        if expired.is_set() and not isinstance(error, NoConnectionError):
            raise TimeUpError(_stage(connection)) from error
        raise
    finally:
        timer.cancel()
    if expired.is_set():  # at the very moment
        raise TimeUpError(_stage(connection))


def _hops(connection: Connection) -> Iterator[Connection]:
    """Yield a connection and those that it goes through."""
    hop = connection
    while isinstance(hop, Connection):
        yield hop
        hop = hop.gateway


def _stage(connection: Connection) -> str:
    """Return what a host did until time was up."""
    transport = connection.client.get_transport()
    if transport is None or not transport.remote_version:
        return "it took the connection, then said nothing"
    return "it took the connection, but opened no session in time"


def _dial(connection: Connection, seconds: float) -> socket.socket:
    """Return a socket that is connected; the addresses of a name share the time.

    Raises:
        socket.gaierror: the name has none.
        NoConnectionError: none of them took the connection.
    """
    deadline = time.monotonic() + seconds
    family = _FAMILIES.get(connection.ssh_config.get("addressfamily", ""), socket.AF_UNSPEC)
    found = socket.getaddrinfo(connection.host, connection.port, family, socket.SOCK_STREAM)
    errors: dict[str, OSError] = {}
    for tried, (its_family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(its_family, kind, protocol)
        sock.settimeout(max((deadline - time.monotonic()) / (len(found) - tried), 0.1))
        try:
            sock.connect(address)
        except OSError as error:
            sock.close()
            errors[str(address[0])] = error
        else:
            return sock
    raise NoConnectionError(errors)


def explain(name: str, connection: Connection, error: Exception) -> PacefabError:
    """Return the error with what an operator does about it."""
    where = f"{connection.user}@{connection.host}:{connection.port}"
    seen, next_step = _explained(connection, error)
    return UnreachableError(f"open an SSH session to {where}", seen, next_step, host=name)


def _explained(connection: Connection, error: Exception) -> tuple[str, str]:
    """Return what was seen, and the next step."""
    match error:
        case BadHostKeyException():
            kind = error.key.get_name()
            seen = f"its host key has CHANGED: {kind} is not the one in known_hosts"
            found = seen, _CHANGED_KEY.format(known=known_as(connection))
        case UnknownHostKeyError():
            found = f"its host key is not in known_hosts: {error}", _UNKNOWN_KEY
        case AuthenticationException():
            seen = f"the key or password was refused ({error})"
            found = seen, "try it with ssh; name the key with -i FILE or in ~/.ssh/config"
        case TimeUpError():
            found = str(error), "is the host hung? see its console; -t SECONDS waits longer"
        case ChannelException():
            found = f"the jump host could not reach it: {error.text}", "try it from there with ssh"
        case OSError():
            found = _of_network(error, connection.host)
        case _:
            found = _unexpected(error)
    return found


_CHANGED_KEY = (
    "somebody may be in between. If the host was reinstalled, check its fingerprint at its console,"
    " then: ssh-keygen -R '{known}'"
)
_UNKNOWN_KEY = (
    "compare the fingerprint with the host's own, then connect once with ssh, or give "
    "--accept-new-host-keys to the task"
)


def _unexpected(error: Exception) -> tuple[str, str]:
    return str(error) or type(error).__name__, "try it with ssh -v"


def _of_network(error: OSError, host: str) -> tuple[str, str]:
    if isinstance(error, socket.gaierror):
        if error.errno == socket.EAI_AGAIN:
            return (f"no name server answered ({error.strerror})", "check DNS on this machine")
        return (f"unknown host ({error.strerror})", "check the name in -H, DNS and ~/.ssh/config")
    if isinstance(error, NoConnectionError | NoValidConnectionsError):
        return _of_addresses(error.errors)
    if number := _number(error):
        seen, next_step = _BY_ERRNO[number]
        return seen, next_step.format(host=host)
    return _unexpected(error)


def _of_addresses(errors: Mapping[Any, Exception]) -> tuple[str, str]:
    """Return what the addresses of a name did; the next step is about the one that got furthest."""
    # paramiko's addresses come with their ports
    plain = {str(a[0] if isinstance(a, tuple) else a): error for a, error in errors.items()}
    causes = {address: error for address, error in plain.items() if isinstance(error, OSError)}
    found = {address: _of_network(error, address) for address, error in causes.items()}
    if len({seen for seen, _ in found.values()}) == 1:
        return next(iter(found.values()))
    ranks = [*_BY_ERRNO, None]
    furthest = min(causes, key=lambda address: ranks.index(_number(causes[address])))
    seen = "; ".join(f"{address}: {seen}" for address, (seen, _) in found.items())
    return seen, found[furthest][1]


def _number(error: OSError) -> int | None:
    number = errno.ETIMEDOUT if isinstance(error, TimeoutError) else error.errno
    return number if number in _BY_ERRNO else None


_OFF = ("no route to the host", "is it switched on and in this network, is {host} its address?")
_BY_ERRNO = {
    errno.ECONNREFUSED: (
        "the port refused the connection",
        "does sshd run there, on that port?",
    ),
    errno.ECONNRESET: (
        "the connection was reset",
        "does sshd listen on that port, does its MaxStartups or a firewall end connections?",
    ),
    errno.ETIMEDOUT: (
        "no answer in time",
        "is the host up, is a firewall in between? -t SECONDS waits",
    ),
    errno.EHOSTUNREACH: _OFF,
    errno.EHOSTDOWN: _OFF,
    errno.ENETUNREACH: (
        "the network is unreachable",
        "is the address right, has this machine a route there? ip route get {host}",
    ),
    errno.EACCES: ("this machine forbids the connection", "see its own firewall's rules"),
    errno.EPERM: ("this machine forbids the connection", "see its own firewall's rules"),
}
"""What an operator reads, by the number of the error: those that got furthest first."""
