"""echo and printf."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.model import CommandResult

_HOLE = re.compile(r"%-?\d{0,3}[sdq]")
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "e": "\033", "r": "\r", "a": "\a", "c": ""}


def echo(_interpreter: Interpreter, command: Command) -> CommandResult:
    """Print words."""
    words = command.arguments
    flags = ""
    while words and re.fullmatch(r"-[neE]+", words[0]):
        flags += words[0]
        words = words[1:]
    text = " ".join(words)
    if "e" in flags:
        text = _unescaped(text)
    return CommandResult(0, text if "n" in flags else text + "\n")


def _unescaped(text: str) -> str:
    text = re.sub(r"\\0?33", "\033", text)
    return re.sub(r"\\([ntrae\\c])", lambda found: _ESCAPES[found[1]], text)


def printf(interpreter: Interpreter, command: Command) -> CommandResult:
    """Print words in a form; of forms, %s, %d and %q with a width are known."""
    words = command.arguments
    if words[:1] == ["-v"] and len(words) > 2:  # noqa: PLR2004  # -v NAME FORMAT
        answer = printf(interpreter, Command(["printf", *words[2:]], command.place))
        interpreter.shell.set(words[1], answer.output)
        return CommandResult()
    if not words:
        return CommandResult(1)
    form, rest = _unescaped(words[0]), words[1:]
    holes = len(_HOLE.findall(form))
    if "%" in _HOLE.sub("", form).replace("%%", ""):
        return CommandResult(0, interpreter.world.mark("what printf makes of its format"))
    parts: list[str] = []
    while True:
        parts.append(_filled(form, [*rest[:holes], *[""] * holes]))
        rest = rest[holes:]
        if not rest or not holes:
            return CommandResult(0, "".join(parts))


def _filled(form: str, values: list[str]) -> str:
    waiting = iter(values)
    return re.sub(rf"{_HOLE.pattern}|%%", lambda one: _one_filled(one[0], waiting), form)


def _one_filled(hole: str, waiting: Iterator[str]) -> str:
    """Return a value in the width that %5s, %-5s or %02d ask for."""
    if hole == "%%":
        return "%"
    value, width = next(waiting), hole.strip("%-sdq")
    if not width:
        return value
    if hole[1] == "-":
        return value.ljust(int(width))
    return value.zfill(int(width)) if width[0] == "0" else value.rjust(int(width))
