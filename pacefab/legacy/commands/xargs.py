"""xargs: a command that is run with the words that are piped in."""

from __future__ import annotations

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import SplitOptions, Syntax, split_options

_XARGS = Syntax(
    "n I L P s d a E",
    attached="i",
    long={
        "max-args": "n", "replace": "i", "max-lines": "L", "max-procs": "P", "null": "0",
        "delimiter": "d", "arg-file": "a",
    },
)  # fmt: skip


def xargs(interpreter: Interpreter, command: Command) -> CommandResult:
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


def _batches(stdin: list[str], options: SplitOptions) -> list[list[str]]:
    """Return the words that each run of the command is given."""
    filled = [line.strip() for line in stdin if line.strip()]
    if options.names & {"I", "i"}:
        return [[line] for line in filled]
    if "L" in options:
        return [" ".join(lines).split() for lines in _chunks(filled, options.value("L"))]
    words = [word for line in filled for word in line.split()]
    return _chunks(words, options.value("n"))


def _chunks(items: list[str], size: str) -> list[list[str]]:
    """Return the items in groups of a size; in one group when that is no number."""
    count = int(size) if size.isascii() and size.isdigit() else 0
    count = count or max(len(items), 1)
    return [items[at : at + count] for at in range(0, len(items), count)]


def _unknown_words(interpreter: Interpreter, command: Command) -> CommandResult:
    """Note a command of the cluster that is given words in a way that is not evaluated."""
    given = next((at for at, word in enumerate(command.words) if word in {"pcs", "crm"}), None)
    if given is not None:
        interpreter.world.handed_on(command, given)
    return CommandResult(None, interpreter.world.mark(f"what {command.text} prints"))
