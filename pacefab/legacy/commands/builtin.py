"""Commands that a shell has built in, as far as scripts of this kind use them."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.arithmetic import Arithmetic, UnclearError
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.conditions import test_words
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal, LoopSignal, ReturnSignal
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.commands.printing import echo, printf
from pacefab.legacy.model import CommandResult, Place
from pacefab.legacy.unknown import OPEN, is_known

_MOST_LEVELS = 9


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
    if any(re.fullmatch(r"-[a-z]*e[a-z]*|errexit", one) for one in words):
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


def _read(interpreter: Interpreter, command: Command) -> CommandResult:
    """Read a line into variables; at a terminal, what the operator types is unknown."""
    names = _operands(command.arguments)
    stdin = interpreter.shell.stdin
    if stdin is None:
        for name in names or ["REPLY"]:
            interpreter.shell.set(
                name, interpreter.world.mark(f"${name}, which the operator types in")
            )
        return CommandResult(None)
    if not stdin:
        for name in names:
            interpreter.shell.set(name, "")
        return CommandResult(1)
    line = stdin.pop(0)
    if OPEN in line and is_known(re.sub(f"{OPEN}.*", "", line)) and line.startswith(OPEN):
        for name in names or ["REPLY"]:
            interpreter.shell.set(name, line)
        return CommandResult(None)
    _put_fields(interpreter, names or ["REPLY"], line, command.arguments)
    return CommandResult(0)


def _put_fields(
    interpreter: Interpreter, names: list[str], line: str, arguments: list[str]
) -> None:
    if any(re.fullmatch(r"-[a-z]*a", one) for one in arguments):
        separator = interpreter.shell.variables.get("IFS", "").strip()[:1] or None
        words = line.split(separator)
        interpreter.shell.arrays[names[0]] = {str(at): word for at, word in enumerate(words)}
        return
    separator = interpreter.shell.variables.get("IFS", "").strip()[:1] or None
    fields = line.strip().split(separator, len(names) - 1)
    for name, field in zip(names, fields + [""] * len(names), strict=False):
        interpreter.shell.set(name, field)


def _operands(arguments: list[str]) -> list[str]:
    """Return the variables that `read` names, without its options and their values."""
    names: list[str] = []
    waiting = list(arguments)
    while waiting:
        one = waiting.pop(0)
        if one in {"-p", "-t", "-n", "-d", "-u", "-N", "-i"} and waiting:
            waiting.pop(0)
        elif re.fullmatch(r"[A-Za-z_]\w*", one):
            names.append(one)
    return names


def _mapfile(interpreter: Interpreter, command: Command) -> CommandResult:
    flags = {"-t"}  # of read it takes a value, here it does not
    names = _operands([one for one in command.arguments if one not in flags]) or ["MAPFILE"]
    stdin = interpreter.shell.stdin or []
    interpreter.shell.arrays[names[0]] = {str(at): line for at, line in enumerate(stdin)}
    stdin.clear()
    return CommandResult()


def _let(interpreter: Interpreter, command: Command) -> CommandResult:
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


def _expr(interpreter: Interpreter, command: Command) -> CommandResult:
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


def _test(interpreter: Interpreter, command: Command) -> CommandResult:
    words = [one for one in command.arguments if one != "]"]
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
    plain = not command.arguments or command.arguments[0] in {"-s", "-f", "--short", "--fqdn", "-n"}
    host = interpreter.shell.host
    if not plain or (not host and command.name == "hostname"):
        what = "the name of the host where it is started" if plain else command.text
        return CommandResult(0, interpreter.world.mark(what) + "\n")
    if command.name == "uname" and command.arguments[:1] != ["-n"]:
        return CommandResult(0, interpreter.world.mark(f"what {command.text} prints") + "\n")
    host = host.partition(".")[0] if "-s" in command.arguments else host
    return CommandResult(0, (host or interpreter.world.mark("the name of the host")) + "\n")


def _trap(interpreter: Interpreter, command: Command) -> CommandResult:
    """Remember what runs when the shell ends; what other signals run is not evaluated."""
    words = [one for one in command.arguments if one != "--"]
    if {"EXIT", "0"} & set(words[1:]):
        interpreter.shell.at_exit = (words[0], command.place_of(1))
    return CommandResult()


def which(_interpreter: Interpreter, command: Command) -> CommandResult:
    """Return where a program is (`which`, `command -v`): that it is there is not known, but pcs."""
    names = [one for one in command.arguments if not one.startswith("-")]
    if not is_known(*names):
        return CommandResult(None, "".join(names))
    there = names == ["pcs"]
    return CommandResult(0 if there else None, "".join(f"/usr/sbin/{name}\n" for name in names))


def _pwd(_interpreter: Interpreter, _command: Command) -> CommandResult:
    return CommandResult(0, "/root\n")


def _xargs(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run a command with the words that are piped in."""
    words = [word for line in interpreter.shell.stdin or [] for word in line.split()]
    count, place, at = len(words), "", 1
    while at < len(command.words) and command.words[at].startswith("-"):
        option = command.words[at]
        value = option[2:] or (command.words[at + 1] if at + 1 < len(command.words) else "")
        if option[:2] == "-n" and value.isdigit():
            count, at = int(value) or 1, at + (0 if option[2:] else 1)
        elif option[:2] == "-I":
            count, place, at = 1, value, at + (0 if option[2:] else 1)
        at += 1
    interpreter.shell.stdin = []
    parts: list[str] = []
    for first in range(0, len(words), max(count, 1)):
        chosen = words[first : first + max(count, 1)]
        base = command.words[at:] or ["echo"]
        whole = [one.replace(place, chosen[0]) for one in base] if place else [*base, *chosen]
        parts.append(interpreter.run(Command(whole, command.place)).output)
    return CommandResult(0, "".join(parts))


def piped_script(interpreter: Interpreter, otherwise: Place) -> Script | None:
    """Return what is piped into a shell as a script; None when nothing is."""
    stdin = interpreter.shell.stdin
    if not stdin:
        return None
    where = interpreter.shell.stdin_place or otherwise
    if where.line == 1:  # a whole file
        interpreter.world.started.add(where.file)
    return Script(where.file, ("\n".join(stdin) + "\n").encode(), where.line)


BUILTINS: dict[str, Callable[[Interpreter, Command], CommandResult]] = {
    ":": _well, "true": _well, "false": _badly, "echo": echo, "printf": printf, "exit": _exit,
    "return": _return, "break": _leave, "continue": _leave, "shift": _shift, "read": _read,
    "mapfile": _mapfile, "readarray": _mapfile, "let": _let, "expr": _expr, "test": _test,
    "[": _test, "eval": _eval, "source": _source, ".": _source, "hostname": _hostname,
    "uname": _hostname, "pwd": _pwd, "xargs": _xargs, "set": _set, "shopt": _well, "trap": _trap,
    "cd": _well, "pushd": _well, "popd": _well, "ulimit": _well, "umask": _well, "wait": _well,
    "which": which, "type": which,
    "sleep": _well, "alias": _well, "hash": _well, "clear": _well, "sync": _well,
}  # fmt: skip
