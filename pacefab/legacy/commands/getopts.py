"""getopts: the options of a script or a function, one a call."""

from __future__ import annotations

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.model import CommandResult
from pacefab.legacy.questions import Question, Unsaid
from pacefab.legacy.unknown import is_known

_LEAST = 2  # words: the letters and a name


def getopts(interpreter: Interpreter, command: Command) -> CommandResult:
    """Put the next option into a variable and its value into OPTARG; status 1: there is none."""
    if len(command.arguments) < _LEAST:
        return CommandResult(1)
    shell = interpreter.shell
    letters, name, *words = command.arguments
    by_hand = shell.by_hand and not shell.arguments and not words
    if by_hand:  # as everywhere: a script that an operator starts has no arguments
        interpreter.world.consulted["$1"] = None
        interpreter.world.inquiry.ask(Question(Unsaid.ARGUMENT, shell.name, "0"), command.place)
        interpreter.world.assume(f"{shell.name} is started without options", command.place)
        return CommandResult(1)
    words = words or shell.arguments
    at = shell.variables.get("OPTIND", "1")
    if not is_known(letters, at, *words) or not at.isdigit():
        mark = interpreter.world.mark("an option, which is not known")
        shell.set(name, mark)
        shell.set("OPTARG", mark)
        shell.set("OPTIND", mark)
        return CommandResult(None)
    return _OptionReader(interpreter, letters, name, words).next(int(at))


class _OptionReader:
    """Reads one option of some words."""

    def __init__(self, interpreter: Interpreter, letters: str, name: str, words: list[str]) -> None:
        self._shell = interpreter.shell
        self._silent = letters.startswith(":")
        self._letters = letters.removeprefix(":")
        self._name = name
        self._words = words

    def next(self, at: int) -> CommandResult:
        """Read the option at the word with this number, from 1."""
        word = self._words[at - 1] if 0 < at <= len(self._words) else ""
        inside = self._shell.option_at or 1
        if inside == 1 and (len(word) < _LEAST or word[0] != "-" or word == "--"):
            return self._end(at + (word == "--"))
        letter, rest = word[inside : inside + 1], word[inside + 1 :]
        known = letter != ":" and letter in self._letters
        takes = known and self._letters[self._letters.index(letter) + 1 :][:1] == ":"
        if takes:
            return self._with_value(at, letter, rest)
        self._shell.option_at = inside + 1 if rest else 0
        self._shell.set("OPTIND", str(at if rest else at + 1))
        return self._found(letter, None) if known else self._bad("?", letter)

    def _with_value(self, at: int, letter: str, rest: str) -> CommandResult:
        self._shell.option_at = 0
        if rest:
            self._shell.set("OPTIND", str(at + 1))
            return self._found(letter, rest)
        self._shell.set("OPTIND", str(at + 2))
        if at >= len(self._words):
            self._shell.set("OPTIND", str(at + 1))
            return self._bad(":" if self._silent else "?", letter)
        return self._found(letter, self._words[at])

    def _found(self, letter: str, value: str | None) -> CommandResult:
        self._shell.set(self._name, letter)
        if value is None:
            self._shell.unset("OPTARG")
        else:
            self._shell.set("OPTARG", value)
        return CommandResult(0)

    def _bad(self, sign: str, letter: str) -> CommandResult:
        self._shell.set(self._name, sign)
        if self._silent:
            self._shell.set("OPTARG", letter)
        else:
            self._shell.unset("OPTARG")
        return CommandResult(0)

    def _end(self, at: int) -> CommandResult:
        self._shell.option_at = 0
        self._shell.set("OPTIND", str(at))
        self._shell.set(self._name, "?")
        return CommandResult(1)
