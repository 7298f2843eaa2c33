"""Commands that copy files between hosts and folders: scp, rsync, cp, mv."""

from __future__ import annotations

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.files import Text
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.model import CommandResult, Place, WrittenFile
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.unknown import is_known

_SCP = Syntax("c D F i J l o P S X", mixed=True)
_OTHERS = Syntax("e", long={"rsh": "e"}, mixed=True)
_REMOTE_SEPARATOR = ":"


def copy(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note files that scp, rsync, cp or mv put somewhere."""
    syntax = _SCP if command.name == "scp" else _OTHERS
    *sources, target = split_options(command.arguments, syntax).operands or [""]
    for source in sources:
        _put(interpreter, source, target, command.place)
    return CommandResult()


def _put(interpreter: Interpreter, source: str, target: str, place: Place) -> None:
    world = interpreter.world
    host, colon, path = target.rpartition(_REMOTE_SEPARATOR)
    host = host.rpartition("@")[2] if colon else interpreter.shell.host
    if source.rpartition(_REMOTE_SEPARATOR)[1]:  # fetched from a host: unknown
        return
    name = source.rstrip("/").rpartition("/")[2]
    whole = path + name if path.endswith("/") or not path else path
    if path.rpartition("/")[2] in {"", "root", "tmp", "home", "etc", "bin", "sbin", "opt"}:
        whole = f"{path.rstrip('/')}/{name}"
    host = world.unknowns.show(world.names.get(host, host))
    shown = WrittenFile(world.unknowns.show(whole), host, place, "copied")
    world.effects.files.setdefault(shown)
    found = interpreter.file(source) if is_known(source) else None
    if found and is_known(whole) and whole not in world.tree.files:
        world.files.keep(whole, Text(found.text, found.place))
