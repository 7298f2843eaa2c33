"""Why no session opened, and what an operator does about it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Mapping
from typing import Any

from paramiko.ssh_exception import (
    AuthenticationException,
    ChannelException,
    NoValidConnectionsError,
)

from pacefab.errors import PacefabError, UnreachableError
from pacefab.transport.opening import HopError, TimeUpError
from pacefab.transport.way.dialling import NoConnectionError
from pacefab.transport.way.hop import Hop
from pacefab.transport.way.host_keys import (
    ChangedHostKeyError,
    RevokedHostKeyError,
    UnknownHostKeyError,
)


def explain(name: str, error: HopError) -> PacefabError:
    """Return the error of a hop, on the way to a host, with what an operator does about it."""
    hop = error.hop
    if error.said and not isinstance(error.cause, _OF_THE_HOST):
        seen, next_step = f"its ProxyCommand said: {error.said}", f"try it: ssh -v {hop.name}"
    else:
        seen, next_step = _explained(hop, error.cause)
    on_the_way = "" if hop.name == name else f", the jump host {hop.name} on the way to {name}"
    attempted = f"open an SSH session to {hop.where}{on_the_way}"
    return UnreachableError(attempted, seen, next_step, host=name)


_OF_THE_HOST = (
    AuthenticationException,
    ChangedHostKeyError,
    RevokedHostKeyError,
    UnknownHostKeyError,
)


def _explained(hop: Hop, error: Exception) -> tuple[str, str]:
    """Return what was seen, and the next step."""
    match error:
        case ChangedHostKeyError():
            seen = f"its host key has CHANGED: {error} is not the one in known_hosts"
            found = seen, _CHANGED_KEY.format(known=hop.known_as)
        case RevokedHostKeyError():
            found = f"its host key is REVOKED: {error}", _REVOKED_KEY
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
            found = _of_network(error, hop.host)
        case _:
            found = _unexpected(error)
    return found


_CHANGED_KEY = (
    "somebody may be in between. If the host was reinstalled, check its fingerprint at its console,"
    " then: ssh-keygen -R '{known}'"
)
_REVOKED_KEY = "give the host a new key; known_hosts (@revoked) or RevokedHostKeys has this one"
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
