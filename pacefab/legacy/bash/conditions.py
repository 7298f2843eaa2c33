"""test, [ and [[: whether a condition holds; None where only the running host decides."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from pacefab.legacy.bash.globs import glob
from pacefab.legacy.bash.patterns import UnsafeError, matchable, regex
from pacefab.legacy.bash.shell import Shell
from pacefab.legacy.bash.syntax import Node
from pacefab.legacy.bash.words import Words
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
_MOST_GROUPS = 10

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
            return False  # bash reports an error, and the condition fails
    if operator in {"=", "==", "!="}:
        return (left == right) == (operator != "!=")
    if operator in {"<", "\\<", ">", "\\>"}:
        return left < right if "<" in operator else left > right
    return None


def test_words(words: Sequence[str], exists: Callable[[str], Truth]) -> Truth:
    """Return what `test` makes of its words; `exists` returns whether a file is there."""
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
        words: expand its nodes.
        shell: its options count, and what =~ found is kept there.
        exists: a path -> whether a file is there.
        mark: a reason -> a value that is unknown.
    """

    def __init__(
        self,
        words: Words,
        shell: Shell,
        exists: Callable[[str], Truth],
        mark: Callable[[str], str],
    ) -> None:
        self._words = words
        self._shell = shell
        self._exists = exists
        self._mark = mark

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
        text = self._words.text(node)
        return bool(text) if is_known(text) else None

    def _unary(self, node: Node, depth: int) -> Truth:
        operator = _text(node.children[0])
        operand = node.children[-1]
        if operator == "!":
            return negated(self.value(operand, depth + 1))
        text = self._words.text(operand)
        if operator == "-v" and is_known(text):
            return self._words.is_set(text)
        return unary(operator, text, self._exists)

    def _binary(self, node: Node, depth: int) -> Truth:
        left, middle, right = node.children
        operator = _text(middle)
        if operator in {"&&", "||"}:
            join = both if operator == "&&" else either
            return join(self.value(left, depth + 1), self.value(right, depth + 1))
        if left.type == "unary_expression" and _text(left.children[0]) == "!":
            # The grammar binds ! closer than bash does.
            return negated(self._compared(left.children[-1], operator, right))
        return self._compared(left, operator, right)

    def _compared(self, left: Node, operator: str, right: Node) -> Truth:
        text = self._words.text(left)
        if operator in {"=", "==", "!="}:
            return self._matches(text, operator, right)
        if operator == "=~":
            return self._found(text, self._words.pattern(right, re.escape))
        if operator in _NUMBERS:
            numbers = self._words.number(text), self._words.number(self._words.text(right))
            if numbers[0] is None or numbers[1] is None:
                return None
            return _NUMBERS[operator](numbers[0], numbers[1])
        return compare(text, operator, self._words.text(right))

    def _matches(self, left: str, operator: str, right: Node) -> Truth:
        pattern = self._words.pattern(right)
        if not is_known(left, pattern):
            return None
        ignore_case = "nocasematch" in self._shell.options
        try:
            found = glob(pattern, ignore_case=ignore_case).match(matchable(left))
        except UnsafeError:
            return None
        return found == (operator != "!=")

    def _found(self, left: str, right: str) -> Truth:
        """Return whether a regular expression is found; BASH_REMATCH has what it matched."""
        if not is_known(left, right):
            return self._unclear(right)
        ignore_case = "nocasematch" in self._shell.options
        try:
            compiled = regex(re.sub(r"\\\s", " ", right), extended=True, ignore_case=ignore_case)
            found = compiled.search(matchable(left))
        except UnsafeError:
            return self._unclear(right)
        groups = (found[0], *(group or "" for group in found.groups())) if found else ()
        if "|" in right and len(groups) > 1:  # alternatives: POSIX takes the longest
            groups = tuple(self._mark(f"what {right} matches") for _ in groups)
        self._shell.fill("BASH_REMATCH", {str(at): text for at, text in enumerate(groups)})
        return found is not None

    def _unclear(self, pattern: str) -> Truth:
        mark = self._mark(f"what {pattern} matches")
        self._shell.fill("BASH_REMATCH", {str(at): mark for at in range(_MOST_GROUPS)})
        return None


def _text(node: Node) -> str:
    return (node.text or b"").decode(errors="replace")
