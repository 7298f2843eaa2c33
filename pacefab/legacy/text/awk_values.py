"""Values of awk: fields, numbers and texts, comparisons and functions."""

from __future__ import annotations

import re
from collections.abc import Callable

from pacefab.legacy.bash.patterns import regex
from pacefab.legacy.text.awk_syntax import AwkError


def split_fields(line: str, separator: str) -> list[str]:
    """Return a line's fields as awk splits them: by blanks, by a character, or by a pattern."""
    if separator == " ":
        return line.split()
    if not line:
        return []
    if len(separator) == 1:
        return line.split(separator)
    pattern = regex(separator, extended=True)
    if pattern.groups:
        raise AwkError("a separator with groups")
    return pattern.split(line)


def looks_like_number(text: str) -> bool:
    """Return whether awk compares a text as a number."""
    return bool(re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)\s*", text))


def number_of(text: str) -> float:
    """Return what awk takes a text for where it needs a number: 0 when it begins with none."""
    found = re.match(r"\s*[-+]?(\d{1,15}\.?\d*|\.\d+)", text)
    return float(found[0]) if found else 0.0


def shown(value: float) -> str:
    """Return a number as awk prints it."""
    return str(int(value)) if value == int(value) else f"{value:g}"


def combined(operator: str, left: str, right: str) -> str:
    """Return what a binary operator makes of two values."""
    if operator == "join":
        return left + right
    numbers = looks_like_number(left) and looks_like_number(right)
    if operator in _COMPARISONS:
        if not left or not right:
            numbers = False
        first: tuple[float, str] = (number_of(left), "") if numbers else (0.0, left)
        second: tuple[float, str] = (number_of(right), "") if numbers else (0.0, right)
        return str(int(_COMPARISONS[operator](first, second)))
    return shown(_ARITHMETIC[operator](number_of(left), number_of(right)))


_COMPARISONS: dict[str, Callable[[tuple[float, str], tuple[float, str]], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
}


def _part(values: list[str]) -> str:
    first = int(number_of(values[1]))
    end = first + int(number_of(values[2])) if len(values) > 2 else len(values[0]) + 1  # noqa: PLR2004
    return values[0][max(first, 1) - 1 : max(end, 1) - 1]


FUNCTIONS: dict[str, Callable[[list[str]], str]] = {
    "length": lambda values: str(len(values[0])),
    "substr": _part,
    "index": lambda values: str(values[0].find(values[1]) + 1),
    "tolower": lambda values: values[0].lower(),
    "toupper": lambda values: values[0].upper(),
}
