"""Builtins that set variables: read, mapfile, let; and expr."""

from __future__ import annotations

import re

from pacefab.legacy.bash.arithmetic import Arithmetic, UnclearError
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.splitting import BLANKS, fields_of
from pacefab.legacy.model import CommandResult, Place
from pacefab.legacy.options import SplitOptions, Syntax, split_options
from pacefab.legacy.unknown import OPEN, is_known

_READ = Syntax("p t n d u N i a")
_MOST_FIELDS = 5000
_MAPFILE = Syntax("d n O s u C c")


def read(interpreter: Interpreter, command: Command) -> CommandResult:
    """Read a line into variables; at a terminal, what the operator types is unknown."""
    options = split_options(command.arguments, _READ)
    names = _variables(options.operands) or ["REPLY"]
    array = options.value("a")
    stdin, shell = interpreter.shell.stdin, interpreter.shell
    if stdin is None or {"u", "d", "N"} & (options.names - _plain_end(options)):
        mark = interpreter.world.mark(f"${names[0]}, which the operator types in")
        if stdin is not None:
            mark = interpreter.world.mark(f"what {command.text} reads")
        for name in names if not array else ():
            shell.set(name, _typed(interpreter, command, name, mark))
        if array:
            shell.fill(array, {"0": mark})
        return CommandResult(None)
    if not stdin:
        for name in _variables(options.operands):
            shell.set(name, "")
        return CommandResult(1)
    line = _line(stdin, raw="r" in options)
    count = options.value("n")
    if count.isdigit():
        line = line[: int(count)]
    if line.startswith(OPEN) and is_known(re.sub(f"{OPEN}.*", "", line)):
        for name in names if not array else ():
            shell.set(name, line)
        if array:
            shell.fill(array, {"0": line})
        return CommandResult(None)
    _put_fields(shell, names, line, array, raw="r" in options)
    return CommandResult(0)


def _typed(interpreter: Interpreter, command: Command, name: str, mark: str) -> str:
    """Return what an operator says that is typed in for a variable; else the mark."""
    if interpreter.shell.stdin is not None:
        return mark
    mark = interpreter.world.mark(f"${name}, which the operator types in")
    place = Place(interpreter.script.file, command.place.line)
    return interpreter.world.answered(place, f"read {name}", mark)


def _plain_end(options: SplitOptions) -> set[str]:
    """Return the option -d where it names the end of a line, or of all lines."""
    return {"d"} if options.value("d") == "\n" else set()


def _line(stdin: list[str], *, raw: bool) -> str:
    """Take a line; without -r one that ends in a backslash goes on in the next."""
    line = stdin.pop(0)
    while not raw and re.search(r"(?<!\\)(\\\\)*\\$", line) and stdin:
        line = line[:-1] + stdin.pop(0)
    return line


def _put_fields(shell: Shell, names: list[str], line: str, array: str, *, raw: bool) -> None:
    """Split a line at the separators of $IFS, into an array or variables."""
    separators = shell.variables.get("IFS", BLANKS)
    if array:
        fields = fields_of(line, separators, _MOST_FIELDS, raw=raw)
        shell.fill(array, {str(at): word for at, word in enumerate(fields)})
        return
    fields = fields_of(line, separators, len(names), raw=raw)
    if names == ["REPLY"]:
        fields = [line]
    for name, field in zip(names, fields + [""] * len(names), strict=False):
        shell.set(name, field)


def _variables(words: list[str]) -> list[str]:
    return [word for word in words if re.fullmatch(r"[A-Za-z_]\w*(\[[^\]]*\])?", word)]


def mapfile(interpreter: Interpreter, command: Command) -> CommandResult:
    """Read all lines into an array."""
    options = split_options(command.arguments, _MAPFILE)
    names = _variables(options.operands) or ["MAPFILE"]
    stdin = interpreter.shell.stdin or []
    if {"d", "O", "u", "C", "c"} & options.names or interpreter.shell.stdin is None:
        mark = interpreter.world.mark(f"what {command.text} reads")
        interpreter.shell.fill(names[0], {"0": mark})
        return CommandResult(None)
    skipped, count = options.value("s"), options.value("n")
    del stdin[: int(skipped) if skipped.isdigit() else 0]
    taken = stdin[: int(count)] if count.isdigit() and int(count) else stdin[:]
    del stdin[: len(taken)]
    end = "" if "t" in options else "\n"
    items = {str(at): line + end for at, line in enumerate(taken)}
    interpreter.shell.fill(names[0], items)
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
