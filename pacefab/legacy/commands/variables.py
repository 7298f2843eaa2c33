"""Builtins that set variables: read, mapfile, let; and expr."""

from __future__ import annotations

import re

from pacefab.legacy.bash.arithmetic import Arithmetic, UnclearError
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.unknown import OPEN, is_known

_READ = Syntax("p t n d u N i a")
_MAPFILE = Syntax("d n O s u C c")


def read(interpreter: Interpreter, command: Command) -> CommandResult:
    """Read a line into variables; at a terminal, what the operator types is unknown."""
    options = split_options(command.arguments, _READ)
    names = _variables(options.operands) or ["REPLY"]
    stdin, shell = interpreter.shell.stdin, interpreter.shell
    if stdin is None:
        for name in names:
            shell.set(name, interpreter.world.mark(f"${name}, which the operator types in"))
        return CommandResult(None)
    if not stdin:
        for name in _variables(options.operands):
            shell.set(name, "")
        return CommandResult(1)
    line = stdin.pop(0)
    if line.startswith(OPEN) and is_known(re.sub(f"{OPEN}.*", "", line)):
        for name in names:
            shell.set(name, line)
        return CommandResult(None)
    _put_fields(shell, names, line, options.value("a"))
    return CommandResult(0)


def _put_fields(shell: Shell, names: list[str], line: str, array: str) -> None:
    """Split a line at the first separator of $IFS, into an array or variables."""
    separator = shell.variables.get("IFS", "").strip()[:1] or None
    if array:
        shell.arrays[array] = {str(at): word for at, word in enumerate(line.split(separator))}
        return
    fields = line.strip().split(separator, len(names) - 1)
    for name, field in zip(names, fields + [""] * len(names), strict=False):
        shell.set(name, field)


def _variables(words: list[str]) -> list[str]:
    return [word for word in words if re.fullmatch(r"[A-Za-z_]\w*", word)]


def mapfile(interpreter: Interpreter, command: Command) -> CommandResult:
    """Read all lines into an array."""
    names = _variables(split_options(command.arguments, _MAPFILE).operands) or ["MAPFILE"]
    stdin = interpreter.shell.stdin or []
    interpreter.shell.arrays[names[0]] = {str(at): line for at, line in enumerate(stdin)}
    stdin.clear()
    return CommandResult()


def let(interpreter: Interpreter, command: Command) -> CommandResult:
    """Evaluate arithmetic; a variable that it cannot know becomes unknown."""
    status: int | None = 0
    for word in command.arguments:
        try:
            value = Arithmetic(
                word, lambda name: _known(interpreter, name), interpreter.shell.set
            ).value()
            status = int(value == 0)
        except UnclearError:
            name = re.match(r"[A-Za-z_]\w*", word)
            if name:
                interpreter.shell.set(name[0], interpreter.world.mark(f"let {word}"))
            status = None
    return CommandResult(status)


def _known(interpreter: Interpreter, name: str) -> str:
    value = interpreter.shell.variables.get(name, "")
    if not is_known(value):
        raise UnclearError(name)
    return value


def expr(interpreter: Interpreter, command: Command) -> CommandResult:
    """Print what arithmetic makes; any other use of expr has an unknown output."""
    text = " ".join(command.arguments)
    unclear = CommandResult(
        None, interpreter.world.mark(f"what expr {interpreter.world.unknowns.show(text)} prints")
    )
    if not is_known(text):
        return unclear
    try:
        value = Arithmetic(text, lambda name: _known(interpreter, name), _no_assignment).value()
    except UnclearError:
        return unclear
    return CommandResult(int(value == 0), f"{value}\n")


def _no_assignment(name: str, _value: str) -> None:
    raise UnclearError(name)
