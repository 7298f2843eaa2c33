"""Commands that a shell has built in, as far as scripts of this kind use them."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.arithmetic import Arithmetic, UnclearError
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.conditions import test_words
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.shell import ExitSignal, LoopSignal, ReturnSignal, Shell
from pacefab.legacy.bash.syntax import Script
from pacefab.legacy.commands.printing import echo, printf
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import Options, Syntax, split_options
from pacefab.legacy.unknown import OPEN, is_known

_MOST_LEVELS = 9
_READ = Syntax("p t n d u N i a")
_MAPFILE = Syntax("d n O s u C c")
_HOSTNAME = Syntax(long={"short": "s", "fqdn": "f", "long": "f", "nodename": "n"})
_XARGS = Syntax(
    "n I L P s d a E",
    attached="i",
    long={
        "max-args": "n", "replace": "i", "max-lines": "L", "max-procs": "P", "null": "0",
        "delimiter": "d", "arg-file": "a",
    },
)  # fmt: skip


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


def _mapfile(interpreter: Interpreter, command: Command) -> CommandResult:
    names = _variables(split_options(command.arguments, _MAPFILE).operands) or ["MAPFILE"]
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
    options = split_options(command.arguments, _HOSTNAME)
    mark, host = interpreter.world.mark, interpreter.shell.host
    asked = {"n"} if command.name == "uname" else options.names & {"s", "f"}
    if options.names != asked or options.operands:
        return CommandResult(0, mark(f"what {command.text} prints") + "\n")
    if not host:
        return CommandResult(0, mark("the name of the host where it is started") + "\n")
    return CommandResult(0, (host.partition(".")[0] if "s" in options else host) + "\n")


def _trap(interpreter: Interpreter, command: Command) -> CommandResult:
    """Remember what runs when the shell ends; what other signals run is not evaluated."""
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


def _xargs(interpreter: Interpreter, command: Command) -> CommandResult:
    """Run a command with the words that are piped in."""
    options = split_options(command.arguments, _XARGS)
    if {"0", "d", "a", "E"} & options.names:
        return _unknown_words(interpreter, command)
    base = command.arguments[options.first :] or ["echo"]
    batches = _batches(interpreter.shell.stdin or [], options)
    interpreter.shell.stdin = []
    place = (options.value("i") or "{}") if "i" in options else options.value("I")
    parts: list[str] = []
    for words in batches:
        whole = [word.replace(place, words[0]) for word in base] if place else [*base, *words]
        parts.append(interpreter.run(Command(whole, command.place)).output)
    return CommandResult(0, "".join(parts))


def _batches(stdin: list[str], options: Options) -> list[list[str]]:
    """Return the words that each run of the command is given."""
    if options.names & {"I", "i"}:
        return [[line.strip()] for line in stdin if line.strip()]
    filled = [line.split() for line in stdin if line.strip()]
    size = options.value("L") or options.value("n")
    count = int(size) if size.isascii() and size.isdigit() else 0
    units = filled if "L" in options else [[word] for words in filled for word in words]
    groups = [units[at : at + count] for at in range(0, len(units), count)] if count else [units]
    return [[word for unit in group for word in unit] for group in groups if group]


def _unknown_words(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note a pcs command that is given words in a way that is not evaluated."""
    if "pcs" in command.words:
        interpreter.world.handed_on(command, command.words.index("pcs"))
    return CommandResult(None, interpreter.world.mark(f"what {command.text} prints"))


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
