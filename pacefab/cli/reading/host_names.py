"""Hosts as they are typed: [USER@]HOST[:PORT]; checked before Fabric makes connections of them."""

from __future__ import annotations

import re

from pacefab.addresses import is_address
from pacefab.errors import UsageError

ALLOWED = "[USER@]HOST[:PORT]"
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
    user, at, place = spec.rpartition("@")
    if is_address(place.partition("%")[0]):
        host, port = place, None
    elif place.startswith("["):
        step = "write IPv6 without brackets; its port goes into ~/.ssh/config or the inventory"
        raise UsageError(f"read {option}", f"{spec!r}", step)
    else:
        host, colon, number = place.partition(":")
        port = number if colon else None
    if not host or (at and not user):
        missing = "user" if host else "host"
        raise UsageError(f"read {option}", f"{spec!r} has no {missing}", f"allowed: {ALLOWED}")
    if port is not None and not (_PORT.fullmatch(port) and 0 < int(port) <= _LAST_PORT):
        seen = f"{spec!r}: {port!r} is no port"
        raise UsageError(f"read {option}", seen, "write a port as a number: host:22")
