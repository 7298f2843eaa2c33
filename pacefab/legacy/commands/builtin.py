"""Commands that a shell has built in, as far as scripts of this kind use them."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.conditions import test_words
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal, LoopSignal, ReturnSignal
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.commands.printing import echo, printf
from pacefab.legacy.commands.variables import expr, let, mapfile, read
from pacefab.legacy.commands.xargs import xargs
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import Syntax, split_options
from pacefab.legacy.unknown import is_known

_MOST_LEVELS = 9
_HOSTNAME = Syntax(long={"short": "s", "fqdn": "f", "long": "f", "nodename": "n"})


def _well(_interpreter: Interpreter, _command: Command) -> CommandResult:
    return CommandResult()


def _badly(_interpreter: Interpreter, _command: Command) -> CommandResult:
    return CommandResult(1)


def _number(command: Command, otherwise: int | None) -> int | None:
    word = command.arguments[0] if command.arguments else ""
    if not word:
        return otherwise
    return (
        int(word) & 255 if word.isascii() and word.isdigit() and len(word) < _MOST_LEVELS else None
    )


def _exit(interpreter: Interpreter, command: Command) -> CommandResult:
    raise ExitSignal(_number(command, interpreter.shell.status))


def _return(interpreter: Interpreter, command: Command) -> CommandResult:
    raise ReturnSignal(_number(command, interpreter.shell.status))


def _leave(_interpreter: Interpreter, command: Command) -> CommandResult:
    raise LoopSignal(command.name, max(1, min(_number(command, 1) or 1, _MOST_LEVELS)))


def _set(interpreter: Interpreter, command: Command) -> CommandResult:
    """Do `set -- WORDS`; options of the shell change nothing here."""
    words = command.arguments
    if any(re.fullmatch(r"-[a-z]*e[a-z]*|errexit", word) for word in words):
        interpreter.world.assume(
            "nothing fails: with set -e the script would end at the first failure", command.place
        )
    if "--" in words or (words and not words[0].startswith(("-", "+"))):
        interpreter.shell.arguments = words[words.index("--") + 1 :] if "--" in words else words
        interpreter.shell.by_hand = False
    return CommandResult()


def _shift(interpreter: Interpreter, command: Command) -> CommandResult:
    del interpreter.shell.arguments[: _number(command, 1) or 0]
    return CommandResult()


def _test(interpreter: Interpreter, command: Command) -> CommandResult:
    words = [word for word in command.arguments if word != "]"]
    value = test_words(words, interpreter.world.files.exists)
    return CommandResult(None if value is None else int(not value))


def _eval(interpreter: Interpreter, command: Command) -> CommandResult:
    text = " ".join(command.arguments)
    place = command.place_of(1)
    return interpreter.source(Script(place.file, text.encode(), place.line))


def _source(interpreter: Interpreter, command: Command) -> CommandResult:
    if not command.arguments:
        return CommandResult(1)
    path = command.arguments[0]
    found = interpreter.world.files.read(path)
    if found is None:
        interpreter.shell.foreign = interpreter.world.unknowns.show(path)
        return CommandResult()
    interpreter.world.started.add(found.place.file)
    arguments = interpreter.shell.arguments
    interpreter.shell.arguments = command.arguments[1:] or arguments
    try:
        return interpreter.source(Script(found.place.file, found.text.encode(), found.place.line))
    finally:
        interpreter.shell.arguments = arguments


def _hostname(interpreter: Interpreter, command: Command) -> CommandResult:
    options = split_options(command.arguments, _HOSTNAME)
    mark, host = interpreter.world.mark, interpreter.shell.host
    asked = {"n"} if command.name == "uname" else options.names & {"s", "f"}
    if options.names != asked or options.operands:
        return CommandResult(0, mark(f"what {command.text} prints") + "\n")
    if not host:
        return CommandResult(0, mark("the name of the host where it is started") + "\n")
    return CommandResult(0, (host.partition(".")[0] if "s" in options else host) + "\n")


def _trap(interpreter: Interpreter, command: Command) -> CommandResult:
    """Remember what runs when the shell ends; traps of other signals are not evaluated."""
    options = split_options(command.arguments, Syntax())
    if {"EXIT", "0"} & set(options.operands[1:]):
        place = command.place_of(1 + options.first)
        action = options.operands[0]
        interpreter.shell.at_exit = None if action == "-" else (action, place)
    return CommandResult()


def which(_interpreter: Interpreter, command: Command) -> CommandResult:
    """Return where a program is (`which`, `command -v`): known only of pcs."""
    names = split_options(command.arguments, Syntax(mixed=True)).operands
    if not is_known(*names):
        return CommandResult(None, "".join(names))
    there = names == ["pcs"]
    return CommandResult(0 if there else None, "".join(f"/usr/sbin/{name}\n" for name in names))


def _pwd(_interpreter: Interpreter, _command: Command) -> CommandResult:
    return CommandResult(0, "/root\n")


BUILTINS: dict[str, Callable[[Interpreter, Command], CommandResult]] = {
    ":": _well, "true": _well, "false": _badly, "echo": echo, "printf": printf, "exit": _exit,
    "return": _return, "break": _leave, "continue": _leave, "shift": _shift, "read": read,
    "mapfile": mapfile, "readarray": mapfile, "let": let, "expr": expr, "test": _test,
    "[": _test, "eval": _eval, "source": _source, ".": _source, "hostname": _hostname,
    "uname": _hostname, "pwd": _pwd, "xargs": xargs, "set": _set, "shopt": _well, "trap": _trap,
    "cd": _well, "pushd": _well, "popd": _well, "ulimit": _well, "umask": _well, "wait": _well,
    "which": which, "type": which,
    "sleep": _well, "alias": _well, "hash": _well, "clear": _well, "sync": _well,
}  # fmt: skip
