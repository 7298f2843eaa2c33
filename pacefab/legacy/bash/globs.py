"""Patterns of the shell, as of `case` and ${x#PATTERN}: *, ?, [...], and lists such as @(a|b).

Matching is by sets of positions: its time grows with text and pattern, whatever the pattern is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from pacefab.legacy.bash.patterns import CLASSES, UnsafeError

_LONGEST_PATTERN = 300
_DEEPEST = 8
_SPECIAL = r"\\*?\[\](){}|@!+^/#%&-"  # characters that mean something in a pattern or operand
_LIST = "?*+@!"
NextStep = Callable[[str, int], set[int]]  # a text and a position -> where it may go on


@dataclass(frozen=True)
class Glob:
    """A pattern, as steps that each match a piece of a text."""

    steps: tuple[NextStep, ...]

    def match(self, text: str) -> bool:
        """Return whether the pattern matches the whole text."""
        return len(text) in self.ends(text, 0)

    def ends(self, text: str, start: int) -> set[int]:
        """Return all positions at which a match that begins at a position may end."""
        here = {start}
        for step in self.steps:
            if step is _any:
                here = set(range(min(here), len(text) + 1))
            else:
                here = {end for at in here for end in step(text, at)}
            if not here:
                break
        return here

    def find(self, text: str, start: int) -> tuple[int, int] | None:
        """Return begin and end of the first and there longest match from a position on."""
        for begin in range(start, len(text) + 1):
            ends = self.ends(text, begin)
            if ends:
                return begin, max(ends)
        return None


@lru_cache(maxsize=2000)
def glob(pattern: str, *, ignore_case: bool = False) -> Glob:
    """Return a shell pattern.

    Raises:
        UnsafeError: it is too long or too deep.
    """
    if len(pattern) > _LONGEST_PATTERN:
        raise UnsafeError(f"a pattern of too many parts: {pattern[:40]}")
    return _GlobReader(pattern, ignore_case=ignore_case).pattern()


def escaped(text: str) -> str:
    """Return a shell pattern that matches a text only."""
    return re.sub(rf"([{_SPECIAL}])", r"\\\1", text)


def unescaped(text: str) -> str:
    """Return a text without the backslashes that keep its characters from being a pattern."""
    return re.sub(rf"\\([{_SPECIAL}])", r"\1", text)


class _GlobReader:
    """Reads a pattern from left to right."""

    def __init__(self, pattern: str, *, ignore_case: bool) -> None:
        self._pattern = pattern
        self._ignore_case = ignore_case
        self._at = 0

    def pattern(self, stops: str = "", depth: int = 0) -> Glob:
        """Return what stands up to one of some characters, or the end."""
        if depth > _DEEPEST:
            raise UnsafeError(f"a pattern nested too deeply: {self._pattern[:40]}")
        steps: list[NextStep] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in (stops or "\0"):
            steps.append(self._step(depth))
        return Glob(tuple(steps))

    def _step(self, depth: int) -> NextStep:
        character = self._pattern[self._at]
        following = self._pattern[self._at + 1 : self._at + 2]
        self._at += 1
        if following == "(" and character in _LIST:
            return self._list(character, depth)
        if character == "*":
            return _any
        if character == "?":
            return _one(lambda _: True)
        if character == "[" and (members := self._members()) is not None:
            return _one(members)
        if character == "\\" and following:
            self._at += 1
            character = following
        return self._literal(character)

    def _literal(self, character: str) -> NextStep:
        if self._ignore_case:
            lower = character.lower()
            return _one(lambda other: other.lower() == lower)
        return _one(lambda other: other == character)

    def _list(self, kind: str, depth: int) -> NextStep:
        """Read KIND(PATTERN|PATTERN…); without its end, the kind is an ordinary character."""
        begun = self._at
        alternatives: list[Glob] = []
        while self._at < len(self._pattern) and self._pattern[self._at] in "(|":
            self._at += 1
            alternatives.append(self.pattern("|)", depth + 1))
        if self._at >= len(self._pattern):
            self._at = begun
            return self._literal(kind)
        self._at += 1
        return _listed(kind, alternatives)

    def _members(self) -> Callable[[str], bool] | None:
        """Read [...]; None where it has no end."""
        end = self._end_of_members()
        if end is None:
            return None
        inside = self._pattern[self._at : end]
        self._at = end + 1
        negated = inside[:1] in {"!", "^"}
        compiled = re.compile(f"[{'^' if negated else ''}{_as_regex(inside[negated:])}]",
                              re.IGNORECASE if self._ignore_case else 0)  # fmt: skip
        return lambda other: bool(compiled.match(other))

    def _end_of_members(self) -> int | None:
        """Return where the ] is that ends the members; the first of them may be one, too."""
        at = self._at + (self._pattern[self._at : self._at + 1] in {"!", "^"})
        at += self._pattern[at : at + 1] == "]"
        while at < len(self._pattern) and self._pattern[at] != "]":
            closed = self._pattern.find(":]", at) if self._pattern.startswith("[:", at) else -1
            at = closed + 2 if closed > 0 else at + (2 if self._pattern[at] == "\\" else 1)
        return at if at < len(self._pattern) else None


def _as_regex(inside: str) -> str:
    """Return the inside of [...] as a regular expression has it."""
    classes = re.compile(r"\[:(\w+):\]")
    parts: list[str] = []
    at = 0
    for found in classes.finditer(inside):
        parts.append(_plain(inside[at : found.start()]))
        parts.append(CLASSES.get(found[1], ""))
        at = found.end()
    return "".join([*parts, _plain(inside[at:])]) or r"\\"


def _plain(text: str) -> str:
    """Return members of a list, with ranges: 0-9 stays one, only in order."""
    text = re.sub(r"\\(.)", r"\1", text)
    parts: list[str] = []
    at = 0
    while at < len(text):
        if text[at + 1 : at + 2] == "-" and at + 2 < len(text):
            first, last = text[at], text[at + 2]
            parts.append(f"{re.escape(first)}-{re.escape(last)}" if first <= last else "")
            at += 3
        else:
            parts.append(re.escape(text[at]))
            at += 1
    return "".join(parts)


def _any(text: str, at: int) -> set[int]:
    """NextStep over any characters."""
    return set(range(at, len(text) + 1))


def _one(fits: Callable[[str], bool]) -> NextStep:
    """Return a step over one character."""
    return lambda text, at: {at + 1} if at < len(text) and fits(text[at]) else set()


def _listed(kind: str, alternatives: list[Glob]) -> NextStep:
    def once(text: str, at: int) -> set[int]:
        return {end for one in alternatives for end in one.ends(text, at)}

    def several(text: str, at: int) -> set[int]:
        reached, waiting = set[int](), [at]
        while waiting:
            for end in once(text, waiting.pop()) - reached:
                reached.add(end)
                waiting.append(end)
        return reached

    def other(text: str, at: int) -> set[int]:
        return set(range(at, len(text) + 1)) - once(text, at)

    if kind == "!":
        return other
    if kind == "@":
        return once
    if kind == "?":
        return lambda text, at: once(text, at) | {at}
    return several if kind == "+" else lambda text, at: several(text, at) | {at}
