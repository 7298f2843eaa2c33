"""The hops to a host: each with its own configuration, the host itself last."""

from __future__ import annotations

import functools
import getpass
import os
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass

from pacefab.errors import UnreachableError
from pacefab.transport.way.configuration import read_settings
from pacefab.transport.way.settings import HostSettings, Sources
from pacefab.transport.way.tokens import TokenError, expand, expand_file

SSH_PORT = 22
_MOST = 10
# As ssh: a ProxyCommand may have the user's name in it, and a shell reads that.
_NO_USER = re.compile(r"^-|[\s'\"`$\\;&<>|(){}]")
_SPEC = re.compile(r"(?:ssh://)?(?:(.+)@)?(?:\[([^\]]+)\]|([^:\[\]]+))(?::(\d{0,5}))?/?")


@dataclass(frozen=True)
class Destination:
    """A host as it was named, with what was given beside its name."""

    name: str
    user: str | None = None
    port: int | None = None


@dataclass(frozen=True)
class Hop:
    """A host on the way, or at its end, and how it is reached.

    Args:
        name: what it is called.
        host: the address or name that is connected to.
        port: where its sshd listens.
        user: who logs in there.
        settings: what the configuration says about it.
        via: the host before it; None when it is reached from here.
        command: the program that connects to it instead, a line for a shell.
    """

    name: str
    host: str
    port: int
    user: str
    settings: HostSettings
    via: Hop | None = None
    command: str | None = None

    @property
    def where(self) -> str:
        """Who logs in where, as a person reads it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.user}@{host}:{self.port}"

    @property
    def known_as(self) -> str:
        """The name under which known_hosts has it (sshd(8))."""
        if alias := self.settings.one("hostkeyalias"):
            return alias.lower()
        return as_known(self.host, self.port)

    @functools.cached_property
    def tokens(self) -> Mapping[str, str]:
        """The values of the tokens (TOKENS in ssh_config(5)), but %C and those of one keyword."""
        here = socket.gethostname()
        return {
            "%": "%",
            "d": os.path.expanduser("~"),  # noqa: PTH111
            "h": self.host,
            "i": str(os.getuid()),
            "j": self.settings.one("proxyjump") or "",
            "k": self.settings.one("hostkeyalias") or self.name,
            "L": here.partition(".")[0],
            "l": here,
            "n": self.name,
            "p": str(self.port),
            "r": self.user,
            "u": local_user(),
        }

    def files(self, keyword: str) -> list[str]:
        """Return the files that a keyword names, all on one line. Errors of `expand_file`."""
        return [expand_file(name, self.tokens) for name in self.settings.file_names(keyword)]


def as_known(host: str, port: int) -> str:
    """Return the name of a host at a port in known_hosts (sshd(8))."""
    return host.lower() if port == SSH_PORT else f"[{host.lower()}]:{port}"


def find_way(place: Destination, sources: Sources, setting: str | None = None) -> Hop:
    """Return the host with the hops before it.

    `setting` is a command that connects to it where its configuration names no other way.

    Raises:
        UnreachableError: the configuration cannot be read, or leads nowhere.
    """
    return _find(place, sources, [], setting)


def _find(
    place: Destination, sources: Sources, behind: list[Destination], setting: str | None = None
) -> Hop:
    if len(behind) > _MOST:
        raise _wrong(behind[0].name, f"{place.name} is a jump host of itself", "see ProxyJump")
    if place.user and _NO_USER.search(place.user):
        raise _wrong(place.name, f"{place.user!r} is no user's name", "give USER@HOST")
    settings = read_settings(place.name, place.user, place.port, sources)
    hop = _bare(place, settings)
    jump, command = settings.one("proxyjump"), settings.one("proxycommand")
    if not (jump or command or "proxyjump" in settings.values or "proxycommand" in settings.values):
        command = setting
    try:
        if jump:
            return _with(hop, via=_jumps(expand(jump, hop.tokens), sources, [*behind, place]))
        return _with(hop, command=expand(command, hop.tokens) if command else None)
    except TokenError as error:
        raise _wrong(place.name, str(error), "see ProxyJump and ProxyCommand") from None


def _jumps(text: str, sources: Sources, behind: list[Destination]) -> Hop:
    """Return the last of ProxyJump's hosts, the others before it.

    The first is reached as its own configuration says, each other through the one before it.
    """
    found: Hop | None = None
    bare = Sources(sources.file)
    for spec in text.split(","):
        match = _SPEC.fullmatch(spec.strip())
        if not match:
            raise _wrong(behind[-1].name, f"ProxyJump {text}: {spec!r} is no host", "fix it")
        user, bracketed, plain, port = match.groups()
        place = Destination(bracketed or plain, user, int(port) if port else None)
        if place.name.startswith("-"):
            raise _wrong(behind[-1].name, f"ProxyJump {text}: {spec!r} is no host", "fix it")
        if found is None:
            found = _find(place, bare, behind)
        else:
            settings = read_settings(place.name, place.user, place.port, bare)
            found = _with(_bare(place, settings), via=found)
    assert found is not None  # noqa: S101  # split gives one part at least
    return found


def _bare(place: Destination, settings: HostSettings) -> Hop:
    return Hop(
        name=place.name,
        host=settings.one("hostname") or place.name,
        port=place.port or settings.number("port") or SSH_PORT,
        user=place.user or settings.one("user") or local_user(),
        settings=settings,
    )


def _with(hop: Hop, via: Hop | None = None, command: str | None = None) -> Hop:
    return Hop(hop.name, hop.host, hop.port, hop.user, hop.settings, via, command)


def local_user() -> str:
    """Return the name of whoever runs this."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "root"


def _wrong(name: str, seen: str, next_step: str) -> UnreachableError:
    return UnreachableError("read the ssh configuration", seen, next_step, host=name)
