"""Whether a unit starts its program with the file that we write: in force, not only written.

A drop-in or a unit file of the operator's may start another command, or with another file, and a
socket unit may start it on demand. Pure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Sequence
from pathlib import PurePosixPath

from pacefab.errors import RefusedError
from pacefab.host.model import Unit

_SHOWN = 100  # characters of a command
_NOT_THERE = {"not-found", "masked"}
# Programs that set something and execute their operands (coreutils, util-linux, numactl).
_LAUNCHERS = re.compile(r"chrt|env|ionice|nice|nohup|numactl|prlimit|setpriv|stdbuf|taskset")
_OPERATORS = ("/etc/", "/run/", "/usr/local/")


def check(
    unit: Unit,
    path: str,
    reads: Callable[[list[str]], bool],
    own: Collection[str] = (),
    blamed: Sequence[str] = (),
) -> None:
    """Raise a RefusedError when what is written to the file at `path` would not be in force.

    Args:
        unit: what starts the program.
        path: the file.
        reads: whether a command, as words, reads it.
        own: drop-ins of ours.
        blamed: files of variables that say so, where the command itself does not.
    """
    if said := unread(unit, path, reads, own):
        short = unit.name.removesuffix(".service")
        way_out = f"edit {' and '.join(blamed)}" if blamed else _way_out(unit, short, own)
        raise RefusedError(f"configure {short}", said, way_out)


def unread(
    unit: Unit, path: str, reads: Callable[[list[str]], bool], own: Collection[str] = ()
) -> str:
    """Return what starts a unit's program otherwise than by the file; empty: nothing does.

    A unit that is not there yet is the package's, which reads it.
    """
    if sockets := _sockets(unit):
        return f"{sockets[0]} starts {unit.name} on demand, and listens in its place"
    if unit.load in _NOT_THERE or not unit.commands or reads(words(unit)):
        return ""
    command = "; ".join(unit.commands)
    shown = command if len(command) <= _SHOWN else f"{command[:_SHOWN]}…"
    named = ", ".join(PurePosixPath(place).name for place in _places(unit, own))
    return f"{unit.name} starts {shown} ({named}): {path} is not read"


def words(unit: Unit) -> list[str]:
    """Return a unit's command as words, variables as they are written; the last of several.

    What only starts it, such as taskset(1) with its options, is left out.
    """
    command = unit.commands[-1]
    try:
        return _launched(shlex.split(command)) or [command]
    except ValueError:
        return _launched(command.split()) or [command]


def _launched(command: list[str]) -> list[str]:
    """Return the command that another one executes in its place; that has a whole path."""
    if not command or not _LAUNCHERS.fullmatch(PurePosixPath(command[0]).name):
        return command
    paths = (place for place, word in enumerate(command) if place and word.startswith("/"))
    place = next(paths, None)
    return command if place is None else _launched(command[place:])


def _way_out(unit: Unit, short: str, own: Collection[str]) -> str:
    if sockets := _sockets(unit):
        return f"systemctl disable --now {sockets[0]}, remove that unit, then run again"
    return f"systemctl revert {short}, or edit {' and '.join(_places(unit, own))}"


def _sockets(unit: Unit) -> list[str]:
    return [name for name in unit.triggered_by if name.endswith(".socket")]


def _places(unit: Unit, own: Collection[str]) -> tuple[str, ...]:
    """Return the files of an operator that may say so, else the package's own."""
    folder = f"/{unit.name}.d/"
    fragment = [unit.fragment] if unit.fragment.startswith(_OPERATORS) else []
    drop_ins = [
        path
        for path in unit.drop_ins
        if folder in path and path not in own and not path.startswith("/run/")
    ]
    return tuple([*fragment, *drop_ins] or [unit.fragment or unit.name])
