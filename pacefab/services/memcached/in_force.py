"""Whether memcached's unit reads its configuration file: what is in force, not what is written.

Debian's unit calls a wrapper that reads the file, EL's has its variables in the command. Pure.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import PurePosixPath

from pacefab.errors import RefusedError
from pacefab.host.model import HostFacts, Unit
from pacefab.services import starting
from pacefab.services.memcached import warm
from pacefab.services.memcached.config import DEBIAN_PATH, Settings

UNIT = "memcached.service"
_WRAPPER = "systemd-memcached-wrapper"
_VARIABLES = {"PORT", "CACHESIZE", "MAXCONN", "OPTIONS"}


def check(facts: HostFacts, path: str, desired: Settings) -> None:
    """Raise a RefusedError when what is written to the file at `path` would not be in force."""
    unit = facts.unit(UNIT)
    starting.check(unit, path, partial(_reads, unit, path), warm.PATHS)
    if desired.unix_socket:
        raise RefusedError(
            "configure memcached",
            f"-s {desired.unix_socket}: memcached listens at that socket, and at no address",
            f"take that option out of {path}, then run again",
        )


def unread(facts: HostFacts, path: str) -> str:
    """Return what starts memcached otherwise than by the file at `path`; empty: nothing does."""
    unit = facts.unit(UNIT)
    return starting.unread(unit, path, partial(_reads, unit, path), warm.PATHS)


def own_command(facts: HostFacts, path: str) -> list[str]:
    """Return the command that starts memcached itself and does not read the file; else nothing."""
    unit = facts.unit(UNIT)
    if not unit.commands or not unread(facts, path):
        return []
    words = starting.words(unit)
    return words if PurePosixPath(words[0]).name == "memcached" else []


def _reads(unit: Unit, path: str, words: list[str]) -> bool:
    if path == DEBIAN_PATH:
        return PurePosixPath(words[0]).name == _WRAPPER and words[1:] in ([], [path])
    named = {name for word in words for name in re.findall(r"\$\{?(\w+)", word)}
    is_last = unit.environment_files[-1:] == (path,)
    return is_last and named >= _VARIABLES and words[-1].strip("${}") == "OPTIONS"
