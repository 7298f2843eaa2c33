"""Whether memcached's unit reads its configuration file: what is in force, not what is written.

A drop-in or a unit file of the operator's may start it with a command of its own, through another
program, with another file of variables, or on demand by a socket. Pure.
"""

from __future__ import annotations

import re
import shlex
from pathlib import PurePosixPath

from pacefab.errors import RefusedError
from pacefab.host.model import HostFacts, Unit
from pacefab.services.memcached import warm
from pacefab.services.memcached.config import DEBIAN_PATH, Settings

UNIT = "memcached.service"
_WRAPPER = "systemd-memcached-wrapper"  # Debian's; it reads the file that it is given
_VARIABLES = {"PORT", "CACHESIZE", "MAXCONN", "OPTIONS"}
_SHOWN = 100  # characters of a command
_NOT_THERE = {"not-found", "masked"}


def check(facts: HostFacts, path: str, desired: Settings) -> None:
    """Raise a RefusedError when what is written to the file at `path` would not be in force."""
    if said := unread(facts, path):
        raise RefusedError("configure memcached", said, _way_out(facts.unit(UNIT)))
    if desired.unix_socket:
        raise RefusedError(
            "configure memcached",
            f"-s {desired.unix_socket}: memcached listens at that socket, and at no address",
            f"take that option out of {path}, then run again",
        )


def unread(facts: HostFacts, path: str) -> str:
    """Return what starts memcached otherwise than by the file at `path`; empty: nothing does."""
    unit = facts.unit(UNIT)
    if sockets := _sockets(unit):
        return f"{sockets[0]} starts {UNIT} on demand, and listens in its place"
    if _reads(unit, path):
        return ""
    named = ", ".join(PurePosixPath(place).name for place in _places(unit))
    return f"{UNIT} starts {_short('; '.join(unit.commands))} ({named}): {path} is not read"


def _way_out(unit: Unit) -> str:
    if sockets := _sockets(unit):
        return f"systemctl disable --now {sockets[0]}, remove that unit, then run again"
    return f"systemctl revert memcached, or edit {' and '.join(_places(unit))}"


def _sockets(unit: Unit) -> list[str]:
    return [name for name in unit.triggered_by if name.endswith(".socket")]


def own_command(facts: HostFacts, path: str) -> list[str]:
    """Return the command that starts memcached itself and does not read the file; else nothing."""
    unit = facts.unit(UNIT)
    if _reads(unit, path):
        return []
    words = _words(unit.commands[-1])
    return words if PurePosixPath(words[0]).name == "memcached" else []


def _reads(unit: Unit, path: str) -> bool:
    """Whether the unit's command reads the file; one that is not there yet will."""
    if unit.load in _NOT_THERE or not unit.commands:
        return True
    words = _words(unit.commands[-1])
    if path == DEBIAN_PATH:
        return PurePosixPath(words[0]).name == _WRAPPER and words[1:] in ([], [path])
    named = set(re.findall(r"\$\{?(\w+)", unit.commands[-1]))
    is_last = unit.environment_files[-1:] == (path,)
    return is_last and named >= _VARIABLES and words[-1].strip("${}") == "OPTIONS"


def _words(command: str) -> list[str]:
    try:
        return shlex.split(command) or [command]
    except ValueError:
        return command.split() or [command]


def _places(unit: Unit) -> tuple[str, ...]:
    """Return the files of an operator that may say so, else the package's own."""
    folder = f"/{UNIT}.d/"
    drop_ins = [
        path
        for path in unit.drop_ins
        if folder in path and path != warm.DROP_IN and not path.startswith("/run/")
    ]
    own = [unit.fragment] if unit.fragment.startswith(("/etc/", "/run/", "/usr/local/")) else []
    return tuple([*own, *drop_ins] or [unit.fragment or UNIT])


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
