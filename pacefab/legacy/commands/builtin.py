"""Commands that a shell has built in, as far as scripts of this kind use them."""

from __future__ import annotations

import re
from collections.abc import Callable
from posixpath import normpath

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.conditions import test_words
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal, LoopSignal, ReturnSignal
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.commands.getopts import getopts
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
    for word, following in zip(words, [*words[1:], ""], strict=False):
        _switch(interpreter, word, following)
    if "--" in words or (words and not words[0].startswith(("-", "+"))):
        interpreter.shell.arguments = words[words.index("--") + 1 :] if "--" in words else words
        interpreter.shell.by_hand = False
    return CommandResult()


def _switch(interpreter: Interpreter, word: str, following: str) -> None:
    """Note the options that count here: -a and -f, by letter or by name."""
    letters = {"a": "allexport", "f": "noglob"}
    found = {letters[letter] for letter in word[1:] if letter in letters and word[1] != "-"}
    found = {following} if word[1:] == "o" else found
    if word[:1] == "-":
        interpreter.shell.options |= found
    elif word[:1] == "+":
        interpreter.shell.options -= found


def _shopt(interpreter: Interpreter, command: Command) -> CommandResult:
    """Set or unset options of the shell; queries have an unknown answer."""
    words = command.arguments
    names = {word for word in words if not word.startswith("-")}
    if "-s" in words:
        interpreter.shell.options |= names
    elif "-u" in words:
        interpreter.shell.options -= names
    else:
        return CommandResult(None, interpreter.world.mark(f"what {command.text} prints"))
    return CommandResult()


def _shift(interpreter: Interpreter, command: Command) -> CommandResult:
    shell, count = interpreter.shell, _number(command, 1) or 0
    shell.shifted += count if shell.by_hand else 0
    del shell.arguments[:count]
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
    found = interpreter.file(path)
    if found is None:
        interpreter.shell.foreign = interpreter.world.unknowns.show(path)
        return CommandResult()
    interpreter.world.started.add(found.place.file)
    arguments = interpreter.shell.arguments
    by_hand = interpreter.shell.by_hand
    interpreter.shell.arguments = command.arguments[1:] or arguments
    interpreter.shell.by_hand = by_hand and not command.arguments[1:]
    try:
        return interpreter.source(Script(found.place.file, found.text.encode(), found.place.line))
    finally:
        interpreter.shell.arguments, interpreter.shell.by_hand = arguments, by_hand


def _hostname(interpreter: Interpreter, command: Command) -> CommandResult:
    options = split_options(command.arguments, _HOSTNAME)
    mark, host = interpreter.world.mark, interpreter.shell.host
    if command.name == "uname" and options.names <= {"s"}:
        return CommandResult(0, "Linux\n")  # Pacemaker's scripts run nowhere else
    asked = {"n"} if command.name == "uname" else options.names & {"s", "f"}
    if options.names != asked or options.operands:
        return CommandResult(0, mark(f"what {command.text} prints") + "\n")
    if not host:
        return CommandResult(0, interpreter.world.ask_host() + "\n")
    return CommandResult(0, (host.partition(".")[0] if "s" in options else host) + "\n")


def _trap(interpreter: Interpreter, command: Command) -> CommandResult:
    """Remember what runs when the shell ends; traps of other signals are not evaluated."""
    options = split_options(command.arguments, Syntax())
    if {"EXIT", "0"} & set(options.operands[1:]):
        place = command.place_of(1 + options.first)
        action = options.operands[0]
        interpreter.shell.at_exit = None if action == "-" else (action, place)
    return CommandResult()


def which(interpreter: Interpreter, command: Command) -> CommandResult:
    """Return where a program is (`which`, `command -v`): known only of pcs."""
    if command.name == "type" and "t" in split_options(command.arguments, Syntax()):
        return CommandResult(None, interpreter.world.mark(f"what {command.text} prints"))
    names = split_options(command.arguments, Syntax(mixed=True)).operands
    if not is_known(*names):
        return CommandResult(None, "".join(names))
    there = names == ["pcs"]
    return CommandResult(0 if there else None, "".join(f"/usr/sbin/{name}\n" for name in names))


def _alias(interpreter: Interpreter, command: Command) -> CommandResult:
    """Remember aliases; a script uses them when `shopt -s expand_aliases` is set."""
    for word in command.arguments:
        name, equals, text = word.partition("=")
        if equals:
            interpreter.shell.aliases[name] = text
    return CommandResult()


def _unalias(interpreter: Interpreter, command: Command) -> CommandResult:
    for word in command.arguments:
        interpreter.shell.aliases.pop(word, None)
    return CommandResult()


def _pwd(interpreter: Interpreter, _command: Command) -> CommandResult:
    return CommandResult(0, interpreter.words.value("PWD") + "\n")


def _cd(interpreter: Interpreter, command: Command) -> CommandResult:
    """Go to a folder: an absolute one, or one of the tree as it is from the script's."""
    words = [word for word in command.arguments if not re.match(r"-.", word)]
    path = words[0] if words else interpreter.words.value("HOME")
    path = interpreter.words.value("OLDPWD") if path == "-" else path
    shell, world = interpreter.shell, interpreter.world
    here = interpreter.words.value("PWD")
    shell.variables["OLDPWD"] = here
    within = _folder(interpreter, path)
    if not is_known(path) or path.startswith("/"):
        shell.variables["PWD"] = path
    elif within:
        shell.variables["PWD"] = within
    elif normpath(path) != ".":
        known = is_known(here)
        shell.variables["PWD"] = normpath(f"{here}/{path}") if known else world.mark(f"cd {path}")
    return CommandResult()


def _folder(interpreter: Interpreter, path: str) -> str:
    """Return the folder of the tree that a relative path means; empty when there is none."""
    here = interpreter.shell.folder
    for base in filter(None, (here, interpreter.script.file.rpartition("/")[0], ".")):
        found = normpath(f"{base}/{path}")
        if any(file.startswith(f"{found}/") for file in interpreter.world.tree.files):
            return found
        if found == "." != base:
            return found
    return ""


BUILTINS: dict[str, Callable[[Interpreter, Command], CommandResult]] = {
    ":": _well, "true": _well, "false": _badly, "echo": echo, "printf": printf, "exit": _exit,
    "return": _return, "break": _leave, "continue": _leave, "shift": _shift, "read": read,
    "mapfile": mapfile, "readarray": mapfile, "let": let, "expr": expr, "test": _test,
    "[": _test, "eval": _eval, "source": _source, ".": _source, "hostname": _hostname,
    "uname": _hostname, "pwd": _pwd, "xargs": xargs, "set": _set, "shopt": _shopt,
    "getopts": getopts, "trap": _trap,
    "cd": _cd, "pushd": _well, "popd": _well, "ulimit": _well, "umask": _well, "wait": _well,
    "which": which, "type": which,
    "sleep": _well, "alias": _alias, "unalias": _unalias, "hash": _well, "clear": _well,
    "sync": _well,
}  # fmt: skip
