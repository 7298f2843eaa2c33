"""Arithmetic of the shell, and of awk's counters: a text and its variables -> a whole number."""

from __future__ import annotations

import re
from collections.abc import Callable

_TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|\d+#[0-9A-Za-z]+|\d+|[A-Za-z_]\w*(?:\[[^\]]*\])?|\$\w+"
    r"|\*\*|\+\+|--|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%]=|[-+*/%<>=!~&^|?:(),])"
)
_LEVELS = (
    ("||",), ("&&",), ("|",), ("^",), ("&",), ("==", "!="), ("<=", ">=", "<", ">"),
    ("<<", ">>"), ("+", "-"), ("*", "/", "%"), ("**",),
)  # fmt: skip
_ASSIGNMENTS = {"=", "+=", "-=", "*=", "/=", "%="}
_MOST_TOKENS = 500
_MOST_NESTED = 10  # variables whose text is an expression with variables
_BITS = 64


class UnclearError(ValueError):
    """The expression cannot be evaluated: it is no arithmetic, or it has an unknown part."""


class Arithmetic:
    """One evaluation, by precedence climbing.

    Args:
        text: the expression, with parameters already expanded.
        get: a variable's name (or NAME[INDEX]) -> its text; it raises UnclearError for an unknown.
        put: what an assignment calls.
    """

    def __init__(
        self, text: str, get: Callable[[str], str], put: Callable[[str, str], None], depth: int = 0
    ) -> None:
        self._depth = depth
        self._tokens = _tokens(text)
        self._at = 0
        self._get = get
        self._put = put

    def value(self) -> int:
        """Return the value; of an empty expression, 0.

        Raises:
            UnclearError: it cannot be evaluated.
        """
        if not self._tokens:
            return 0
        value = self._assignment()
        while self._take(","):
            value = self._assignment()
        if self._at < len(self._tokens):
            raise UnclearError(f"{self._tokens[self._at]} was not expected")
        return value

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at] if at < len(self._tokens) else ""

    def _take(self, *desired: str) -> str:
        token = self._peek()
        if token and token in desired:
            self._at += 1
            return token
        return ""

    def _assignment(self) -> int:
        name, operator = self._peek(), self._peek(1)
        if _is_name(name) and operator in _ASSIGNMENTS:
            self._at += 2
            value = self._assignment()
            if operator != "=":
                value = _apply(operator[0], self._read(name), value)
            self._put(name, str(value))
            return value
        return self._choice()

    def _choice(self) -> int:
        value = self._level(0)
        if not self._take("?"):
            return value
        first = self._assignment()
        if not self._take(":"):
            raise UnclearError("? without :")
        second = self._choice()
        return first if value else second

    def _level(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        value = self._level(level + 1)
        while operator := self._take(*_LEVELS[level]):
            # ** binds from the right.
            right = self._level(level if operator == "**" else level + 1)
            value = _apply(operator, value, right)
        return value

    def _unary(self) -> int:
        if operator := self._take("++", "--"):
            name = self._name()
            return self._change(name, 1 if operator == "++" else -1)
        if operator := self._take("-", "+", "!", "~"):
            value = self._unary()
            return {"-": -value, "+": value, "!": int(not value), "~": ~value}[operator]
        return self._primary()

    def _primary(self) -> int:
        if self._take("("):
            value = self._assignment()
            if not self._take(")"):
                raise UnclearError("( without )")
            return value
        if _is_name(self._peek()):
            name = self._name()
            value = self._read(name)
            if operator := self._take("++", "--"):
                self._change(name, 1 if operator == "++" else -1)
            return value
        token = self._peek()
        self._at += 1
        return _number(token)

    def _name(self) -> str:
        name = self._peek()
        if not _is_name(name):
            raise UnclearError(f"{name or 'the end'} is no variable")
        self._at += 1
        return name.removeprefix("$")

    def _change(self, name: str, by: int) -> int:
        value = self._read(name) + by
        self._put(name, str(value))
        return value

    def _read(self, name: str) -> int:
        text = self._get(name.removeprefix("$")).strip()
        if not text:
            return 0
        if re.fullmatch(r"-?\d\w*", text):
            return _number(text)
        if self._depth > _MOST_NESTED:
            raise UnclearError(f"{name} refers to itself")
        return Arithmetic(text, self._get, self._put, self._depth + 1).value()


def _tokens(text: str) -> list[str]:
    found: list[str] = []
    at = 0
    while at < len(text.rstrip()):
        token = _TOKEN.match(text, at)
        if not token or len(found) >= _MOST_TOKENS:
            raise UnclearError("no arithmetic, or too much of it")
        found.append(token[1])
        at = token.end()
    return found


def _is_name(token: str) -> bool:
    return bool(re.match(r"\$?[A-Za-z_]", token)) or bool(re.match(r"\$\d", token))


def _number(text: str) -> int:
    digits = text.removeprefix("-")
    if len(digits) > _BITS:
        raise UnclearError("a number of too many digits")
    try:
        if "#" in digits:
            base, _, number = digits.partition("#")
            if base[0] == "0":
                raise UnclearError(f"{base} is no base")
            return int(number, int(base)) * (-1 if text[0] == "-" else 1)
        if digits[:2].lower() == "0x":
            return int(text, 16)
        return int(text, 8) if len(digits) > 1 and digits[0] == "0" else int(text)
    except ValueError:
        raise UnclearError(f"{text!r} is no number") from None


def _apply(operator: str, left: int, right: int) -> int:
    if operator in "/%" and right == 0:
        raise UnclearError("a division by zero")
    if operator == "**":
        return _wrapped(pow(left, right, 1 << _BITS) if right >= 0 else 0)
    if operator in {"<<", ">>"}:
        right &= _BITS - 1
        return _wrapped(left << right if operator == "<<" else left >> right)
    return _wrapped(_SIMPLE[operator](left, right))


def _divide(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_SIMPLE: dict[str, Callable[[int, int], int]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": _divide,
    "%": lambda a, b: a - b * _divide(a, b),
    "<": lambda a, b: int(a < b),
    ">": lambda a, b: int(a > b),
    "<=": lambda a, b: int(a <= b),
    ">=": lambda a, b: int(a >= b),
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "&&": lambda a, b: int(bool(a and b)),
    "||": lambda a, b: int(bool(a or b)),
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
}


def _wrapped(value: int) -> int:
    """Return a value as a signed number of 64 bits, as the shell has them."""
    half = 1 << (_BITS - 1)
    return (value + half) % (1 << _BITS) - half
