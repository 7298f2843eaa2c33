"""grep, egrep and fgrep: the lines that a pattern is in, and those around them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pacefab.legacy.bash.patterns import Regex, matchable, regex
from pacefab.legacy.model import CommandResult
from pacefab.legacy.options import SplitOptions, Syntax, split_options
from pacefab.legacy.text.lines import joined, lines

Numbered = list[tuple[int, str]]  # lines with their numbers, from 1

_LONG = {
    "regexp": "e", "max-count": "m", "after-context": "A", "before-context": "B", "context": "C",
    "ignore-case": "i", "invert-match": "v", "extended-regexp": "E", "fixed-strings": "F",
    "quiet": "q", "silent": "q", "word-regexp": "w", "only-matching": "o", "line-number": "n",
    "count": "c",
}  # fmt: skip
GREP = Syntax("e m A B C", "i v E F q w o n c", long=_LONG, mixed=True)


def grep(arguments: Sequence[str], text: str, *, extended: bool = False) -> CommandResult | None:
    """Return what grep answers; `extended`: as egrep.

    Raises:
        UnknownOptionError: an option is not known.
        UnsafeError: the pattern could take for ever.
    """
    options = split_options(arguments, GREP)
    operands = list(options.operands)
    patterns = options.values("e") or [operands.pop(0)]
    if operands or "m" in options or len(patterns) > 1:
        return None
    pattern = _compiled(patterns[0], options, extended=extended)
    kept = [
        (number, line)
        for number, line in enumerate(lines(text), 1)
        if bool(pattern.search(matchable(line))) != ("v" in options)
    ]
    status = 0 if kept else 1
    return CommandResult(status, _printed(options, pattern, lines(text), kept))


def _compiled(pattern: str, options: SplitOptions, *, extended: bool) -> Regex:
    if "F" in options:
        pattern = re.escape(pattern)
    if "w" in options:
        pattern = rf"\b{pattern}\b"
    return regex(
        pattern, extended=extended or bool({"E", "F"} & options.names), ignore_case="i" in options
    )


def _printed(options: SplitOptions, pattern: Regex, every: list[str], kept: Numbered) -> str:
    if "q" in options:
        return ""
    if "c" in options:
        return f"{len(kept)}\n"
    if {"A", "B", "C"} & options.names:
        return _with_context(every, [number for number, _ in kept], options)
    if "o" in options:
        hits = [hit[0] for _, line in kept for hit in pattern.finditer(line)]
        if hits:
            return joined(hits)
    return joined([f"{number}:{line}" if "n" in options else line for number, line in kept])


def _with_context(every: list[str], hits: list[int], options: SplitOptions) -> str:
    """Return lines (counted from 1) with those around them; -- between groups, as grep does it."""
    before = int(options.value("B", options.value("C", "0")))
    after = int(options.value("A", options.value("C", "0")))
    desired = {near for hit in hits for near in range(hit - before, hit + after + 1)}
    numbers = sorted(number for number in desired if 1 <= number <= len(every))
    parts: list[str] = []
    for at, number in enumerate(numbers):
        if at and numbers[at - 1] != number - 1:
            parts.append("--")
        parts.append(every[number - 1])
    return joined(parts)
