"""Brace expansion: {a,b}, {1..9..4}, {01..03}, nested and joined, as bash does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from pacefab.legacy.bash.budget import ExhaustedError

MOST_WORDS = 5000
_RANGE = re.compile(
    r"(?:(?P<first>-?\d{1,9})\.\.(?P<last>-?\d{1,9})|(?P<from>[A-Za-z])\.\.(?P<to>[A-Za-z]))"
    r"(?:\.\.(?P<step>-?\d{1,9}))?"
)
_LONGEST = 2000  # characters of a word; no list of nodes is longer
_DEEPEST = 20


def braces(word: str) -> list[str]:
    """Return what the braces of a word make of it: the word alone when there are none.

    Raises:
        ExhaustedError: they make too many words.
    """
    if "{" not in word or len(word) > _LONGEST:
        return [word]
    words = list(islice(_expanded(word, 0), MOST_WORDS + 1))
    if len(words) > MOST_WORDS:
        raise ExhaustedError(f"a list of more than {MOST_WORDS} words")
    return words


def _expanded(text: str, depth: int) -> Iterator[str]:
    at = text.find("{")
    while at >= 0 and depth < _DEEPEST:
        parts, end = _alternatives(text, at)
        choices = _choices(parts, depth) if end and text[at - 1 : at] != "$" else None
        if choices is not None:
            for choice in choices:
                for rest in _expanded(text[end:], depth + 1):
                    yield text[:at] + choice + rest
            return
        at = text.find("{", at + 1)
    yield text


def _alternatives(text: str, at: int) -> tuple[list[str], int]:
    """Return what commas part between braces that open at an index, and where that ends (0: no)."""
    parts, begun, depth = list[str](), at + 1, 0
    for here in range(at, len(text)):
        character = text[here]
        if character == "{":
            depth += 1
        elif character == "," and depth == 1:
            parts.append(text[begun:here])
            begun = here + 1
        elif character == "}":
            depth -= 1
            if depth == 0:
                return [*parts, text[begun:here]], here + 1
    return [], 0


def _choices(parts: list[str], depth: int) -> Iterator[str] | None:
    """Return the words of a list or a range; None where it is neither."""
    if len(parts) > 1:
        return (word for part in parts for word in _expanded(part, depth + 1))
    found = _RANGE.fullmatch(parts[0])
    return _range(found) if found else None


def _range(found: re.Match[str]) -> Iterator[str]:
    step = abs(int(found["step"] or 1)) or 1
    letters = found["from"] is not None
    first, last = (
        (ord(found["from"]), ord(found["to"]))
        if letters
        else (int(found["first"]), int(found["last"]))
    )
    width = 0 if letters else _width(found["first"], found["last"])
    numbers = range(first, last + 1, step) if last >= first else range(first, last - 1, -step)
    if len(numbers) > MOST_WORDS:
        raise ExhaustedError(f"a list of more than {MOST_WORDS} words")
    return (chr(number) if letters else f"{number:0{width}d}" for number in numbers)


def _width(*ends: str) -> int:
    """Return to how many characters numbers are filled with zeros: as many as an end has."""
    padded = any(re.match(r"-?0\d", end) for end in ends)
    return max(map(len, ends)) if padded else 0
