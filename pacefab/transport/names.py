"""What a host may be called."""

from __future__ import annotations

import re

from pacefab.errors import UsageError

# What a host may be called: names, IPv4, IPv6, and brackets around it. No shell character.
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]*|\[?[0-9A-Fa-f:.]+(%[A-Za-z0-9_.\-]+)?\]?")


def check_name(name: str) -> None:
    """Raise a UsageError when `name` has characters that no host name has."""
    bare = name.rpartition("@")[2]
    host = bare if bare.count(":") != 1 else bare.partition(":")[0]
    if not _HOST.fullmatch(host):
        raise UsageError(
            "read the host names",
            f"{name!r} is no host name",
            "give -H name,name,…",
        )
