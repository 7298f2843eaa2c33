"""Hosts as they are typed: [USER@]HOST[:PORT]; checked before Fabric makes connections of them."""

from __future__ import annotations

import re

from pacefab.addresses import is_address
from pacefab.errors import UsageError
from pacefab.transport.way.hop import Destination

ALLOWED = "[USER@]HOST[:PORT]"
_BRACKETS = re.compile(r"\[([^\]]*)\](?::(.*))?", re.DOTALL)
_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
_LAST_PORT = 65535


def check_hosts(option: str, text: str) -> None:
    """Refuse what is no list of hosts, separated by commas.

    Raises:
        UsageError: a name or a port is none.
    """
    for spec in text.split(","):
        if not spec.strip():
            seen = f"{text!r} has no host's name"
            raise UsageError(f"read {option}", seen, f"give {option} name,name,...")
        check_host(option, spec)


def check_host(option: str, spec: str) -> None:
    """Refuse what is no host. Same errors as `check_hosts`."""
    user, at, host, port = _parts(spec)
    if not host or (at and not user):
        missing = "user" if host else "host"
        raise UsageError(f"read {option}", f"{spec!r} has no {missing}", f"allowed: {ALLOWED}")
    if "[" in host:
        step = "write a port of IPv6 so: [fd00::1]:22"
        raise UsageError(f"read {option}", f"{spec!r}: brackets are for an address of IPv6", step)
    if port is not None and not (_PORT.fullmatch(port) and 0 < int(port) <= _LAST_PORT):
        seen = f"{spec!r}: {port!r} is no port"
        raise UsageError(f"read {option}", seen, "write a port as a number: host:22")


def read_host(spec: str) -> Destination:
    """Return a host that was checked."""
    user, _, host, port = _parts(spec)
    return Destination(host, user or None, int(port) if port else None)


def _parts(spec: str) -> tuple[str, str, str, str | None]:
    """Return user, whether there is an `@`, host and port; a port of IPv6 follows brackets."""
    user, at, place = spec.rpartition("@")
    if is_address(place.partition("%")[0]):
        return user, at, place, None
    bracketed = _BRACKETS.fullmatch(place)
    if bracketed and is_address(bracketed[1].partition("%")[0]):
        return user, at, bracketed[1], bracketed[2]
    host, colon, port = place.partition(":")
    return user, at, host, port if colon else None
