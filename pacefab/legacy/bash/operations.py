"""What ${x OPERATOR} makes of a text: parts cut off, replaced, a slice, other letters."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from pacefab.legacy.bash.globs import glob, unescaped

_MOST_CUT = 800  # characters of a value that patterns are tried on
_MOST_REPLACED = 2000  # times in one value


def changed(value: str, operand: str) -> str:
    """Return a text with #, ##, %, %%, /, //, ^, ^^, , or ,, applied.

    Args:
        value: the text.
        operand: operator and pattern; what was quoted there has backslashes.

    Raises:
        UnsafeError, ValueError: the operator or the pattern is none that is known here.
    """
    if len(value) > _MOST_CUT:
        raise ValueError(value[:20])
    if operand[0] in "#%":
        longest = operand[:2] in {"##", "%%"}
        pattern = operand[2 if longest else 1 :]
        return _cut(value, pattern, longest=longest, front=operand[0] == "#")
    if operand[0] == "/":
        return _replaced(value, operand)
    if operand[0] in "^,":
        return _cased(value, operand)
    raise ValueError(operand)


def _cut(value: str, pattern: str, *, longest: bool, front: bool) -> str:
    """Remove what a pattern matches at one end."""
    compiled = glob(pattern)
    if front:
        ends = compiled.ends(value, 0)
        return value[(max if longest else min)(ends) :] if ends else value
    begins = range(len(value) + 1) if longest else range(len(value), -1, -1)
    at = next((at for at in begins if len(value) in compiled.ends(value, at)), len(value))
    return value[:at]


def _replaced(value: str, operand: str) -> str:
    """Apply /PATTERN/TEXT, //PATTERN/TEXT, /#PATTERN/TEXT or /%PATTERN/TEXT."""
    every = operand.startswith("//")
    rest = operand[2 if every else 1 :]
    anchor = rest[:1] if rest[:1] in {"#", "%"} and not every else ""
    pattern, text = _parted(rest[len(anchor) :])
    if re.search(r"(?<!\\)&", text):  # bash 5.2 puts the match there, older ones do not
        raise ValueError(operand)
    text = unescaped(text)
    if not anchor:
        return _everywhere(value, pattern, text, 0 if every else 1)
    compiled = glob(pattern)
    if anchor == "#":
        ends = compiled.ends(value, 0)
        return text + value[max(ends) :] if ends else value
    begins = (at for at in range(len(value) + 1) if len(value) in compiled.ends(value, at))
    at = next(begins, None)
    return value if at is None else value[:at] + text


def _parted(rest: str) -> tuple[str, str]:
    """Return pattern and text around the first / that no backslash keeps."""
    found = re.match(r"((?:\\.|\[[^\]]*\]|[^\\/])*)/?(.*)", rest, re.DOTALL)
    return (found[1], found[2]) if found else (rest, "")


def _everywhere(value: str, pattern: str, text: str, most: int) -> str:
    if not pattern:
        return value
    if not value:
        return text if glob(pattern).match("") else ""
    parts: list[str] = []
    at = 0
    for begin, end in _matches(value, pattern):
        parts += [value[at:begin], text]
        at = end
        if most and len(parts) >= 2 * most:
            break
    return "".join([*parts, value[at:]])


def _matches(value: str, pattern: str) -> Iterator[tuple[int, int]]:
    compiled, at = glob(pattern), 0
    for _ in range(_MOST_REPLACED):
        found = compiled.find(value, at)
        if found is None or found[1] == found[0]:
            return
        yield found
        at = found[1]
    raise ValueError(pattern)


def _cased(value: str, operand: str) -> str:
    """Apply ^, ^^, , and ,, with the pattern of the letters that they change."""
    change: Callable[[str], str] = str.upper if operand[0] == "^" else str.lower
    every = operand[:2] in {"^^", ",,"}
    pattern = operand[2 if every else 1 :]
    if pattern[:1] in {"^", ","}:
        raise ValueError(operand)
    fits = glob(pattern or "?")
    letters = [change(letter) if fits.match(letter) else letter for letter in value]
    return "".join(letters) if every else "".join([*letters[:1], value[1:]])


def sliced(values: list[str], operand: str, number: Callable[[str], int]) -> list[str]:
    """Return the part that :OFFSET:LENGTH names.

    Args:
        values: the characters of a text, or the elements of an array.
        operand: the offset and the length: arithmetic, which may have parentheses.
        number: evaluates them.

    Raises:
        ValueError: they are none, or the length is negative where it may not be.
    """
    offset, _, length = _offsets(operand)
    start = number(offset)
    start = start if start >= 0 else len(values) + start
    if start < 0:
        return []
    if not length and operand.count(":") == 1:
        return values[start:]
    count = number(length)
    if count < 0 and len(values) + count < start:
        raise ValueError(operand)  # bash reports an error and ends
    return values[start : start + count] if count >= 0 else values[start:count]


def _offsets(operand: str) -> tuple[str, str, str]:
    if "?" in operand or operand.count(":") > 2:  # noqa: PLR2004
        raise ValueError(operand)
    return operand[1:].partition(":")
