"""test, [ and [[: whether a condition holds; None where only the running host could tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pacefab.legacy.bash.patterns import UnsafeError, glob, matchable, regex
from pacefab.legacy.bash.syntax import Node
from pacefab.legacy.unknown import is_known

_NUMBERS: dict[str, Callable[[int, int], bool]] = {
    "-eq": lambda a, b: a == b,
    "-ne": lambda a, b: a != b,
    "-lt": lambda a, b: a < b,
    "-le": lambda a, b: a <= b,
    "-gt": lambda a, b: a > b,
    "-ge": lambda a, b: a >= b,
}
_OF_FILES = {"-e", "-f", "-d", "-r", "-w", "-x", "-s", "-L", "-h", "-b", "-c", "-S", "-p"}
_MOST_NESTED = 30

Truth = bool | None


def negated(value: Truth) -> Truth:
    """Return the opposite; of the unknown, the unknown."""
    return None if value is None else not value


def both(left: Truth, right: Truth) -> Truth:
    """Return `and`: false when one is, even where the other is unknown."""
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def either(left: Truth, right: Truth) -> Truth:
    """Return `or`."""
    return negated(both(negated(left), negated(right)))


def compare(left: str, operator: str, right: str) -> Truth:
    """Return what two texts and an operator make, as `[` sees them (no patterns)."""
    if not is_known(left, right):
        return None
    if operator in _NUMBERS:
        try:
            return _NUMBERS[operator](int(left.strip()[:30]), int(right.strip()[:30]))
        except ValueError:
            return False  # bash tells an error, and the condition fails
    if operator in {"=", "==", "!="}:
        return (left == right) == (operator != "!=")
    if operator in {"<", "\\<", ">", "\\>"}:
        return left < right if "<" in operator else left > right
    return None


def test_words(words: Sequence[str], exists: Callable[[str], Truth]) -> Truth:
    """Return what `test` makes of its words; `exists` tells of a file whether it is there."""
    if len(words) > _MOST_NESTED:
        return None
    return _Test(list(words), exists).value()


class _Test:
    """`test`'s own little grammar: -o, -a, !, one and two operands."""

    def __init__(self, words: list[str], exists: Callable[[str], Truth]) -> None:
        self._words = words
        self._exists = exists

    def value(self) -> Truth:
        for operator, join in (("-o", either), ("-a", both)):
            if operator in self._words[1:-1]:
                at = self._words.index(operator, 1)
                left, right = self._words[:at], self._words[at + 1 :]
                return join(_Test(left, self._exists).value(), _Test(right, self._exists).value())
        return self._simple(self._words)

    def _simple(self, words: list[str]) -> Truth:
        if words[:1] == ["!"] and len(words) > 1:
            return negated(self._simple(words[1:]))
        if len(words) == 0:
            return False
        if len(words) == 1:
            return bool(words[0]) if is_known(words[0]) else None
        if len(words) == 2:  # noqa: PLR2004  # an operator and its operand
            return unary(words[0], words[1], self._exists)
        if len(words) == 3:  # noqa: PLR2004  # two operands around an operator
            return compare(words[0], words[1], words[2])
        return None


def unary(operator: str, operand: str, exists: Callable[[str], Truth]) -> Truth:
    """Return what -n, -z and the questions about files make of one operand."""
    if not is_known(operand):
        return None
    if operator in {"-n", "-z"}:
        return bool(operand) == (operator == "-n")
    if operator == "-v":
        return None
    return exists(operand) if operator in _OF_FILES else None


class Double:
    """[[ … ]]: evaluated on the syntax tree, since its words are neither split nor ended.

    Args:
        text: a node -> its expanded text.
        pattern: a node -> the pattern that it is.
        exists: a path -> whether a file is there.
    """

    def __init__(
        self,
        text: Callable[[Node], str],
        pattern: Callable[[Node], str],
        exists: Callable[[str], Truth],
    ) -> None:
        self._text = text
        self._pattern = pattern
        self._exists = exists

    def value(self, node: Node, depth: int = 0) -> Truth:
        """Return what an expression makes."""
        if depth > _MOST_NESTED:
            return None
        children = node.children
        kind = node.type
        if kind == "parenthesized_expression":
            return self.value(node.named_children[0], depth + 1) if node.named_children else None
        if kind == "unary_expression":
            return self._unary(node, depth)
        if kind == "binary_expression" and len(children) == 3:  # noqa: PLR2004
            return self._binary(node, depth)
        if kind == "negation_expression" and node.named_children:
            return negated(self.value(node.named_children[-1], depth + 1))
        text = self._text(node)
        return bool(text) if is_known(text) else None

    def _unary(self, node: Node, depth: int) -> Truth:
        operator = (node.children[0].text or b"").decode(errors="replace")
        operand = node.children[-1]
        if operator == "!":
            return negated(self.value(operand, depth + 1))
        return unary(operator, self._text(operand), self._exists)

    def _binary(self, node: Node, depth: int) -> Truth:
        left, middle, right = node.children
        operator = (middle.text or b"").decode(errors="replace")
        if operator in {"&&", "||"}:
            join = both if operator == "&&" else either
            return join(self.value(left, depth + 1), self.value(right, depth + 1))
        if operator in {"=", "==", "!="}:
            return self._matches(self._text(left), operator, right)
        if operator == "=~":
            return self._found(self._text(left), self._text(right))
        return compare(self._text(left), operator, self._text(right))

    def _matches(self, left: str, operator: str, right: Node) -> Truth:
        pattern = self._pattern(right)
        if not is_known(left, pattern):
            return None
        try:
            found = bool(glob(pattern).match(matchable(left)))
        except UnsafeError:
            return None
        return found == (operator != "!=")

    def _found(self, left: str, right: str) -> Truth:
        if not is_known(left, right):
            return None
        try:
            return bool(regex(re.sub(r"\\\s", " ", right), extended=True).search(matchable(left)))
        except UnsafeError:
            return None
