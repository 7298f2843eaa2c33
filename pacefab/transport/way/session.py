"""A session of SSH with one hop: a transport that notices a dead peer, a key checked, a login."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import paramiko
from paramiko.common import cMSG_GLOBAL_REQUEST
from paramiko.ssh_exception import AuthenticationException, SSHException

from pacefab.transport.way.dialling import peer_of
from pacefab.transport.way.hop import Hop
from pacefab.transport.way.host_keys import HostKeys, shown_by
from pacefab.transport.way.identities import Given, Identities

ALIVE_SECONDS = 4
"""How long a peer may say nothing before it is asked whether it is there."""
SILENT_SECONDS = 11
"""How long it may say nothing at all: two questions without an answer."""


class _Heard:
    """A stream that knows when something last came from it."""

    def __init__(self, sock: Any) -> None:
        self._sock = sock
        self.at = time.monotonic()

    def recv(self, size: int) -> bytes:
        data: bytes = self._sock.recv(size)
        self.at = time.monotonic()
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class LiveTransport(paramiko.Transport):
    """paramiko's transport, which asks for exactly the host keys it is to ask for.

    A peer that answers nothing for `SILENT_SECONDS` ends the session: `keep_alive`.
    """

    def __init__(self, sock: Any, **options: Any) -> None:
        self._heard = _Heard(sock)
        super().__init__(self._heard, **options)  # type: ignore[arg-type]

    @property
    def preferred_keys(self) -> Sequence[str]:
        """The kinds of host keys to ask for; paramiko's own adds certificates."""
        return tuple(self.get_security_options().key_types)

    def keep_alive(self) -> None:
        """Ask the peer again and again whether it is there, from now on."""
        self._heard.at = time.monotonic()
        self.packetizer.set_keepalive(ALIVE_SECONDS, self._ask)

    def _ask(self) -> None:
        """Ask as ssh does (ServerAliveInterval): every sshd answers, if only with no.

        It runs in the thread that reads, which an exception ends, and the session with it.
        """
        if time.monotonic() - self._heard.at > SILENT_SECONDS:
            raise SSHException(f"no sign of life for {SILENT_SECONDS} s")
        message = paramiko.Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)  # noqa: FBT003
        self._send_message(message)  # type: ignore[attr-defined]


def log_in(
    transport: LiveTransport, hop: Hop, given: Given, *, accept_new: bool, seconds: float
) -> None:
    """Agree on keys with a hop, check its own, and log in there, with limits of `seconds` each.

    Raises:
        SSHException, OSError, EOFError, ValueError: it could not be.
    """
    keys = HostKeys(hop, accept_new=accept_new)
    _restrict(transport, hop)
    transport.get_security_options().key_types = tuple(keys.algorithms())
    transport.banner_timeout = transport.auth_timeout = seconds
    transport.start_client(timeout=seconds)
    direct = not (hop.via or hop.command)
    keys.check(shown_by(transport), peer_of(transport.sock) if direct else None)
    _authenticate(transport, hop, given, send_password=not keys.unsafe)
    transport.keep_alive()


def _restrict(transport: paramiko.Transport, hop: Hop) -> None:
    """Use no algorithm that the configuration does not allow; in paramiko's order."""
    options = transport.get_security_options()
    allowed = (("ciphers", "ciphers"), ("macs", "digests"), ("kexalgorithms", "kex"))
    for keyword, ours in allowed:
        configured = hop.settings.listed(keyword)
        usable = tuple(name for name in getattr(options, ours) if name in configured)
        if configured and not usable:
            raise SSHException(f"{keyword} names none that can be used here: {configured[0]}, …")
        if configured:
            setattr(options, ours, usable)
    transport.use_compression(hop.settings.says("compression", default=False))


def _authenticate(
    transport: paramiko.Transport, hop: Hop, given: Given, *, send_password: bool
) -> None:
    """Log in: with the operator's keys, then the password.

    Raises:
        AuthenticationException: nothing was taken; it says what was not offered, and why.
    """
    identities = Identities(hop, given)
    refused = "no key was offered"
    for key in identities.offered():
        try:
            transport.auth_publickey(hop.user, key)
        except AuthenticationException as error:
            refused = str(error)
        except (SSHException, ValueError) as error:
            if not transport.is_active():
                break
            identities.missed.append(f"a key of kind {key.get_name()}: {error}")
        if transport.is_authenticated():
            return
        if not transport.is_active():
            break
    if transport.is_active() and _with_password(transport, hop, given, send=send_password):
        return
    if not transport.is_active():
        refused = "it ended the session: too many keys were offered? see IdentitiesOnly"
    raise AuthenticationException("; ".join([refused, *identities.missed]))


def _with_password(transport: paramiko.Transport, hop: Hop, given: Given, *, send: bool) -> bool:
    allowed = send and hop.settings.says("passwordauthentication", default=True)
    try:
        if given.password is not None and allowed:
            transport.auth_password(hop.user, given.password)
        else:
            transport.auth_none(hop.user)
    except SSHException:
        return False
    return transport.is_authenticated()
