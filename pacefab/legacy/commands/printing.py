"""echo and printf."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pacefab.legacy.bash.budget import bounded
from pacefab.legacy.bash.command import Command
from pacefab.legacy.bash.interpreter import Interpreter
from pacefab.legacy.bash.splitting import ansi
from pacefab.legacy.model import CommandResult
from pacefab.legacy.unknown import is_known

_HOLE = re.compile(
    r"%(?P<flags>[-+ 0#]*)(?P<width>\d{0,3}|\*)(?P<exact>\.\d{1,2})?(?P<kind>[sdiouxXcbq%])"
)
_ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", "e": "\033", "r": "\r", "a": "\a", "c": ""}
_NUMBER = re.compile(r"\s*[+-]?(0[xX][0-9a-fA-F]+|\d+)")
_SAFE = re.compile(r"[\w./:=@%+,^-]+")


class _UnclearError(ValueError):
    """What printf makes of a value is not known here."""


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
    """Print words in a form."""
    words = command.arguments
    if words[:1] == ["-v"] and len(words) > 2:  # noqa: PLR2004  # -v NAME FORMAT
        answer = printf(interpreter, Command(["printf", *words[2:]], command.place))
        interpreter.shell.set(words[1], answer.output)
        return CommandResult()
    words = words[1:] if words[:1] == ["--"] else words
    if not words:
        return CommandResult(1)
    try:
        return CommandResult(0, bounded(_printed(words[0], words[1:])))
    except _UnclearError:
        return CommandResult(0, interpreter.world.mark("what printf makes of its format"))


def _printed(form: str, values: list[str]) -> str:
    """Return a form with values in it, as often as there are values.

    Raises:
        _UnclearError: it has a part that is not known here.
    """
    form = ansi(form.replace("\\'", "'"))
    if "%" in _HOLE.sub("", form):
        raise _UnclearError(form)
    holes = sum((hole["kind"] != "%") + (hole["width"] == "*") for hole in _HOLE.finditer(form))
    parts: list[str] = []
    while True:
        waiting = iter(values[:holes])
        parts.append(_HOLE.sub(lambda hole: _filled(hole, waiting), form))  # noqa: B023
        values = values[holes:]
        if not values or not holes:
            return "".join(parts)


def _filled(hole: re.Match[str], waiting: Iterator[str]) -> str:
    """Return a value in the way that a hole asks for."""
    kind, flags, width, exact = hole["kind"], hole["flags"], hole["width"], hole["exact"] or ""
    if kind == "%":
        return "%"
    if width == "*":
        width = next(waiting, "0")
        if not width.isdigit():
            raise _UnclearError(width)
    value = next(waiting, "")
    if not is_known(value) and (width or exact or kind not in "sd"):
        raise _UnclearError(value)
    if kind in "diouxX" and is_known(value):
        flags = flags if int(width or 0) else flags.replace("0", "").replace("-", "")
        return f"%{flags}{width}{exact}{'d' if kind in 'iu' else kind}" % _whole(value, kind)
    if kind == "b":
        value = ansi(value)
    elif kind == "q":
        value = _quoted(value)
    elif kind == "c":
        if not value:
            raise _UnclearError(value)
        value = value[0]
    return f"%{flags.replace('0', '').replace('+', '')}{width}{exact}s" % value


def _whole(value: str, kind: str) -> int:
    """Return the number that a text begins with; 0 of none, as printf has it."""
    if value[:1] in {"'", '"'}:
        raise _UnclearError(value)
    found = _NUMBER.match(value)
    if not found:
        return 0
    digits = found[0].strip()
    bare = digits.lstrip("+-")
    base = 16 if bare[:2].lower() == "0x" else 8 if len(bare) > 1 and bare[0] == "0" else 10
    if base == 8 and re.search("[89]", bare):  # noqa: PLR2004
        raise _UnclearError(value)
    number = int(digits, base)
    if number < 0 and kind in "ouxX":
        raise _UnclearError(value)
    return number


def _quoted(value: str) -> str:
    if not value:
        return "''"
    if not _SAFE.fullmatch(value):
        raise _UnclearError(value)
    return value
